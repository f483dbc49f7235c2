import type { NetworkSpec, Numbers, Trace, TraceLayer } from '../api/types';
import { backward_stage } from './backward';
import {
  activation_formula,
  bold,
  bracket,
  loss_formula,
  lower,
  name,
  number,
  over,
  primed,
  row,
  sign,
  slope,
  upper,
} from './mathml';
import { at, type Cell, kPhases, l, type Phase, type Sheet, type Stage, Writer } from './stage';

function forward_stage(layer: TraceLayer, k: number, writer: Writer): Stage {
  const { input, weights, bias, z, h } = layer;
  const title = `${layer.type ?? 'dense'}${layer.activation ? ` · ${layer.activation}` : ''}`;
  if (!input || !h || !weights || !z)
    return {
      layer: k,
      title,
      formulas: [row(l('H', k), sign('='), name(layer.type ?? 'f'), bracket(l('X', k)))],
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
    formulas: [
      row(l('Z', k), sign('='), sum),
      row(l('H', k), sign('='), name('f'), bracket(l('Z', k))),
      activation_formula(layer.activation ?? 'linear'),
    ],
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
  return { layer: k, title: kind, formulas: [loss_formula(kind)], sheets };
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
  const next = (letter: string) => lower(primed(bold(letter)), number(String(k + 1)));
  const updated = (
    id: string,
    capital: string,
    letter: string,
    from: Numbers,
    slopes: Numbers,
    to: Numbers,
  ): Sheet[] => [
    { id, symbol: l(capital, k), values: from },
    { id: `dloss_d${id}`, symbol: slope(l(capital, k)), values: slopes },
    {
      id: `${id}_next`,
      symbol: next(capital),
      values: to,
      explain: (r, c) => ({
        sources: [
          { sheet: id, r, c },
          { sheet: `dloss_d${id}`, r, c },
        ],
        content: plain
          ? row(
              lower(primed(name(letter)), number(`${r + 1},${c + 1}`)),
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
              lower(primed(name(letter)), number(`${r + 1},${c + 1}`)),
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
  const sheets = updated('weights', 'W', 'w', weights, dloss_dweights, weights_next);
  if (bias && bias_next && dloss_dbias)
    sheets.push(...updated('bias', 'b', 'b', bias, dloss_dbias, bias_next));
  const formulas = [
    plain
      ? row(next('W'), sign('='), l('W', k), sign('−'), name('η'), slope(l('W', k)))
      : row(
          next('W'),
          sign('='),
          l('W', k),
          sign('+'),
          name(optimizer),
          bracket(slope(l('W', k)), sign(','), name('η')),
        ),
    row(name('η'), sign('='), number(String(rate))),
  ];
  return { layer: k, title: optimizer, formulas, sheets };
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
