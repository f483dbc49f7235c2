import { ApiError, act, call, get } from '../api/client';
import type { Point } from '../figures/points';
import type { Plane } from '../math/projection';
import { place_in } from '../math/projection';

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
export type BuiltIn = keyof typeof kBuiltIn;
export const is_built_in = (name: string): name is BuiltIn => name in kBuiltIn;

interface RowsAnswer {
  columns?: (string | { name: string; role?: string; type?: string })[];
  target?: string | null;
  rows?: (Record<string, unknown> | unknown[])[];
  inputs?: number[][];
  targets?: (number | number[])[];
  class_labels?: string[];
}

const argmax = (row: number[]) => row.indexOf(Math.max(...row));

/** The server's rows as numbers: the last column (or the named target) is the target. */
export function rows_of(name: string, answer: RowsAnswer): Rows {
  if (answer.inputs && answer.targets) {
    const one_hot = Array.isArray(answer.targets[0]) && (answer.targets[0] as number[]).length > 1;
    const targets = answer.targets.map((target) => (Array.isArray(target) ? (one_hot ? argmax(target) : target[0]) : target));
    const whole = targets.every((value) => Number.isInteger(value) && value >= 0 && value < 64);
    const classes = one_hot || whole ? (answer.class_labels ?? [...new Set(targets)].sort((a, b) => a - b).map(String)) : null;
    return { name, columns: answer.inputs[0]?.map((_, j) => `x${j + 1}`) ?? [], inputs: answer.inputs, targets, classes };
  }
  const rows = answer.rows ?? [];
  const names = (answer.columns ?? []).map((column) => (typeof column === 'string' ? column : column.name));
  const keys = names.length ? names : Object.keys(rows[0] ?? {});
  const value = (row: Record<string, unknown> | unknown[], j: number) => (Array.isArray(row) ? row[j] : row[keys[j]]);
  const target = answer.target ? keys.indexOf(answer.target) : keys.length - 1;
  const numeric = keys.map((_, j) => j).filter((j) => j !== target && rows.every((row) => typeof value(row, j) === 'number'));
  const raw = rows.map((row) => value(row, target));
  const values = raw.every((one) => typeof one === 'number') && new Set(raw).size > 12;
  const labels = values ? null : [...new Set(raw.map(String))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return {
    name,
    columns: numeric.map((j) => keys[j]),
    inputs: rows.map((row) => numeric.map((j) => value(row, j) as number)),
    targets: raw.map((one) => (labels ? labels.indexOf(String(one)) : (one as number))),
    classes: labels,
  };
}

const kRowsMax = 1000;
const known = new Map<string, Rows>();

/** Reads a data set's rows; a built-in one is made on the server first where it isn't there yet. */
export async function load_rows(name: string): Promise<Rows> {
  const cached = known.get(name);
  if (cached) return cached;
  const path = `/v1/datasets/${encodeURIComponent(name)}`;
  const read = () => get<RowsAnswer>(`${path}/rows`, { limit: kRowsMax });
  let answer: RowsAnswer;
  try {
    answer = await read();
  } catch (error) {
    const made = is_built_in(name) ? kBuiltIn[name] : null;
    if (!(error instanceof ApiError) || error.status !== 404 || !made) throw error;
    await act('POST', '/v1/datasets', { name, ...made }).catch((fault) => {
      if (!(fault instanceof ApiError && fault.status === 409)) throw fault;
    });
    answer = await read();
  }
  const rows = rows_of(name, answer);
  known.set(name, rows);
  return rows;
}

/** Keeps rows that a person drew as a data set of the server. */
export async function save_rows(rows: Rows): Promise<void> {
  const lines = rows.inputs.map((row, k) => JSON.stringify({ ...Object.fromEntries(row.map((value, j) => [rows.columns[j], value])), target: rows.classes ? rows.classes[rows.targets[k]] : rows.targets[k] }));
  await call('POST', '/v1/datasets', {
    query: { name: rows.name, target: 'target' },
    body: `${lines.join('\n')}\n`,
    content_type: 'application/x-ndjson',
    action: true,
  });
  known.set(rows.name, rows);
}

export function points_of(rows: Rows, plane: Plane): Point[] {
  const reach = Math.max(1e-9, ...rows.targets.map(Math.abs));
  return rows.inputs.map((row, k) => {
    const [x, y] = place_in(plane, row);
    return { x, y, row: k, label: rows.classes ? rows.targets[k] : null, value: rows.classes ? 0 : rows.targets[k] / reach };
  });
}
