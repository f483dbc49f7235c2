export type Segment = [number, number, number, number];

/**
 * Where a surface crosses a level (marching squares, straight between the grid's points). `values` holds
 * `columns` × `rows` numbers, row by row; the answer is in units of the grid.
 */
export function contour(values: ArrayLike<number>, columns: number, rows: number, level: number): Segment[] {
  const segments: Segment[] = [];
  for (let y = 0; y + 1 < rows; y++)
    for (let x = 0; x + 1 < columns; x++) {
      const a = values[y * columns + x] - level;
      const b = values[y * columns + x + 1] - level;
      const c = values[(y + 1) * columns + x + 1] - level;
      const d = values[(y + 1) * columns + x] - level;
      const points: [number, number][] = [];
      if (a > 0 !== b > 0) points.push([x + a / (a - b), y]);
      if (b > 0 !== c > 0) points.push([x + 1, y + b / (b - c)]);
      if (c > 0 !== d > 0) points.push([x + d / (d - c), y + 1]);
      if (d > 0 !== a > 0) points.push([x, y + a / (a - d)]);
      for (let i = 0; i + 1 < points.length; i += 2) segments.push([...points[i], ...points[i + 1]]);
    }
  return segments;
}

/** The segments as one SVG path, chained where they touch, so that it is drawn without gaps. */
export function contour_path(segments: Segment[], place: (x: number, y: number) => [number, number]): string {
  let path = '';
  let last = '';
  for (const [x1, y1, x2, y2] of segments) {
    const [ax, ay] = place(x1, y1).map((v) => v.toFixed(1));
    const [bx, by] = place(x2, y2).map((v) => v.toFixed(1));
    path += last === `${ax} ${ay}` ? `L${bx} ${by}` : `M${ax} ${ay}L${bx} ${by}`;
    last = `${bx} ${by}`;
  }
  return path;
}
