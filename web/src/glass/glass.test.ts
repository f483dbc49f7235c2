import { describe, expect, test } from 'vitest';
import golden from '../../../tests/golden/article_step.json';
import type { Trace } from '../api/types';
import { article_rows, article_spec } from './article';
import { bracket, name, number, over, pieces, row, sign } from './mathml';
import { stages_of, walk_of } from './stages';

const exact = golden.float64;
const scale = (rows: number[][], factor: number) => rows.map((row) => row.map((value) => value * factor));
const trace: Trace = {
  step: 0,
  loss: exact.loss,
  data_loss: exact.loss,
  penalty: 0,
  learning_rate: golden.learning_rate,
  layers: [
    {
      type: 'dense',
      activation: 'sigmoid',
      input: golden.X,
      weights: golden.W1,
      bias: null,
      z: exact.z1,
      h: exact.h1,
      dh_dz: exact.dh1_dz1,
      dloss_dh: exact.dLoss_dh1,
      dloss_dz: exact.dLoss_dz1,
      dloss_dweights: exact.dLoss_dW1,
      dloss_dbias: null,
      weights_next: exact.W1_next,
      bias_next: null,
    },
    {
      type: 'dense',
      activation: 'sigmoid',
      input: exact.h1,
      weights: golden.W2,
      bias: null,
      z: exact.z2,
      h: exact.h2,
      dh_dz: exact.dh2_dz2,
      dloss_dh: exact.dLoss_dh2,
      dloss_dz: exact.dLoss_dz2,
      dloss_dweights: exact.dLoss_dW2,
      dloss_dbias: null,
      weights_next: exact.W2_next,
      bias_next: null,
    },
  ],
};
const stages = stages_of(trace, article_spec, article_rows.targets, 8);

test("the page's own network is the article's", () => {
  expect(article_spec.layers.map((layer) => layer.weights)).toEqual([golden.W1, golden.W2]);
  expect(article_rows).toEqual({ inputs: golden.X, targets: golden.Y });
});

test('every matrix that the article prints is in a stage', () => {
  const shown = Object.values(stages)
    .flat()
    .flatMap((stage) => stage.sheets.flatMap((sheet) => sheet.values.flat()));
  for (const [name, matrix] of Object.entries(golden.printed_in_article))
    for (const value of (matrix as number[][]).flat())
      expect(
        shown.some((one) => Math.abs(one - value) <= 2e-8),
        `${name}: ${value}`,
      ).toBe(true);
});

describe('explanations', () => {
  test('name the cells that a number is made of', () => {
    const z = stages.forward[0].sheets.find((sheet) => sheet.id === 'z')!;
    const { sources, content } = z.explain!(0, 1);
    expect(sources).toEqual([
      { sheet: 'input', r: 0, c: 0 },
      { sheet: 'input', r: 0, c: 1 },
      { sheet: 'weights', r: 0, c: 1 },
      { sheet: 'weights', r: 1, c: 1 },
    ]);
    expect(content).toContain('0.91005019');
    expect(content).toContain('0.37769425');
  });
  test('never name a cell that is not there', () => {
    for (const stage of Object.values(stages).flat())
      for (const sheet of stage.sheets)
        sheet.values.forEach((row, r) =>
          row.forEach((_, c) => {
            for (const cell of sheet.explain?.(r, c).sources ?? [])
              expect(
                stage.sheets.find((one) => one.id === cell.sheet)?.values[cell.r]?.[cell.c],
                `${sheet.id} ${cell.sheet}`,
              ).toBeDefined();
          }),
        );
  });
});

test('a sum may go on in the next line before each = and + that is in no bracket', () => {
  const inner = bracket(number('2'), sign('+'), over(number('3'), row(number('4'), sign('+'), number('5'))));
  const found = pieces(row(name('z'), sign('='), number('1'), sign('+'), inner, sign('='), number('6')));
  const infix = (text: string) => `<mo form="infix">${text}</mo>`;
  expect(found).toEqual([
    name('z'),
    `${infix('=')}${number('1')}`,
    `${infix('+')}${inner}`,
    `${infix('=')}${number('6')}`,
  ]);
});

test('the walk visits every computed number once, phase by phase', () => {
  const walk = walk_of(stages);
  expect(new Set(walk.map((spot) => JSON.stringify(spot))).size).toBe(walk.length);
  expect([...new Set(walk.map((spot) => spot.phase))]).toEqual(['forward', 'loss', 'backward', 'update']);
});

test('a penalty shows in the gradient that it changes', () => {
  const penalized = {
    ...trace,
    layers: trace.layers.map((layer) => ({ ...layer, dloss_dweights: scale(layer.dloss_dweights!, 2) })),
  };
  const sheet = stages_of(penalized, article_spec, article_rows.targets, 8).backward[0].sheets.find(
    (one) => one.id === 'dloss_dweights',
  )!;
  expect(sheet.explain!(0, 0).content.match(/<mo>\+<\/mo>/g)).not.toBeNull();
});
