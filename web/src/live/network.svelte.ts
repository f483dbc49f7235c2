import { ApiError, get, network_path } from '../api/client';
import { request_log } from '../api/log.svelte';
import { type ModelDocument, parameters_of } from '../api/model';
import type { Diagnosis, History, Job, NetworkView, RunRecord } from '../api/types';
import type { Parameters } from '../math/forward';
import { reduced_motion } from '../shell/theme.svelte';
import { subscribe } from './leader';
import { server } from './server.svelte';

export type LiveState = 'loading' | 'ready' | 'missing' | 'forbidden' | 'failed';

const kPointsMax = 600;
const kModelIntervalMs = 160;
const kCalmIntervalMs = 1000;
/** Time that is left to others for each bit of time that fetching the parameters takes. */
const kModelShare = 3;
const kPollMs = 500;
const kDiagnosisMs = 2000;
const kFillMs = 1500;
const kCachedModels = 400;

/** Whether this server diagnoses; asked no more once it said that it does not. */
let diagnosed = true;

/** Parameters of one step. */
export interface Frame {
  step: number;
  parameters: Parameters;
}

const running = (job: Job | null | undefined) =>
  job?.state === 'running' || job?.state === 'queued' || job?.state === 'paused';

/**
 * One network as it lives on the server: its description, history and parameters, kept up to date by its events (or by
 * asking, where there are none), and the parameters of past steps.
 */
export class LiveNetwork {
  state = $state<LiveState>('loading');
  error = $state.raw<ApiError | null>(null);
  view = $state.raw<NetworkView | null>(null);
  history = $state.raw<History>({ step: [] });
  frame = $state.raw<Frame | null>(null);
  job = $state.raw<Job | null>(null);
  diagnosis = $state.raw<Diagnosis | null>(null);
  streaming = $state(false);
  /** Whether this server answers for past steps; null until it was asked. */
  time_travel = $state<boolean | null>(null);

  /** Kept once the network was read for the first time, well or not. */
  readonly loaded: Promise<void>;

  private frames = new Map<string, Frame>();
  private unsubscribe = () => {};
  private poll: ReturnType<typeof setInterval> | undefined;
  private model_at = 0;
  private model_took = 0;
  private diagnosed_at = 0;
  private model_wanted = false;
  private model_busy = false;
  private refill_busy = false;
  /** Readings of the view: how many were begun, and the latest that was accepted. */
  private asked = 0;
  private answered = 0;
  private refilled_at = 0;
  /** The stream left records out, as it may while a network learns faster than anybody can look. */
  private sparse = false;
  private returns = server.returns;
  private closed = false;
  private retry_at = 0;

  constructor(readonly name: string) {
    this.loaded = this.refresh();
    this.unsubscribe = subscribe(
      name,
      (event) => this.on_event(event.event, event.data),
      (state) => {
        this.streaming = state === 'open';
        if (this.streaming) this.loaded.then(() => this.catch_up());
      },
    );
    this.poll = setInterval(() => this.on_tick(), kPollMs);
  }

  close() {
    this.closed = true;
    this.unsubscribe();
    clearInterval(this.poll);
  }

  /** Reads everything afresh. */
  async refresh() {
    try {
      await this.read_view();
      await Promise.all([this.fetch_history(), this.fetch_model()]);
      this.state = 'ready';
      this.refresh_diagnosis();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      if (error.status === 404) this.state = 'missing';
      else if (error.status === 401 || error.status === 403) this.state = 'forbidden';
      else if (error.status !== 0) this.state = 'failed';
      this.retry_at = performance.now() + 1000 * (error.retry_after_s ?? 0);
    }
  }

  /** The whole history, as fine as a screen shows it. */
  private async fetch_history() {
    if (this.refill_busy) return;
    this.refill_busy = true;
    this.refilled_at = performance.now();
    this.sparse = false;
    try {
      this.history = await get<History>(network_path(this.name, '/history'), { max_points: kPointsMax });
    } finally {
      this.refill_busy = false;
    }
  }

  /** The same, later if the server can't now: `refresh` reads all once it is back. */
  private refill(): Promise<void> {
    return this.fetch_history().catch((error) => {
      if (!(error instanceof ApiError)) throw error;
    });
  }

  async refresh_diagnosis() {
    if (!diagnosed) return;
    this.diagnosed_at = performance.now();
    try {
      this.diagnosis = await get<Diagnosis>(network_path(this.name, '/diagnosis'));
    } catch (error) {
      diagnosed = !(error instanceof ApiError && error.absent);
    }
  }

  /** Parameters at a past step, from memory where they were seen. Null where the server can't tell. */
  async at(step: number): Promise<Frame | null> {
    const known = this.frames.get(this.key(step));
    if (known) return known;
    try {
      const model = await get<ModelDocument>(network_path(this.name, '/model'), { step });
      this.time_travel = model.step === step;
      return this.keep(model);
    } catch (error) {
      if (error instanceof ApiError && error.status >= 400 && error.status !== 429 && error.status < 500)
        this.time_travel = this.time_travel ?? false;
      return null;
    }
  }

