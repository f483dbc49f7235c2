import { ApiError, act, call, get, network_path } from '../api/client';
import { request_log } from '../api/log.svelte';
import type { Job, LayerSpec, NetworkSpec, Networks, NetworkView } from '../api/types';
import { LiveNetwork } from '../live/network.svelte';
import { route } from '../shell/route.svelte';
import { bare_layers, default_spec, layers_with_numbers } from './architecture';
import { dataset_of, generator_of, is_built_in, load_rows, type Rows, save_rows } from './dataset';

const kDemoSteps = 600;
const kDemoPace = 120;
const kPlaySteps = 20_000;
const kKeepSeconds = 7 * 24 * 3600;

/** What the person chose for the next training; the rest is in the network itself. */
export interface Choices {
  pace: number | null; // steps a second, null = as fast as it goes
  batch: number | null; // rows, null = all
}

const active = (job: Job | null) =>
  job?.state === 'running' || job?.state === 'queued' || job?.state === 'paused';
const fresh_name = () => `lab-${Date.now().toString(36)}${Math.floor(Math.random() * 1296).toString(36)}`;

/** The Lab's network and data, and everything that a person can do to them. */
export class LabSession {
  network = $state.raw<LiveNetwork | null>(null);
  rows = $state.raw<Rows | null>(null);
  rows_error = $state.raw<ApiError | null>(null);
  error = $state.raw<ApiError | null>(null);
  private waiting = $state(0);
  private last_action: Promise<void> = Promise.resolve();
  private refused: (() => Promise<void>) | null = null;
  readonly busy = $derived(this.waiting > 0);
  /** This server has no data sets; the built-in ones are then generated anew for each training. */
  private no_datasets = false;
  private tried: string | null = null;
  choices = $state<Choices>({ pace: kDemoPace, batch: null });

  readonly job = $derived(this.network?.job ?? null);
  /** The newest training waits, and no earlier one of this network is at work. */
  readonly queued = $derived(this.job?.state === 'queued' && this.network?.view?.state !== 'training');
  readonly running = $derived(this.job?.state === 'running' || this.job?.state === 'queued');
  readonly paused = $derived(this.job?.state === 'paused');
  readonly spec = $derived<NetworkSpec | null>(this.network?.view ?? null);

  /** Follows another network; null finds or starts the shared demonstration. */
  async open(name: string | null) {
    this.error = null;
    if (name && this.network?.name === name) return;
    this.network?.close();
    this.network = null;
    if (name === null) {
      await this.guarded(async () => {
        const joined = await this.join_or_start();
        route.set({ net: joined });
        this.follow(joined);
      });
    } else this.follow(name);
  }

  close() {
    this.network?.close();
    this.network = null;
  }

  private follow(name: string) {
    this.network?.close();
    this.network = new LiveNetwork(name);
  }

  /** Shows a network that was just made, and goes there in the address. */
  private enter(name: string) {
    route.set({ net: name, step: null }, true);
    this.follow(name);
  }

  async load_data(name: string) {
    if (this.tried === name) return;
    this.tried = name;
    try {
      const rows = await load_rows(name);
      this.rows = rows;
      this.rows_error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.rows = null;
      this.rows_error = error;
      this.no_datasets = is_built_in(name) && error.absent;
    }
  }

  /** The network does not say what it is about: the rows of the one before are not its own. */
  forget_data() {
    this.rows = null;
    this.rows_error = null;
    this.tried = null;
  }

  /** One tab at a time decides, so that twelve tabs opened together share one run. */
  private async join_or_start(): Promise<string> {
    const decide = async () => {
      const { networks } = await get<Networks>('/v1/networks', { limit: 100 });
      const live = networks.find((one) => {
        const job = one.last_job;
        return (
          one.labels?.['made-by'] === 'demo' &&
          job?.state === 'running' &&
          job.steps_done < 0.8 * job.steps_total
        );
      });
      if (live) return live.name;
      await this.load_data('article-xor');
      const name = fresh_name();
      await this.create(name, { ...default_spec(2, 2), seed: 3 }, 'article-xor', 'demo');
      await this.train(name, kDemoSteps, 'article-xor');
      return name;
    };
    return navigator.locks ? await navigator.locks.request('mlpd-demo', decide) : decide();
  }

  private create(name: string, spec: NetworkSpec, dataset: string, made_by = 'lab') {
    const { inputs, layers, loss, optimizer, schedule, regularization, gradient_clip, seed, dtype } = spec;
    const given = { loss, optimizer, schedule, regularization, gradient_clip, seed, dtype };
    const chosen = Object.fromEntries(
      Object.entries(given).filter(([, value]) => value !== undefined && value !== null),
    );
    return act<NetworkView>('POST', '/v1/networks', {
      name,
      inputs,
      layers,
      ...chosen,
      labels: { 'made-by': made_by, dataset },
      ttl_s: kKeepSeconds,
    });
  }

  private async train(name: string, steps: number, dataset: string | null) {
    const { pace, batch } = this.choices;
    const body: Record<string, unknown> = { steps };
    if (this.no_datasets) body.data = generator_of(dataset);
    else if (dataset) body.dataset = dataset;
    if (batch) Object.assign(body, { batch_size: batch, shuffle: true });
    if (pace && steps > 1) body.pace = { steps_per_second: pace };
    const job = await act<Job>('POST', network_path(name, '/train'), body, {
      headers: { Prefer: steps === 1 ? 'wait=10' : 'respond-async' },
    });
    request_log.attach_job(job.id);
    return job;
  }

  /** Runs actions one after the other; what goes wrong is shown, and nothing else changes. */
  guarded(action: () => Promise<void>): Promise<void> {
    this.waiting++;
    this.last_action = this.last_action
      .catch(() => {})
      .then(async () => {
        this.error = null;
        try {
          await action();
          await this.network?.loaded;
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          this.error = error;
          this.refused = action;
        } finally {
          this.waiting--;
        }
      });
    return this.last_action;
  }

