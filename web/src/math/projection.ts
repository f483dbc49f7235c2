/** A plane in the space of the inputs: `origin + u·first + v·second`. */
export interface Plane {
  origin: number[];
  first: number[];
  second: number[];
}

export function mean_of(rows: number[][], columns: number): number[] {
  const mean = new Array(columns).fill(0);
  for (const row of rows) for (let j = 0; j < columns; j++) mean[j] += row[j] / rows.length;
  return mean;
}

/** Two of the inputs, the others held at their mean. */
export function axis_plane(rows: number[][], columns: number, x: number, y: number): Plane {
  const origin = mean_of(rows, columns).map((value, j) => (j === x || j === y ? 0 : value));
  const axis = (k: number) => origin.map((_, j) => (j === k ? 1 : 0));
  return { origin, first: axis(x), second: axis(y) };
}

const dot = (a: number[], b: number[]) => a.reduce((sum, value, j) => sum + value * b[j], 0);

function normalized(vector: number[]): number[] | null {
  const length = Math.sqrt(dot(vector, vector));
  return length < 1e-9 ? null : vector.map((value) => value / length);
}

const without = (vector: number[], direction: number[] | null) =>
  direction ? vector.map((value, j) => value - dot(vector, direction) * direction[j]) : vector;

/** The direction of largest variance at right angles to another one; any such direction where nothing varies. */
function leading_direction(covariance: number[][], orthogonal_to: number[] | null): number[] {
  const axes = covariance.map((_, k) => covariance.map((__, j) => (j === k ? 1 : 0)));
  const free = axes.map((axis) => without(axis, orthogonal_to)).sort((a, b) => dot(b, b) - dot(a, a))[0];
  const start = axes.map((_, j) => 1 / (j + 1.5));
  let direction = normalized(without(start, orthogonal_to)) ?? normalized(free) ?? axes[0];
  for (let round = 0; round < 200; round++) {
    const next = normalized(
      without(
        covariance.map((row) => dot(row, direction)),
        orthogonal_to,
      ),
    );
    if (!next) return normalized(free) ?? axes[0];
    direction = next;
  }
  const largest = direction.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
  return largest < 0 ? direction.map((value) => -value) : direction;
}

/** With more inputs than this, any two of them tell little: principal components are shown where nothing else is asked for. */
export const kPlainInputsMax = 8;

/** The plane in which the rows vary most (principal components by power iteration). */
export function principal_plane(rows: number[][], columns: number): Plane {
  const origin = mean_of(rows, columns);
  const covariance = Array.from({ length: columns }, () => new Array(columns).fill(0));
  for (const row of rows)
    for (let i = 0; i < columns; i++)
      for (let j = 0; j < columns; j++)
        covariance[i][j] += ((row[i] - origin[i]) * (row[j] - origin[j])) / rows.length;
  const first = leading_direction(covariance, null);
  return { origin, first, second: leading_direction(covariance, first) };
}

/** Where a row stands in a plane with orthonormal directions. */
export function place_in(plane: Plane, row: number[]): [number, number] {
  const offset = row.map((value, j) => value - plane.origin[j]);
  return [dot(offset, plane.first), dot(offset, plane.second)];
}

export interface Window {
  x0: number;
  x1: number;
  y0: number;
  y1: number;
}

/** A window around all points with a margin; square in units where both axes are alike. */
export function window_around(points: [number, number][], margin = 0.08): Window {
  if (points.length === 0) return { x0: -1, x1: 1, y0: -1, y1: 1 };
  const span = (k: 0 | 1): [number, number] => {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const point of points) {
      low = Math.min(low, point[k]);
      high = Math.max(high, point[k]);
    }
    const room = (high - low || 1) * margin;
    return [low - room, high + room];
  };
  const [x0, x1] = span(0);
  const [y0, y1] = span(1);
  const ratio = (x1 - x0) / (y1 - y0);
  if (ratio < 0.5 || ratio > 2) return { x0, x1, y0, y1 };
  const half = Math.max(x1 - x0, y1 - y0) / 2;
  const [cx, cy] = [(x0 + x1) / 2, (y0 + y1) / 2];
  return { x0: cx - half, x1: cx + half, y0: cy - half, y1: cy + half };
}

/** The inputs at every point of a grid over a window; rows of the picture from top (largest second) to bottom. */
export function grid_inputs(plane: Plane, window: Window, size: number): Float64Array {
  const columns = plane.origin.length;
  const inputs = new Float64Array(size * size * columns);
  for (let row = 0; row < size; row++)
    for (let column = 0; column < size; column++) {
      const u = window.x0 + ((window.x1 - window.x0) * column) / (size - 1);
      const v = window.y1 - ((window.y1 - window.y0) * row) / (size - 1);
      const start = (row * size + column) * columns;
      for (let j = 0; j < columns; j++)
        inputs[start + j] = plane.origin[j] + u * plane.first[j] + v * plane.second[j];
    }
  return inputs;
}
