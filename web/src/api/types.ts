/** The part of the HTTP contract that the dashboard uses. */
export type Numbers = number[][];

export interface LayerSpec {
  type?: 'dense' | 'dropout' | 'layer_norm' | 'batch_norm' | 'residual';
  units?: number;
  activation?: string;
  bias?: boolean | number[];
  weights?: Numbers;
  rate?: number;
  epsilon?: number;
  layers?: LayerSpec[];
}

export interface Named {
  type: string;
  [parameter: string]: unknown;
}

export interface NetworkSpec {
  inputs: number;
  input_names?: string[];
  class_labels?: string[];
  layers: LayerSpec[];
  loss?: string | Named;
  optimizer?: Named & { learning_rate?: number };
  schedule?: Named;
  regularization?: { l1?: number; l2?: number };
  gradient_clip?: { norm?: number; value?: number } | null;
  seed?: number;
  dtype?: string;
}

export type RunRecord = Record<string, number | null> & { step: number };

export interface Job {
  id: string;
  network: string;
  state: 'queued' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled';
  steps_done: number;
  steps_total: number;
  step: number;
  loss?: number | null;
  metrics?: Record<string, unknown>;
  stop_reason?: string | null;
  steps_per_second?: number;
  created_at: string;
  started_at?: string | null;
  finished_at?: string | null;
  best_step?: number | null;
  confusion?: number[][];
  error?: { code?: string; message?: string } | null;
}

export interface NetworkView extends NetworkSpec {
  name: string;
  step: number;
  parameters: number;
  state: string;
  last_record?: RunRecord | null;
  last_job?: Job | null;
  state_sha256: string;
  labels?: Record<string, string>;
  created_at: string;
  updated_at?: string;
  forked_from?: { network: string; step: number } | null;
  replayable_from?: number;
}

export interface DatasetColumn {
  name: string;
  type: string;
  count: number;
  missing: number;
  distinct?: number;
  minimum?: number;
  maximum?: number;
  mean?: number;
  deviation?: number;
  quantiles?: Record<string, number>;
  top?: { value: string; count: number }[];
}

export interface DatasetView {
  name: string;
  source: string;
  rows: number;
  target: string;
  columns: DatasetColumn[];
  read_only?: boolean;
  bytes?: number;
  created_at?: string;
  preview?: Record<string, number | string | null>[];
}

/** Lists, newest first; each names its items by what they are. */
export interface Networks {
  networks: NetworkView[];
  next_cursor?: string;
}
export interface Jobs {
  jobs: Job[];
  next_cursor?: string;
}
export interface Datasets {
  datasets: DatasetView[];
  next_cursor?: string;
}

/** Columns of equal length. */
export type History = Record<string, (number | null)[]>;

export interface TraceLayer {
  type?: string;
  activation?: string;
  input: Numbers | null;
  weights: Numbers | null;
  bias: Numbers | null;
  z: Numbers | null;
  h: Numbers | null;
  dh_dz: Numbers | number[][][] | null;
  dloss_dh: Numbers | null;
  dloss_dz: Numbers | null;
  dloss_dweights: Numbers | null;
  dloss_dbias: Numbers | null;
  weights_next: Numbers | null;
  bias_next: Numbers | null;
  formulas?: Record<string, string>;
  layers?: TraceLayer[];
}

export interface Trace {
  step?: number;
  loss: number;
  data_loss: number;
  penalty: number;
  learning_rate?: number;
  gradient_norm?: number;
  layers: TraceLayer[];
}

export interface Remedy {
  title: string;
  request: { method: string; path: string; body?: unknown };
}

export interface Diagnosis {
  step: number;
  verdict: string;
  since_step?: number | null;
  summary: string;
  evidence: Record<string, number | string>;
  layers: {
    index: number;
    verdict: string;
    gradient_norm?: number | null;
    update_ratio?: number | null;
    weight_norm?: number | null;
    saturated?: number | null;
    dead?: number | null;
  }[];
  remedies: Remedy[];
}

export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  request_id?: string;
  errors?: { pointer: string; detail: string }[];
}

export interface System {
  version: string;
  build?: string;
  [field: string]: unknown;
}
