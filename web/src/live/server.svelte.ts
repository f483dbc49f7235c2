import { get, on_key, on_reachable } from '../api/client';
import type { System } from '../api/types';

/** Whether the server answers, and which one it is. While it does not, it is asked again, ever more slowly. */
class Server {
  reachable = $state(true);
  version = $state<string | null>(null);
  /** The server was replaced by another version while this page was open. */
  replaced = $state(false);
  /** Counts the times that the server came back, or that the key changed: who shows its state reads it afresh then. */
  returns = $state(0);
  private retry_ms = 0;

  constructor() {
    on_key(() => {
      this.returns++;
      this.identify();
    });
    on_reachable((reachable) => {
      if (reachable === this.reachable) return;
      this.reachable = reachable;
      if (reachable) {
        this.returns++;
        this.identify();
      } else {
        this.retry_ms = 500;
        this.try_again();
      }
    });
  }

  async identify() {
    const system = await get<System>('/v1/system').catch(() => null);
    if (!system) return;
    const name = `${system.version}`;
    if (this.version !== null && this.version !== name) this.replaced = true;
    else this.version = name;
  }

  private try_again() {
    setTimeout(async () => {
      this.retry_ms = Math.min(this.retry_ms * 1.5, 4000);
      await get('/v2/health/live').catch(() => null);
      if (!this.reachable) this.try_again();
    }, this.retry_ms);
  }
}

export const server = new Server();
