import { short } from '../math/format';
import type { Palette } from '../math/palette';
import { svg_text, text_width } from './svg';

export interface Series {
  name: string;
  colour: string;
  x: ArrayLike<number>;
  y: ArrayLike<number | null>;
  dashed?: boolean;
}

export interface ChartOptions {
  width: number;
  height: number;
  palette: Palette;
  /** Powers of ten up the side. */
  logarithmic?: boolean;
  y_range?: [number, number];
  x_range?: [number, number];
  x_title?: string;
  y_title?: string;
  legend?: boolean;
}

/** Where a chart's numbers stand in its picture. */
export interface Scale {
  left: number;
  right: number;
  top: number;
  bottom: number;
  x: (value: number) => number;
  y: (value: number) => number;
  x_at: (pixel: number) => number;
}

const kMargin = { left: 44, right: 10, top: 10, bottom: 24 };

/** Round numbers over a range, at most `count` + 1 of them. */
export function ticks(low: number, high: number, count: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((k) => k * power).find((candidate) => candidate >= rough * 0.999) ?? rough;
  const found: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++)
    found.push(Number((k * step).toPrecision(12)));
  return found;
}

function log_ticks(low: number, high: number): number[] {
  const found: number[] = [];
  const every = Math.max(1, Math.ceil((Math.log10(high) - Math.log10(low)) / 5));
  for (let k = Math.floor(Math.log10(low)); k <= Math.ceil(Math.log10(high)); k += every)
    if (10 ** k >= low * 0.999 && 10 ** k <= high * 1.001) found.push(10 ** k);
  return found.length >= 2 ? found : ticks(low, high, 4).filter((value) => value > 0);
}

