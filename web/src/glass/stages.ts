import type { NetworkSpec, Numbers, Trace, TraceLayer } from '../api/types';
import { fixed } from '../math/format';
import {
  activation_formula,
  bold,
  bracket,
  loss_formula,
  lower,
  name,
  number,
  over,
  row,
  sign,
  slope,
  upper,
} from './mathml';

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
  formula: string;
  sheets: Sheet[];
}

const l = (base: string, layer: number) => lower(bold(base), number(String(layer + 1)));
const at = (base: string, r: number, c: number) => lower(name(base), number(`${r + 1},${c + 1}`));

/** Writes sums with numbers put in, at a chosen count of decimals. */
class Writer {
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
    return row(kept.join(sign('+')), sign('='), this.value(result));
  }
}

function forward_stage(layer: TraceLayer, k: number, writer: Writer): Stage {
  const { input, weights, bias, z, h } = layer;
  const title = `${layer.type ?? 'dense'}${layer.activation ? ` · ${layer.activation}` : ''}`;
  if (!input || !h || !weights || !z)
    return {
      layer: k,
      title,
      formula: row(l('H', k), sign('='), name(layer.type ?? 'f'), bracket(l('X', k))),
      sheets: [
        ...(input ? [{ id: 'input', symbol: l('X', k), values: input }] : []),
        ...(h ? [{ id: 'h', symbol: l('H', k), values: h }] : []),
      ],
    };
  const sheets: Sheet[] = [
    { id: 'input', symbol: l('X', k), values: input },
    { id: 'weights', symbol: l('W', k), values: weights },
  ];
  if (bias) sheets.push({ id: 'bias', symbol: l('b', k), values: bias });
  sheets.push({
    id: 'z',
    symbol: l('Z', k),
    values: z,
    explain: (r, c) => ({
      sources: [
        ...input[r].map((_, i) => ({ sheet: 'input', r, c: i })),
        ...weights.map((_, i) => ({ sheet: 'weights', r: i, c })),
        ...(bias ? [{ sheet: 'bias', r: 0, c }] : []),
      ],
      content: row(
        at('z', r, c),
        sign('='),
        writer.products(
          input[r].map((x, i) => [x, weights[i][c]]),
          bias ? bias[0][c] : null,
          z[r][c],
        ),
      ),
    }),
  });
  const softmax = layer.activation === 'softmax';
  sheets.push({
    id: 'h',
    symbol: l('H', k),
    values: h,
    explain: (r, c) => ({
      sources: softmax ? z[r].map((_, i) => ({ sheet: 'z', r, c: i })) : [{ sheet: 'z', r, c }],
      content: softmax
        ? row(
            at('h', r, c),
            sign('='),
            over(
              upper(name('e'), writer.value(z[r][c])),
              z[r].map((value) => upper(name('e'), writer.value(value))).join(sign('+')),
            ),
            sign('='),
            writer.value(h[r][c]),
          )
        : row(
            at('h', r, c),
            sign('='),
            name(layer.activation === 'sigmoid' ? 'σ' : (layer.activation ?? 'f')),
            bracket(writer.value(z[r][c])),
            sign('='),
            writer.value(h[r][c]),
          ),
    }),
  });
  const sum = bias ? row(l('X', k), l('W', k), sign('+'), l('b', k)) : row(l('X', k), l('W', k));
  return {
    layer: k,
    title,
    formula: row(
      l('Z', k),
      sign('='),
      sum,
      sign(','),
      l('H', k),
      sign('='),
      name('f'),
      bracket(l('Z', k)),
      sign(','),
      activation_formula(layer.activation ?? 'linear'),
    ),
    sheets,
  };
}

const loss_name = (spec: NetworkSpec) =>
  typeof spec.loss === 'string' ? spec.loss : (spec.loss?.type ?? '');

