import type { StreamEvent } from './event_parser';
import { follow, type StreamState } from './stream';

/**
 * HTTP/1.1 allows six connections to a server, and each event stream holds one. So one tab, the leader (whoever holds
 * the lock), keeps the streams that any tab wants, and passes the events on.
 */
type Message =
  | { kind: 'want'; tab: string; network: string }
  | { kind: 'leave'; tab: string; network: string }
  | { kind: 'who' }
  | { kind: 'event'; network: string; event: StreamEvent }
  | { kind: 'state'; network: string; state: StreamState };

interface Subscriber {
  on_event: (event: StreamEvent) => void;
  on_state: (state: StreamState) => void;
}

const kRenewMs = 10_000;
const kForgetMs = 25_000;
const kStreamsMax = 4;

const tab = crypto.randomUUID?.() ?? String(Math.random());
const wanted_here = new Map<string, Set<Subscriber>>();
const streams = new Map<string, { close: () => void; state: StreamState; tabs: Map<string, number> }>();
const channel = 'BroadcastChannel' in globalThis ? new BroadcastChannel('mlpd-events') : null;
let leading = false;

function deliver(message: Message) {
  if (message.kind !== 'event' && message.kind !== 'state') return;
  for (const subscriber of wanted_here.get(message.network) ?? [])
    if (message.kind === 'event') subscriber.on_event(message.event);
    else subscriber.on_state(message.state);
}

function tell_all(message: Message) {
  channel?.postMessage(message);
  deliver(message);
}

function lead_for(asking: string, network: string) {
  let stream = streams.get(network);
  if (!stream) {
    if (streams.size >= kStreamsMax) {
      tell_all({ kind: 'state', network, state: 'refused' });
      return;
    }
    const created = { close: () => {}, state: 'connecting' as StreamState, tabs: new Map<string, number>() };
    streams.set(network, created);
    created.close = follow(
      network,
      (event) => tell_all({ kind: 'event', network, event }),
      (state) => {
        created.state = state;
        tell_all({ kind: 'state', network, state });
      },
    );
    stream = created;
  } else if (!stream.tabs.has(asking)) tell_all({ kind: 'state', network, state: stream.state });
  stream.tabs.set(asking, Date.now());
}

function drop(network: string, leaving: string) {
  const stream = streams.get(network);
  if (!stream) return;
  stream.tabs.delete(leaving);
  if (stream.tabs.size > 0) return;
  stream.close();
  streams.delete(network);
}

function receive(message: Message) {
  if (message.kind === 'who') for (const network of wanted_here.keys()) ask({ kind: 'want', tab, network });
  else if (message.kind === 'want' && leading) lead_for(message.tab, message.network);
  else if (message.kind === 'leave' && leading) drop(message.network, message.tab);
  else deliver(message);
}

function ask(message: Message) {
  if (leading) receive(message);
  else channel?.postMessage(message);
}

function become_leader() {
  leading = true;
  for (const network of wanted_here.keys()) lead_for(tab, network);
  channel?.postMessage({ kind: 'who' } satisfies Message);
}

if (channel) channel.onmessage = (event: MessageEvent<Message>) => receive(event.data);
if (channel && navigator.locks)
  navigator.locks.request('mlpd-leader', () => {
    become_leader();
    return new Promise(() => {}); // held until the tab is gone
  });
else become_leader();

setInterval(() => {
  for (const network of wanted_here.keys()) ask({ kind: 'want', tab, network });
  if (!leading) return;
  for (const [network, stream] of streams)
    for (const [other, seen] of stream.tabs)
      if (other !== tab && Date.now() - seen > kForgetMs) drop(network, other);
}, kRenewMs);

addEventListener('pagehide', () => {
  for (const network of wanted_here.keys())
    channel?.postMessage({ kind: 'leave', tab, network } satisfies Message);
});

/** Follows a network's events through the leader until the returned function is called. */
export function subscribe(
  network: string,
  on_event: Subscriber['on_event'],
  on_state: Subscriber['on_state'],
): () => void {
  const subscriber = { on_event, on_state };
  const here = wanted_here.get(network) ?? new Set();
  here.add(subscriber);
  wanted_here.set(network, here);
  ask({ kind: 'want', tab, network });
  if (leading) on_state(streams.get(network)?.state ?? 'refused');
  return () => {
    here.delete(subscriber);
    if (here.size > 0) return;
    wanted_here.delete(network);
    ask({ kind: 'leave', tab, network });
  };
}