function extent(series: Series[], axis: 'x' | 'y', positive: boolean): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const one of series)
    for (let i = 0; i < one[axis].length; i++) {
      const value = one[axis][i];
      if (value === null || !Number.isFinite(value) || (positive && value <= 0)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return low <= high ? [low, high] : positive ? [0.1, 1] : [0, 1];
}

export function scale_of(
  series: Series[],
  options: ChartOptions,
): Scale & { low: number; high: number; from: number; to: number } {
  const { width, height, logarithmic } = options;
  let [low, high] = options.y_range ?? extent(series, 'y', logarithmic ?? false);
  if (!options.y_range && logarithmic) {
    low /= 1.15;
    high *= 1.15;
    if (high / low < 3) [low, high] = [Math.sqrt(low * high) / 1.8, Math.sqrt(low * high) * 1.8];
  } else if (!options.y_range) {
    const room = (high - low || Math.abs(high) || 1) * 0.06;
    low -= room;
    high += room;
  }
  let [from, to] = options.x_range ?? extent(series, 'x', false);
  if (to <= from) to = from + 1;
  const left = kMargin.left;
  const right = width - kMargin.right;
  const top = kMargin.top + (options.legend ? 16 : 0);
  const bottom = height - kMargin.bottom - (options.x_title ? 14 : 0);
  /** What is past a given range is drawn at its edge. */
  const held = (value: number) => (options.y_range ? Math.min(Math.max(value, low), high) : value);
  const up = (value: number) => (logarithmic ? Math.log10(Math.max(held(value), low)) : held(value));
  const [y_low, y_high] = [up(low), up(high)];
  return {
    left,
    right,
    top,
    bottom,
    low,
    high,
    from,
    to,
    x: (value) => left + ((value - from) / (to - from)) * (right - left),
    y: (value) => bottom - ((up(value) - y_low) / (y_high - y_low)) * (bottom - top),
    x_at: (pixel) => from + ((pixel - left) / (right - left)) * (to - from),
  };
}

function line(one: Series, scale: Scale): string {
  let path = '';
  let dots = '';
  let pen_down = false;
  const absent = (i: number) => !Number.isFinite(one.y[i] ?? Number.NaN);
  for (let i = 0; i < one.x.length; i++) {
    const value = one.y[i];
    if (value === null || !Number.isFinite(value)) {
      pen_down = false;
      continue;
    }
    if (!pen_down && absent(i + 1))
      dots += `<circle cx="${scale.x(one.x[i]).toFixed(1)}" cy="${scale.y(value).toFixed(1)}" r="2.5" fill="${one.colour}"/>`;
    path += `${pen_down ? 'L' : 'M'}${scale.x(one.x[i]).toFixed(1)} ${scale.y(value).toFixed(1)}`;
    pen_down = true;
  }
  const dashes = one.dashed ? ' stroke-dasharray="4 3"' : '';
  return `<path d="${path}" fill="none" stroke="${one.colour}" stroke-width="1.8" stroke-linejoin="round"${dashes}/>${dots}`;
}

function legend(series: Series[], options: ChartOptions, scale: Scale): string {
  let x = scale.left;
  return series
    .map((one) => {
      const dashes = one.dashed ? ' stroke-dasharray="4 3"' : '';
      const entry =
        `<line x1="${x}" x2="${x + 14}" y1="10" y2="10" stroke="${one.colour}" stroke-width="2.4"${dashes}/>` +
        svg_text(x + 18, 14, one.name, { fill: options.palette.ink_soft });
      x += 30 + text_width(one.name);
      return entry;
    })
    .join('');
}

/** A line chart as the content of an SVG of the options' size: grid, numbers, lines, and a legend where wanted. */
export function render_chart(series: Series[], options: ChartOptions): string {
  const { palette, height, width } = options;
  const scale = scale_of(series, options);
  const parts: string[] = [];
  const rows = options.logarithmic
    ? log_ticks(scale.low, scale.high)
    : ticks(scale.low, scale.high, height < 120 ? 2 : 4);
  for (const value of rows) {
    const y = scale.y(value);
    parts.push(
      `<line x1="${scale.left}" x2="${scale.right}" y1="${y.toFixed(1)}" y2="${y.toFixed(1)}" stroke="${palette.line}"/>`,
    );
    parts.push(svg_text(scale.left - 6, y + 4, short(value), { fill: palette.ink_soft, anchor: 'end' }));
  }
  // The last recorded step is often just short of a round one, which is worth its number all the same.
  const beyond = (scale.to - scale.from) / 100;
  for (const value of ticks(scale.from, scale.to + beyond, width < 300 ? 3 : 5)) {
    const text = short(value, 4);
    const x = Math.min(scale.x(value), width - text_width(text) / 2);
    parts.push(svg_text(x, scale.bottom + 16, text, { fill: palette.ink_soft, anchor: 'middle' }));
  }
  for (const one of series) parts.push(line(one, scale));
  if (options.x_title)
    parts.push(
      svg_text((scale.left + scale.right) / 2, height - 4, options.x_title, {
        fill: palette.ink_soft,
        anchor: 'middle',
      }),
    );
  if (options.legend) parts.push(legend(series, options, scale));
  return parts.join('');
}

/** The numbers behind a chart: a row for each place along it. */
export function chart_rows(
  series: Series[],
  x_name: string,
): { header: string[]; rows: (number | null)[][] } {
  const places = new Map<number, (number | null)[]>();
  series.forEach((one, k) => {
    for (let i = 0; i < one.x.length; i++) {
      const row = places.get(one.x[i]) ?? new Array(series.length).fill(null);
      row[k] = one.y[i];
      places.set(one.x[i], row);
    }
  });
  const sorted = [...places.keys()].sort((a, b) => a - b);
  return {
    header: [x_name, ...series.map((one) => one.name)],
    rows: sorted.map((x) => [x, ...places.get(x)!]),
  };
}

export function csv_of(header: string[], rows: (number | string | null)[][]): string {
  const cell = (value: number | string | null) =>
    value === null
      ? ''
      : typeof value === 'number'
        ? String(value)
        : /[",\n]/.test(value)
          ? `"${value.replaceAll('"', '""')}"`
          : value;
  return `${[header, ...rows].map((row) => row.map(cell).join(',')).join('\n')}\n`;
}
