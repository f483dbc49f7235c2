import { untrack } from 'svelte';
import type { Sent } from './curl';

export interface Entry extends Sent {
  id: number;
  action: boolean;
  count: number;
  at: number;
  job?: string;
}

const kEntriesMax = 200;
let next_id = 1;

/** What this page asked of the server: each action in order, and each kind of reading once. */
class RequestLog {
  entries = $state.raw<Entry[]>([]);

  add(sent: Sent, action: boolean) {
    const same = action
      ? undefined
      : this.entries.find(
          (entry) => !entry.action && entry.method === sent.method && bare(entry) === bare(sent),
        );
    if (same) {
      same.count++;
      same.path = sent.path;
      same.key = sent.key;
      same.at = Date.now();
      return;
    }
    const entry = { ...sent, id: next_id++, action, count: 1, at: Date.now() };
    this.entries = [...this.entries, entry].slice(-kEntriesMax);
  }

  /** The last training request's job; `settle` later writes into it how many steps it really did. */
  attach_job(id: string) {
    const last = this.entries.findLast((entry) => entry.action && entry.path.endsWith('/train'));
    if (last) last.job = id;
  }

  /** A job that was stopped early is replayed with the steps that it did, so that a script ends in the same model. */
  settle(job: { id: string; steps_done: number }) {
    const entry = this.entries.find((candidate) => candidate.job === job.id);
    if (!entry) return;
    entry.body = { ...(entry.body as object), steps: job.steps_done };
    this.entries = [...this.entries];
  }

  clear() {
    this.entries = [];
  }
}

const bare = (sent: Sent) => sent.path.split('?')[0];
export const request_log = new RequestLog();
/** Whoever asks the server does not thereby depend on the log. */
export const log_request = (sent: Sent, action: boolean) => untrack(() => request_log.add(sent, action));
