import { log_request } from './log.svelte';
import type { Job, Problem } from './types';

/** What a request that failed said; status 0 where no answer came at all. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly problem: Problem,
    readonly retry_after_s: number | null = null,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }
  /** The route (or this use of it) is not part of this server. */
  get absent() {
    return this.status === 404 || this.status === 405 || this.status === 501;
  }
}

export interface Options {
  query?: Record<string, string | number | boolean | null | undefined>;
  body?: unknown;
  content_type?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  /** Shown in the curl drawer as something that the person did. */
  action?: boolean;
}

const kKey = 'mlpd-key';
let key: string | null = sessionStorage.getItem(kKey);
const key_listeners = new Set<() => void>();
/** Calls `listener` after each change of the key, until the returned function is called. */
export function on_key(listener: () => void) {
  key_listeners.add(listener);
  return () => key_listeners.delete(listener);
}
export function set_key(value: string | null) {
  key = value || null;
  if (key) sessionStorage.setItem(kKey, key);
  else sessionStorage.removeItem(kKey);
  for (const listener of key_listeners) listener();
}
export const authorization = (): Record<string, string> => (key ? { Authorization: `Bearer ${key}` } : {});

/** Whether the server answers; set by every request. */
type Listener = (reachable: boolean) => void;
const listeners = new Set<Listener>();
export function on_reachable(listener: Listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
const tell = (reachable: boolean) => {
  for (const listener of listeners) listener(reachable);
};

export function path_with(path: string, query: Options['query'] = {}): string {
  const fields = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== null && value !== undefined) fields.set(name, String(value));
  const text = fields.toString();
  return text ? `${path}?${text}` : path;
}

const kAskAgain_ms = 300;

/** Waits for the job that a long way back to a past step takes; the request is answered at once afterwards. */
async function replayed(job: Job, signal?: AbortSignal) {
  while (job.state === 'queued' || job.state === 'running') {
    await new Promise((resolve) => setTimeout(resolve, kAskAgain_ms));
    job = await call<Job>('GET', `/v1/jobs/${job.id}`, { signal });
  }
  if (job.state !== 'succeeded')
    throw new ApiError(409, { detail: job.error?.message ?? `the replay of ${job.network} was cancelled` });
}

/** A server that dies in the middle of its answer is as gone as one that gives none. */
async function answered<T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    tell(false);
    throw new ApiError(0, { detail: String(error) });
  }
}

async function send(method: string, path: string, options: Options): Promise<Response> {
  const full = path_with(path, options.query);
  const text =
    options.body === undefined || typeof options.body === 'string'
      ? options.body
      : JSON.stringify(options.body);
  log_request(
    { method, path: full, body: options.body, content_type: options.content_type, key: key !== null },
    options.action ?? false,
  );
  const headers: Record<string, string> = { ...authorization(), ...options.headers };
  if (text !== undefined) headers['Content-Type'] = options.content_type ?? 'application/json';
  const { signal } = options;
  const response = await answered(
    fetch(full, { method, headers, body: text as string | undefined, signal }),
    signal,
  );
  tell(true);
  const replay = response.status === 202 ? ((await answered(response.clone().json(), signal)) as Job) : null;
  if (replay?.kind === 'replay') {
    await replayed(replay, signal);
    return send(method, path, { ...options, action: false });
  }
  if (response.ok) return response;
  const retry = Number(response.headers.get('Retry-After'));
  const problem = await response.json().catch(() => ({ title: `HTTP ${response.status}` }));
  throw new ApiError(response.status, problem, Number.isFinite(retry) && retry > 0 ? retry : null);
}

/** One request of the API; its JSON answer, undefined where there is none. Throws ApiError. */
export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  const text = await answered(response.text(), options.signal);
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string, query?: Options['query'], signal?: AbortSignal) =>
  call<T>('GET', path, { query, signal });
/** A change that a person asked for. */
export const act = <T>(method: string, path: string, body?: unknown, options: Options = {}) =>
  call<T>(method, path, { ...options, body, action: true });
export async function get_blob(path: string, headers: Record<string, string>): Promise<Blob> {
  const response = await send('GET', path, { headers });
  return answered(response.blob());
}

export const network_path = (name: string, rest = '') => `/v1/networks/${encodeURIComponent(name)}${rest}`;
