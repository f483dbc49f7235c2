import { act, network_path } from '../api/client';
import { request_log } from '../api/log.svelte';
import type { Job, NetworkSpec } from '../api/types';
import { first_weights, second_weights } from './exploding';

/** A run of a lesson: what to build, and how to train it so that one can watch. */
export interface Setup {
  key: string;
  spec: NetworkSpec;
  steps: number;
  steps_per_second: number;
}

const kKeepSeconds = 24 * 3600;

const hidden = (units: number, activation: string) => ({ type: 'dense' as const, units, activation });
const classifier = (units: number, rate: number): NetworkSpec => ({
  inputs: 2,
  layers: [hidden(units, 'sigmoid'), hidden(2, 'softmax')],
  optimizer: { type: 'adam', learning_rate: rate },
  seed: 3,
});
const deep = (activation: string): NetworkSpec => ({
  inputs: 2,
  layers: [...Array.from({ length: 6 }, () => hidden(8, activation)), hidden(2, 'softmax')],
  optimizer: { type: 'sgd', learning_rate: 0.1 },
  seed: 3,
});

const exploding: NetworkSpec = {
  inputs: 2,
  layers: [
    { ...hidden(50, 'tanh'), weights: first_weights },
    { ...hidden(2, 'linear'), weights: second_weights },
  ],
  loss: 'half_squared_error',
  optimizer: { type: 'sgd', learning_rate: 0.78 },
};

export const kForkStep = 60;

/** What is changed at the fork, one remedy each. */
export const remedies: { key: string; changes: Partial<NetworkSpec> }[] = [
  { key: 'rate', changes: { optimizer: { type: 'sgd', learning_rate: 0.195 } } },
  { key: 'schedule', changes: { schedule: { type: 'inverse_time', decay: 0.02 } } },
  { key: 'l2', changes: { regularization: { l1: 0, l2: 1 } } },
  { key: 'l1', changes: { regularization: { l1: 0.3, l2: 0 } } },
];

export const setups: Record<string, Setup[]> = {
  xor: [
    {
      key: 'xor',
      spec: { ...classifier(8, 0.05), layers: [hidden(8, 'tanh'), hidden(2, 'softmax')] },
      steps: 500,
      steps_per_second: 80,
    },
  ],
  size: [
    { key: 'three', spec: classifier(3, 0.05), steps: 900, steps_per_second: 120 },
    { key: 'fifty', spec: classifier(50, 0.05), steps: 900, steps_per_second: 120 },
  ],
  explosion: [{ key: 'explosion', spec: exploding, steps: 130, steps_per_second: 18 }],
  vanishing: [
    { key: 'sigmoid', spec: deep('sigmoid'), steps: 800, steps_per_second: 100 },
    { key: 'relu', spec: deep('relu'), steps: 800, steps_per_second: 100 },
  ],
};

const name_for = (key: string) => `lesson-${key}-${Date.now().toString(36)}`;
const labels = { 'made-by': 'lesson', dataset: 'article-xor' };

async function train(name: string, steps: number, steps_per_second: number | null, wait: boolean) {
  const pace = steps_per_second ? { pace: { steps_per_second } } : {};
  const job = await act<Job>(
    'POST',
    network_path(name, '/train'),
    { dataset: 'article-xor', steps, ...pace },
    { headers: { Prefer: wait ? 'wait=30' : 'respond-async' } },
  );
  request_log.attach_job(job.id);
}

/** Starts a lesson's runs; their names in the order of the setups. */
export async function start(lesson: string): Promise<string[]> {
  const names: string[] = [];
  for (const setup of setups[lesson]) {
    const name = name_for(setup.key);
    await act('POST', '/v1/networks', { name, ...setup.spec, labels, ttl_s: kKeepSeconds });
    names.push(name);
  }
  for (const [k, setup] of setups[lesson].entries())
    await train(names[k], setup.steps, setup.steps_per_second, false);
  return names;
}

/** Trains up to shortly before the burst, then races a fork for each remedy against the unchanged one. */
export async function start_race(): Promise<string[]> {
  const parent = name_for('burst');
  await act('POST', '/v1/networks', { name: parent, ...exploding, labels, ttl_s: kKeepSeconds });
  await train(parent, kForkStep, null, true);
  const names = [parent];
  for (const remedy of remedies) {
    const name = name_for(remedy.key);
    await act('POST', network_path(parent, '/fork'), { name, step: kForkStep, ...remedy.changes });
    names.push(name);
  }
  for (const name of names) await train(name, 80, 10, false);
  return names;
}
