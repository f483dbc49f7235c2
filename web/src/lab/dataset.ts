import { ApiError, act, call, get } from '../api/client';
import type { DatasetView, NetworkView } from '../api/types';
import type { Point } from '../figures/points';
import type { Parameters } from '../math/forward';
import type { Plane } from '../math/projection';
import { place_in } from '../math/projection';
import type { Surface } from '../math/surface';

/** Rows to look at and to train on. Targets: a class for each row, or a value. */
export interface Rows {
  name: string;
  columns: string[];
  inputs: number[][];
  targets: number[];
  /** Labels of the classes, null where targets are values. */
  classes: string[] | null;
}

/** The data sets that the Lab offers; each becomes a data set of the server when it is first chosen. */
export const kBuiltIn = {
  'article-xor': null,
  'lab-circles': { generator: 'circles', rows: 300, noise: 0.08, seed: 1 },
  'lab-moons': { generator: 'moons', rows: 300, noise: 0.1, seed: 1 },
  'lab-spirals': { generator: 'spirals', rows: 300, noise: 0.05, seed: 1 },
  'lab-blobs': { generator: 'blobs', rows: 300, noise: 0.5, seed: 1 },
  'lab-checkerboard': { generator: 'checkerboard', rows: 400, noise: 0, seed: 1 },
  'lab-plane': { generator: 'plane', rows: 300, noise: 0.05, seed: 1 },
} as const;
/**
 * Raw inputs (row by row) as a network's preprocessing scales them; null where it also encodes categories, which a plane
 * of numbers can't show.
 */
export function scaled_inputs(view: NetworkView | null, inputs: Float64Array): Float64Array | null {
  const columns = view?.preprocess?.columns;
  if (!columns) return inputs;
  if (columns.some((column) => column.type !== 'number')) return null;
  return inputs.map((value, k) => {
    const { offset = 0, scale = 1 } = columns[k % columns.length];
    return (value - offset) / scale;
  });
}

/** What stands in for a built-in data set on a server that has no data sets. */
export const generator_of = (name: string | null) =>
  (name !== null && is_built_in(name) ? kBuiltIn[name] : null) ?? { generator: 'xor', rows: 300, seed: 0 };

export type BuiltIn = keyof typeof kBuiltIn;
export const is_built_in = (name: string): name is BuiltIn => name in kBuiltIn;

/** Networks that train on the article's points without naming a data set: the demonstration, and recipes. */
const on_articles_points = (view: NetworkView) =>
  view.inputs === 2 && (view.name === 'demo' || view.labels?.recipe !== undefined);

/** The data set that a network is about, as far as it says: its label, or what it trained on. */
export const dataset_of = (view: NetworkView): string | null =>
  view.labels?.dataset ?? view.datasets?.at(-1) ?? (on_articles_points(view) ? 'article-xor' : null);

type Row = Record<string, number | string | null>;

/** The server's rows as numbers; columns that are no numbers can't be shown in a plane and are left out. */
export function rows_of(dataset: DatasetView, rows: Row[]): Rows {
  const target = dataset.columns.find((column) => column.name === dataset.target);
  const inputs = dataset.columns
    .filter((column) => column !== target && column.type === 'number')
    .map((column) => column.name);
  const values = rows.map((row) => row[dataset.target]);
  const regression = target?.type === 'number';
  const classes = regression
    ? null
    : [...new Set(values.map(String))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return {
    name: dataset.name,
    columns: inputs,
    inputs: rows.map((row) => inputs.map((name) => Number(row[name] ?? 0))),
    targets: values.map((value) => (classes ? classes.indexOf(String(value)) : Number(value))),
    classes,
  };
}

const kRowsMax = 1000;
const known = new Map<string, Rows>();

/** Reads a data set's rows; a built-in one is made on the server first where it isn't there yet. */
export async function load_rows(name: string): Promise<Rows> {
  const cached = known.get(name);
  if (cached) return cached;
  const path = `/v1/datasets/${encodeURIComponent(name)}`;
  const read = () => get<DatasetView>(path);
  let dataset: DatasetView;
  try {
    dataset = await read();
  } catch (error) {
    const made = is_built_in(name) ? kBuiltIn[name] : null;
    if (!(error instanceof ApiError) || error.status !== 404 || !made) throw error;
    await act('POST', '/v1/datasets', { name, ...made }).catch((fault) => {
      if (!(fault instanceof ApiError && fault.status === 409)) throw fault;
    });
    dataset = await read();
  }
  const rows = rows_of(dataset, (await get<{ rows: Row[] }>(`${path}/rows`, { limit: kRowsMax })).rows);
  known.set(name, rows);
  return rows;
}

/** Keeps rows that a person drew as a data set of the server. */
export async function save_rows(rows: Rows): Promise<void> {
  const lines = rows.inputs.map((row, k) =>
    JSON.stringify({
      ...Object.fromEntries(row.map((value, j) => [rows.columns[j], value])),
      target: rows.classes ? rows.classes[rows.targets[k]] : rows.targets[k],
    }),
  );
  await call('POST', '/v1/datasets', {
    query: { name: rows.name, target: 'target' },
    body: `${lines.join('\n')}\n`,
    content_type: 'application/x-ndjson',
    action: true,
  });
  known.set(rows.name, rows);
}

/** How a network's outputs over a plane are read, by what its last layer gives and by what the rows' targets are. */
export function surface_of(
  parameters: Parameters,
  outputs: ArrayLike<number>,
  size: number,
  rows: Rows | null,
): Surface {
  const last = parameters.bricks[parameters.bricks.length - 1];
  const kind = last.kind === 'dense' ? last.activation : 'linear';
  const is_share = kind === 'sigmoid' && last.units === 1;
  const reach = rows && !rows.classes ? Math.max(1e-9, ...rows.targets.map(Math.abs)) : 1;
  return {
    size,
    outputs,
    width: last.units,
    classes: rows ? rows.classes !== null : kind === 'softmax' || last.units > 1,
    middle: is_share ? 0.5 : 0,
    reach: is_share ? 0.5 : reach,
  };
}

export function points_of(rows: Rows, plane: Plane): Point[] {
  const reach = Math.max(1e-9, ...rows.targets.map(Math.abs));
  return rows.inputs.map((row, k) => {
    const [x, y] = place_in(plane, row);
    return {
      x,
      y,
      row: k,
      label: rows.classes ? rows.targets[k] : null,
      value: rows.classes ? 0 : rows.targets[k] / reach,
    };
  });
}
