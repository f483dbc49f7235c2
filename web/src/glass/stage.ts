import type { Numbers } from '../api/types';
import { fixed } from '../math/format';
import { bold, both, bracket, lower, name, number, row, sign } from './mathml';

export const kPhases = ['forward', 'loss', 'backward', 'update'] as const;
export type Phase = (typeof kPhases)[number];

/** A place in a matrix of a stage. */
export interface Cell {
  sheet: string;
  r: number;
  c: number;
}

/** Where a number comes from: the cells that it is made of, and the sum with those numbers put in (MathML). */
export interface Explanation {
  sources: Cell[];
  content: string;
}

export interface Sheet {
  id: string;
  symbol: string;
  values: Numbers;
  explain?: (r: number, c: number) => Explanation;
}

/** One layer's part of a phase. */
export interface Stage {
  layer: number;
  title: string;
  formulas: string[];
  sheets: Sheet[];
}

/** A matrix of a layer, and an entry of one. */
export const l = (base: string, layer: number) => lower(bold(base), number(String(layer + 1)));
export const transposed = (base: string, layer: number) =>
  both(bold(base), number(String(layer + 1)), bold('T'));
export const at = (base: string, r: number, c: number) => lower(name(base), number(`${r + 1},${c + 1}`));

/** Writes sums with numbers put in, at a chosen count of decimals. */
export class Writer {
  constructor(private readonly decimals: number) {}
  value = (x: number) => number(fixed(x, this.decimals));
  factor = (x: number) => (x < 0 ? bracket(this.value(x)) : this.value(x));
  /** a·b + a·b + … (+ last) = result; long sums keep their beginning and their end. */
  products(pairs: [number, number][], last: number | null, result: number): string {
    const kShown = 6;
    const terms = pairs.map(([a, b]) => row(this.factor(a), sign('·'), this.factor(b)));
    const kept =
      terms.length > kShown ? [...terms.slice(0, kShown - 2), sign('⋯'), terms[terms.length - 1]] : terms;
    if (last !== null) kept.push(this.factor(last));
    return kept.join(sign('+')) + sign('=') + this.value(result);
  }
}