function loss_stage(trace: Trace, spec: NetworkSpec, targets: Numbers, writer: Writer): Stage {
  const k = trace.layers.length - 1;
  const last = trace.layers[k];
  const h = last.h!;
  const rows = h.length;
  const kind = loss_name(spec);
  const each = (r: number, c: number): number => {
    const [y, p] = [targets[r][c], h[r][c]];
    if (kind === 'cross_entropy') return y === 0 ? 0 : (-y * Math.log(p)) / rows;
    if (kind === 'binary_cross_entropy')
      return -(y * Math.log(p) + (1 - y) * Math.log(1 - p)) / (rows * h[0].length);
    const d = y - p;
    if (kind === 'half_squared_error') return (d * d) / (2 * rows);
    if (kind === 'mean_squared_error') return (d * d) / (rows * h[0].length);
    return Number.NaN;
  };
  const parts = h.map((values, r) => values.map((_, c) => each(r, c)));
  const known = parts.every((values) => values.every(Number.isFinite));
  const both = (r: number, c: number): Cell[] => [
    { sheet: 'h', r, c },
    { sheet: 'targets', r, c },
  ];
  const sheets: Sheet[] = [
    { id: 'h', symbol: l('H', k), values: h },
    { id: 'targets', symbol: bold('Y'), values: targets },
  ];
  if (known)
    sheets.push({
      id: 'parts',
      symbol: lower(name('L'), name('r,c')),
      values: parts,
      explain: (r, c) => ({
        sources: both(r, c),
        content: row(
          lower(name('L'), number(`${r + 1},${c + 1}`)),
          sign('='),
          kind.endsWith('squared_error')
            ? row(
                over(
                  number('1'),
                  number(String(kind === 'half_squared_error' ? 2 * rows : rows * h[0].length)),
                ),
                upper(bracket(writer.value(targets[r][c]), sign('−'), writer.factor(h[r][c])), number('2')),
              )
            : row(
                over(
                  row(sign('−'), number('1')),
                  number(String(kind === 'cross_entropy' ? rows : rows * h[0].length)),
                ),
                sign('·'),
                writer.value(targets[r][c]),
                sign('·'),
                name('ln'),
                bracket(writer.value(h[r][c])),
              ),
          sign('='),
          writer.value(parts[r][c]),
        ),
      }),
    });
  sheets.push({
    id: 'loss',
    symbol: name('L'),
    values: [[trace.loss]],
    explain: () => ({
      sources: known ? parts.flatMap((values, r) => values.map((_, c) => ({ sheet: 'parts', r, c }))) : [],
      content: row(
        name('L'),
        sign('='),
        writer.value(trace.data_loss),
        sign('+'),
        writer.value(trace.penalty),
        sign('='),
        writer.value(trace.loss),
      ),
    }),
  });
  return { layer: k, title: kind, formula: loss_formula(kind), sheets };
}

