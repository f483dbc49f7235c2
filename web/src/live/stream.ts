import { ApiError, authorization, network_path, on_key } from '../api/client';
import { EventParser, type StreamEvent } from './event_parser';

export type StreamState = 'connecting' | 'open' | 'refused';

/**
 * The events of one network, reconnecting by itself with Last-Event-ID. `refused`: the server has no such stream, no
 * room for one more, or wants a key; the caller then polls, and only another key is a reason to ask again. A fetch rather than an EventSource, since it can carry a key.
 */
export function follow(
  network: string,
  on_event: (event: StreamEvent) => void,
  on_state: (state: StreamState) => void,
): () => void {
  const stop = new AbortController();
  let last_id: string | null = null;
  let wait_ms = 300;

  const once = async () => {
    const headers: Record<string, string> = { Accept: 'text/event-stream', ...authorization() };
    if (last_id) headers['Last-Event-ID'] = last_id;
    const response = await fetch(network_path(network, '/events'), { headers, signal: stop.signal });
    if (!response.ok || !response.body) throw new ApiError(response.status, {});
    on_state('open');
    wait_ms = 300;
    const parser = new EventParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      for (const event of parser.push(value)) {
        if (event.id) last_id = event.id;
        on_event(event);
      }
    }
  };

  const run = async () => {
    while (!stop.signal.aborted) {
      on_state('connecting');
      try {
        await once();
      } catch (error) {
        if (stop.signal.aborted) return;
        if (
          error instanceof ApiError &&
          error.status >= 400 &&
          error.status !== 502 &&
          error.status !== 503
        ) {
          on_state('refused');
          if (error.status !== 401 && error.status !== 403) return;
          await new Promise<void>((resolve) => {
            const stop_listening = on_key(() => {
              stop_listening();
              resolve();
            });
          });
        }
      }
      await new Promise((resolve) => setTimeout(resolve, wait_ms));
      wait_ms = Math.min(wait_ms * 1.6, 4000);
    }
  };
  run();
  return () => stop.abort();
}
