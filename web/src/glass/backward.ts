import type { Numbers, Trace } from '../api/types';
import { bold, bracket, lower, name, number, over, row, sign, slope } from './mathml';
import { at, type Cell, l, type Sheet, type Stage, transposed, type Writer } from './stage';

/** One layer's part of the way back: from the slopes of what it gave to those of its parameters. */
export function backward_stage(trace: Trace, k: number, targets: Numbers, writer: Writer): Stage {
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
        ? row(slope(l('H', k)), sign('='), slope(l('Z', k + 1)), transposed('W', k + 1))
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
    formulas.push(row(slope(l('W', k)), sign('='), transposed('X', k), slope(l('Z', k))));
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
    formulas,
    sheets,
  };
}