function backward_stage(trace: Trace, k: number, targets: Numbers, writer: Writer): Stage {
  const layer = trace.layers[k];
  const next = trace.layers[k + 1];
  const { input, weights, h, dh_dz, dloss_dh, dloss_dz, dloss_dweights, dloss_dbias } = layer;
  const sheets: Sheet[] = [];
  const formulas: string[] = [];
  if (dloss_dh) {
    const from_next = next?.dloss_dz && next.weights;
    if (from_next)
      sheets.push(
        { id: 'next_dz', symbol: slope(l('Z', k + 1)), values: next.dloss_dz! },
        { id: 'next_weights', symbol: l('W', k + 1), values: next.weights! },
      );
    else if (h)
      sheets.push(
        { id: 'h', symbol: l('H', k), values: h },
        { id: 'targets', symbol: bold('Y'), values: targets },
      );
    sheets.push({
      id: 'dloss_dh',
      symbol: slope(l('H', k)),
      values: dloss_dh,
      explain: (r, c) =>
        from_next
          ? {
              sources: next
                .dloss_dz![r].map((_, j): Cell => ({ sheet: 'next_dz', r, c: j }))
                .concat(next.weights![c].map((_, j) => ({ sheet: 'next_weights', r: c, c: j }))),
              content: row(
                slope(at('h', r, c)),
                sign('='),
                writer.products(
                  next.dloss_dz![r].map((d, j) => [d, next.weights![c][j]]),
                  null,
                  dloss_dh[r][c],
                ),
              ),
            }
          : {
              sources: [
                { sheet: 'h', r, c },
                { sheet: 'targets', r, c },
              ],
              content: row(
                slope(at('h', r, c)),
                sign('='),
                name('L′'),
                bracket(writer.value(h![r][c]), sign(','), writer.value(targets[r][c])),
                sign('='),
                writer.value(dloss_dh[r][c]),
              ),
            },
    });
    formulas.push(
      from_next
        ? row(slope(l('H', k)), sign('='), slope(l('Z', k + 1)), upper(l('W', k + 1), name('⊤')))
        : row(slope(l('H', k)), sign('='), name('L′'), bracket(l('H', k), sign(','), bold('Y'))),
    );
  } else if (h && dloss_dz) {
    sheets.push(
      { id: 'h', symbol: l('H', k), values: h },
      { id: 'targets', symbol: bold('Y'), values: targets },
    );
    formulas.push(
      row(
        slope(l('Z', k)),
        sign('='),
        over(number('1'), name('N')),
        bracket(l('H', k), sign('−'), bold('Y')),
      ),
    );
  }
  const elementwise =
    Array.isArray(dh_dz?.[0]) && !Array.isArray((dh_dz as number[][][])[0][0]) ? (dh_dz as Numbers) : null;
  if (elementwise && dloss_dh)
    sheets.push({
      id: 'dh_dz',
      symbol: over(row(sign('∂'), l('H', k)), row(sign('∂'), l('Z', k))),
      values: elementwise,
    });
  if (dloss_dz)
    sheets.push({
      id: 'dloss_dz',
      symbol: slope(l('Z', k)),
      values: dloss_dz,
      explain: (r, c) =>
        dloss_dh && elementwise
          ? {
              sources: [
                { sheet: 'dloss_dh', r, c },
                { sheet: 'dh_dz', r, c },
              ],
              content: row(
                slope(at('z', r, c)),
                sign('='),
                writer.products([[dloss_dh[r][c], elementwise[r][c]]], null, dloss_dz[r][c]),
              ),
            }
          : {
              sources: [
                { sheet: 'h', r, c },
                { sheet: 'targets', r, c },
              ],
              content: row(
                slope(at('z', r, c)),
                sign('='),
                over(number('1'), number(String(dloss_dz.length))),
                bracket(writer.value(h?.[r]?.[c] ?? 0), sign('−'), writer.factor(targets[r]?.[c] ?? 0)),
                sign('='),
                writer.value(dloss_dz[r][c]),
              ),
            },
    });
  if (dloss_dh && elementwise)
    formulas.push(
      row(
        slope(l('Z', k)),
        sign('='),
        slope(l('H', k)),
        sign('⊙'),
        over(row(sign('∂'), l('H', k)), row(sign('∂'), l('Z', k))),
      ),
    );
  if (dloss_dweights && dloss_dz && input && weights) {
    sheets.push({ id: 'input', symbol: l('X', k), values: input });
    sheets.push({
      id: 'dloss_dweights',
      symbol: slope(l('W', k)),
      values: dloss_dweights,
      explain: (r, c) => {
        const pairs = input.map((values, b): [number, number] => [values[r], dloss_dz[b][c]]);
        const penalty = dloss_dweights[r][c] - pairs.reduce((sum, [a, b]) => sum + a * b, 0);
        const significant = Math.abs(penalty) > 1e-7 * Math.max(1e-3, Math.abs(dloss_dweights[r][c]));
        return {
          sources: input
            .map((_, b): Cell => ({ sheet: 'input', r: b, c: r }))
            .concat(dloss_dz.map((_, b) => ({ sheet: 'dloss_dz', r: b, c }))),
          content: row(
            slope(at('w', r, c)),
            sign('='),
            writer.products(pairs, significant ? penalty : null, dloss_dweights[r][c]),
          ),
        };
      },
    });
    formulas.push(row(slope(l('W', k)), sign('='), upper(l('X', k), name('⊤')), slope(l('Z', k))));
    if (dloss_dbias)
      sheets.push({
        id: 'dloss_dbias',
        symbol: slope(l('b', k)),
        values: dloss_dbias,
        explain: (_, c) => ({
          sources: dloss_dz.map((__, b) => ({ sheet: 'dloss_dz', r: b, c })),
          content: row(
            slope(lower(name('b'), number(String(c + 1)))),
            sign('='),
            dloss_dz.map((values) => writer.factor(values[c])).join(sign('+')),
            sign('='),
            writer.value(dloss_dbias[0][c]),
          ),
        }),
      });
  }
  return {
    layer: k,
    title: `${layer.type ?? 'dense'}${layer.activation ? ` · ${layer.activation}` : ''}`,
    formula: formulas.join(sign(',')),
    sheets,
  };
}

