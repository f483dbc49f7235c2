import type { Key } from '../i18n/index.svelte';
import { percent, short, whole } from '../math/format';

/** What the Lab shows now, as far as one sentence needs it. */
export interface Scene {
  state: 'starting' | 'queued' | 'running' | 'paused' | 'idle' | 'diverged';
  past: boolean;
  step: number;
  accuracy: number | null;
  loss: number | null;
  hidden: number;
  data: string;
}

export interface Sentence {
  key: Key;
  parameters: Record<string, string | number>;
}

const kSolved = 0.99;

/** One sentence that says what is to be seen. */
export function story(scene: Scene): Sentence {
  const parameters = {
    step: whole(scene.step),
    accuracy: percent(scene.accuracy),
    loss: short(scene.loss),
    hidden: scene.hidden,
    data: scene.data,
  };
  const say = (key: Key): Sentence => ({ key, parameters });
  if (scene.state === 'starting') return say('story.starting');
  if (scene.state === 'diverged') return say('story.diverged');
  if (scene.past) return say('story.past');
  if (scene.state === 'queued') return say('story.queued');
  const solved = scene.accuracy !== null && scene.accuracy >= kSolved;
  if (scene.state === 'running') {
    if (scene.accuracy === null) return say('story.running_value');
    if (solved) return say('story.running_solved');
    return say(scene.step < 20 ? 'story.running_new' : 'story.running');
  }
  if (scene.step === 0) return say('story.untrained');
  if (scene.accuracy === null) return say('story.rests_value');
  return say(solved ? 'story.solved' : 'story.rests');
}