  /** What was wrong at a past step; null where the server can't tell. */
  diagnosis_at(step: number): Promise<Diagnosis | null> {
    return get<Diagnosis>(network_path(this.name, '/diagnosis'), { step }).catch((error) => {
      if (error instanceof ApiError) return null;
      throw error;
    });
  }

  /** The steps that can be shown without asking. */
  seen_steps(): number[] {
    return [...this.frames.values()].map((frame) => frame.step).sort((a, b) => a - b);
  }

  private key = (step: number) => String(step);

  private keep(model: ModelDocument): Frame {
    const frame = { step: model.step, parameters: parameters_of(model) };
    this.frames.set(this.key(frame.step), frame);
    if (this.frames.size > kCachedModels) this.frames.delete(this.frames.keys().next().value as string);
    return frame;
  }

  private accept(view: NetworkView) {
    if (this.view && view.step < this.view.step) {
      this.frames.clear(); // went back in time: what was recorded after that step is no more
      this.refill();
    }
    this.view = view;
    this.accept_job(view.last_job ?? null);
  }

  private accept_job(job: Job | null) {
    const ended = job !== null && running(this.job) && !running(job);
    this.job = job;
    if (job && !running(job)) request_log.settle(job);
    if (ended) {
      this.refill();
      this.want_model(true);
      this.refresh_diagnosis();
    }
  }

  private on_event(kind: string, data: string) {
    if (kind === 'gap' || kind === 'checkpoint') {
      if (kind === 'gap') this.refill();
      return;
    }
    let content: unknown;
    try {
      content = JSON.parse(data);
    } catch {
      return;
    }
    if (kind === 'record') this.add_record(content as RunRecord);
    else if (kind === 'diagnosis') this.diagnosis = content as Diagnosis;
    else if (kind === 'job') this.refresh_view();
  }

  private add_record(record: RunRecord) {
    const steps = this.history.step as number[];
    const last = steps.at(-1);
    if (last !== undefined && record.step > last + 1) this.sparse = true;
    if (last !== undefined && record.step <= last) {
      if (record.step < last) this.refill();
      return;
    }
    const next: History = {};
    for (const name of new Set([...Object.keys(this.history), ...Object.keys(record)]))
      if (typeof record[name] === 'number' || record[name] === null || this.history[name])
        next[name] = [...(this.history[name] ?? steps.map(() => null)), record[name] ?? null];
    this.history = next;
    if (steps.length > 2 * kPointsMax) this.refill();
    if (this.view)
      this.view = { ...this.view, step: Math.max(this.view.step, record.step), last_record: record };
    this.want_model(false);
  }

  /** What happened between the first reading and the opening of the stream. */
  private async catch_up() {
    const before = this.view?.step;
    await this.refresh_view();
    if (this.view?.step !== before) await this.refill();
  }

  /** Reads the description. Of answers that overtake each other, the one to the latest question counts. */
  private async read_view() {
    const question = ++this.asked;
    const view = await get<NetworkView>(network_path(this.name));
    if (question < this.answered) return;
    this.answered = question;
    this.accept(view);
  }

  private async refresh_view() {
    try {
      await this.read_view();
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) this.state = 'missing';
    }
  }

  private async on_tick() {
    if (this.closed || document.hidden || !server.reachable) return;
    if (performance.now() < this.retry_at) return;
    if (this.returns !== server.returns || this.state === 'failed') {
      this.returns = server.returns;
      this.refresh();
      return;
    }
    if (this.state !== 'ready') return;
    if (this.job?.state === 'running' && performance.now() > this.diagnosed_at + kDiagnosisMs)
      this.refresh_diagnosis();
    if (this.sparse && performance.now() > this.refilled_at + kFillMs) await this.refill();
    if (this.streaming) return;
    const before = this.view?.step;
    await this.refresh_view();
    if (this.view?.step !== before) {
      await this.refill();
      this.want_model(true);
    }
  }

  /** Fetches the parameters soon, but never more often than a screen can use. */
  private want_model(now: boolean) {
    this.model_wanted = true;
    if (this.model_busy || document.hidden) return;
    const least = reduced_motion() ? kCalmIntervalMs : kModelIntervalMs;
    const interval = Math.max(least, kModelShare * this.model_took);
    const wait = now ? 0 : Math.max(0, this.model_at + interval - performance.now());
    this.model_busy = true;
    setTimeout(async () => {
      this.model_wanted = false;
      await this.fetch_model().catch(() => {});
      this.model_busy = false;
      if (this.model_wanted && !this.closed) this.want_model(false);
    }, wait);
  }

  private async fetch_model() {
    this.model_at = performance.now();
    const model = await get<ModelDocument>(network_path(this.name, '/model'));
    this.model_took = performance.now() - this.model_at;
    this.frame = this.keep(model);
    if (this.view && model.step > this.view.step) this.view = { ...this.view, step: model.step };
  }
}
