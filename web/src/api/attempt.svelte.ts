import { ApiError } from './client';

/** Asks the server for one part of a page: whether that is under way, and what went wrong last. */
export class Attempt {
  error = $state.raw<ApiError | null>(null);
  busy = $state(false);

  /** The action's result, undefined where the server refused. Faults that are none of the server's are thrown. */
  async run<T>(action: () => Promise<T>): Promise<T | undefined> {
    this.busy = true;
    try {
      const result = await action();
      this.error = null;
      return result;
    } catch (fault) {
      if (!(fault instanceof ApiError)) throw fault;
      this.error = fault;
      return undefined;
    } finally {
      this.busy = false;
    }
  }
}