  /** Does again what the server refused. */
  retry = () => this.refused && this.guarded(this.refused);

  dataset_name(): string | null {
    return this.network?.view ? dataset_of(this.network.view) : null;
  }

  play = () =>
    this.guarded(async () => {
      const network = this.network;
      if (!network || this.running) return;
      route.set({ step: null });
      if (this.paused) await act('POST', `/v1/jobs/${this.job!.id}/resume`);
      else await this.train(network.name, kPlaySteps, this.dataset_name());
      await network.refresh();
    });

  pause = () =>
    this.guarded(async () => {
      if (!this.network || !this.running) return;
      await act('POST', `/v1/jobs/${this.job!.id}/pause`);
      await this.network.refresh();
    });

  /** Ends the running or paused job, so that what follows begins at the step reached. */
  private async stop_job() {
    const job = this.job;
    if (!job || !active(job)) return;
    await act('POST', `/v1/jobs/${job.id}/cancel`);
    for (let tries = 0; tries < 100; tries++) {
      const now = await get<Job>(`/v1/jobs/${job.id}`);
      if (!active(now)) {
        request_log.settle(now);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  step = () =>
    this.guarded(async () => {
      const network = this.network;
      if (!network) return;
      await this.stop_job();
      route.set({ step: null });
      await this.train(network.name, 1, this.dataset_name());
      await network.refresh();
    });

  /** The same network from its beginning, or with another seed. */
  reset = (seed_change = 0) =>
    this.guarded(async () => {
      const spec = this.spec;
      if (!spec) return;
      const was_running = this.running;
      await this.stop_job();
      const name = fresh_name();
      const layers = seed_change ? bare_layers(spec.layers) : spec.layers;
      await this.create(
        name,
        { ...spec, layers, seed: (spec.seed ?? 0) + seed_change },
        this.dataset_name() ?? 'article-xor',
      );
      if (was_running) await this.train(name, kPlaySteps, this.dataset_name());
      this.enter(name);
    });

  /** Changes hyper-parameters from the next step on. */
  patch = (changes: Partial<NetworkSpec>) =>
    this.guarded(async () => {
      const network = this.network;
      if (!network) return;
      const go_on = this.running;
      await this.stop_job();
      await act('PATCH', network_path(network.name), changes);
      if (go_on) await this.train(network.name, kPlaySteps, this.dataset_name());
      await network.refresh();
    });

  /** Another batch size or pace: the running job gives way to one that has it. */
  rechoose = (changes: Partial<Choices>) => {
    Object.assign(this.choices, changes);
    if (!this.running) return;
    return this.guarded(async () => {
      await this.stop_job();
      await this.train(this.network!.name, kPlaySteps, this.dataset_name());
      await this.network!.refresh();
    });
  };

  /** Another shape: a new network that keeps the numbers that fit. */
  rebuild = (change: (layers: LayerSpec[]) => LayerSpec[]) =>
    this.guarded(async () => {
      const spec = this.spec;
      if (!spec) return;
      const layers = change(spec.layers);
      const go_on = this.running;
      await this.stop_job();
      const name = fresh_name();
      const filled = layers_with_numbers(layers, spec.inputs, this.network!.frame?.parameters ?? null);
      await this.create(name, { ...spec, layers: filled }, this.dataset_name() ?? 'article-xor');
      if (go_on) await this.train(name, kPlaySteps, this.dataset_name());
      this.enter(name);
    });

  /** The same shape with numbers that a person set. */
  rebuild_exactly = (layers: LayerSpec[]) =>
    this.guarded(async () => {
      const spec = this.spec;
      if (!spec) return;
      const go_on = this.running;
      await this.stop_job();
      const name = fresh_name();
      await this.create(name, { ...spec, layers }, this.dataset_name() ?? 'article-xor');
      if (go_on) await this.train(name, kPlaySteps, this.dataset_name());
      this.enter(name);
    });

  /** Other data: the same network where it fits, else a new one of the right shape. */
  choose_data = (name: string) =>
    this.guarded(async () => {
      const rows = await load_rows(name);
      const spec = this.spec;
      await this.stop_job();
      const wanted = default_spec(rows.columns.length, rows.classes?.length ?? null);
      const new_name = fresh_name();
      const hidden =
        spec && spec.inputs === rows.columns.length
          ? bare_layers(spec.layers.slice(0, -1))
          : wanted.layers.slice(0, -1);
      const output = wanted.layers[wanted.layers.length - 1];
      const kept = spec
        ? { optimizer: spec.optimizer, regularization: spec.regularization, seed: spec.seed }
        : {};
      await this.create(new_name, { ...wanted, ...kept, layers: [...hidden, output] }, name);
      this.rows = rows;
      await this.train(new_name, kPlaySteps, name);
      this.enter(new_name);
    });

  /** Points that the person drew: kept as a data set, and training goes on with them. */
  change_rows = (rows: Rows) =>
    this.guarded(async () => {
      const go_on = this.running;
      const named = { ...rows, name: `drawn-${Date.now().toString(36)}` };
      await save_rows(named);
      this.rows = named;
      const network = this.network!;
      await this.stop_job();
      await act('PATCH', network_path(network.name), {
        labels: { ...network.view?.labels, dataset: named.name },
      });
      if (go_on) await this.train(network.name, kPlaySteps, named.name);
      await network.refresh();
    });

  fork = (step: number) =>
    this.guarded(async () => {
      const name = fresh_name();
      await call('POST', network_path(this.network!.name, '/fork'), { body: { name, step }, action: true });
      this.enter(name);
    });
}
