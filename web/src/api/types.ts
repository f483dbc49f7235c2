import type { components } from './schema';

/**
 * The API's own types (schema.d.ts, made from /openapi.json by `npm run types`), narrowed where an answer is always of
 * one of the forms that a request may have.
 */
type Schemas = components['schemas'];

export type Numbers = number[][];
export type Job = Schemas['Job'];
export type Jobs = Schemas['JobList'];
export type Versions = Schemas['VersionList'];
export type System = Schemas['System'];
export type Shadow = Schemas['Shadow'];
export type Search = Schemas['Search'];
export type Searches = Schemas['SearchList'];
export type Problem = Partial<Schemas['Problem']>;
export type Evaluation = Schemas['Evaluation'];
export type DatasetColumn = Schemas['ColumnProfile'];
export type DatasetView = Schemas['Dataset'];
export type Datasets = Schemas['DatasetList'];
/** Columns of equal length. */
export type History = Schemas['History'];
export type RunRecord = { step: number } & Record<string, number | null>;

/** A brick as the page writes and reads it; numbers in it are plain lists. */
export interface LayerSpec {
  type?: Schemas['Layer']['type'];
  units?: number;
  activation?: string;
  bias?: boolean | number[];
  weights?: Numbers;
  rate?: number;
  epsilon?: number;
  layers?: LayerSpec[];
}

export interface OptimizerSpec {
  type: string;
  learning_rate?: number;
  momentum?: number;
  [parameter: string]: unknown;
}

export interface NetworkSpec {
  inputs: number;
  input_names?: string[];
  class_labels?: string[];
  layers: LayerSpec[];
  loss?: string | { type: string };
  optimizer?: OptimizerSpec;
  schedule?: { type: string; [parameter: string]: unknown };
  regularization?: { l1?: number; l2?: number };
  gradient_clip?: { norm?: number; value?: number };
  seed?: number;
  dtype?: string;
}

type Described = Omit<Schemas['Network'], keyof NetworkSpec | 'last_record'>;
export interface NetworkView extends NetworkSpec, Described {
  last_record?: RunRecord;
}
/** Lists come newest first. */
export interface Networks {
  networks: NetworkView[];
  next_cursor?: string;
}

type Traced =
  | 'input'
  | 'weights'
  | 'bias'
  | 'z'
  | 'h'
  | 'dloss_dh'
  | 'dloss_dz'
  | 'dloss_dweights'
  | 'dloss_dbias'
  | 'weights_next'
  | 'bias_next';
export type TraceLayer = Pick<Schemas['TracedLayer'], 'type' | 'activation'> &
  Record<Traced, Numbers | null> & { dh_dz: Numbers | Numbers[] | null };
export type Trace = Omit<Schemas['Trace'], 'layers' | 'gradient_norm'> & {
  layers: TraceLayer[];
  gradient_norm?: number;
};

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