function update_stage(trace: Trace, k: number, spec: NetworkSpec, writer: Writer): Stage | null {
  const { weights, weights_next, dloss_dweights, bias, bias_next, dloss_dbias } = trace.layers[k];
  if (!weights || !weights_next || !dloss_dweights) return null;
  const rate = trace.learning_rate ?? spec.optimizer?.learning_rate ?? 0;
  const optimizer = spec.optimizer?.type ?? 'adam';
  const plain =
    optimizer === 'sgd' &&
    !spec.optimizer?.momentum &&
    !(spec.gradient_clip?.norm || spec.gradient_clip?.value);
  const updated = (
    id: string,
    symbol: string,
    letter: string,
    from: Numbers,
    slopes: Numbers,
    to: Numbers,
  ): Sheet[] => [
    { id, symbol, values: from },
    { id: `dloss_d${id}`, symbol: slope(symbol), values: slopes },
    {
      id: `${id}_next`,
      symbol: upper(symbol, sign('′')),
      values: to,
      explain: (r, c) => ({
        sources: [
          { sheet: id, r, c },
          { sheet: `dloss_d${id}`, r, c },
        ],
        content: plain
          ? row(
              upper(at(letter, r, c), sign('′')),
              sign('='),
              writer.value(from[r][c]),
              sign('−'),
              number(String(rate)),
              sign('·'),
              writer.factor(slopes[r][c]),
              sign('='),
              writer.value(to[r][c]),
            )
          : row(
              upper(at(letter, r, c), sign('′')),
              sign('='),
              writer.value(from[r][c]),
              sign('+'),
              bracket(writer.value(to[r][c] - from[r][c])),
              sign('='),
              writer.value(to[r][c]),
            ),
      }),
    },
  ];
  const sheets = updated('weights', l('W', k), 'w', weights, dloss_dweights, weights_next);
  if (bias && bias_next && dloss_dbias)
    sheets.push(...updated('bias', l('b', k), 'b', bias, dloss_dbias, bias_next));
  const formula = plain
    ? row(
        upper(l('W', k), sign('′')),
        sign('='),
        l('W', k),
        sign('−'),
        name('η'),
        slope(l('W', k)),
        sign(','),
        name('η'),
        sign('='),
        number(String(rate)),
      )
    : row(
        upper(l('W', k), sign('′')),
        sign('='),
        l('W', k),
        sign('+'),
        name(optimizer),
        bracket(slope(l('W', k)), sign(','), name('η'), sign('='), number(String(rate))),
      );
  return { layer: k, title: optimizer, formula, sheets };
}

/** What there is to see in each phase of one training step. */
export function stages_of(
  trace: Trace,
  spec: NetworkSpec,
  targets: Numbers,
  decimals: number,
): Record<Phase, Stage[]> {
  const writer = new Writer(decimals);
  const indices = trace.layers.map((_, k) => k);
  return {
    forward: indices.map((k) => forward_stage(trace.layers[k], k, writer)),
    loss: [loss_stage(trace, spec, targets, writer)],
    backward: [...indices].reverse().map((k) => backward_stage(trace, k, targets, writer)),
    update: indices.map((k) => update_stage(trace, k, spec, writer)).filter((stage) => stage !== null),
  };
}

/** A computed number and where it stands, in the order in which a step makes them. */
export interface Spot {
  phase: Phase;
  stage: number;
  cell: Cell;
}

export function walk_of(stages: Record<Phase, Stage[]>): Spot[] {
  const spots: Spot[] = [];
  for (const phase of kPhases)
    stages[phase].forEach((stage, index) => {
      for (const sheet of stage.sheets)
        if (sheet.explain)
          sheet.values.forEach((values, r) => {
            for (let c = 0; c < values.length; c++)
              spots.push({ phase, stage: index, cell: { sheet: sheet.id, r, c } });
          });
    });
  return spots;
}
