import { describe, expect, test } from 'vitest';
import type { DatasetColumn, NetworkView } from '../api/types';
import { csv_rows, dataset_name, delimiter_of, glimpse_of, histogram } from '../data/table';
import { frame_steps } from '../export/animation';
import { faults } from '../i18n/faults';
import { differences, lineage, matches } from '../runs/compare';
import { layers_with_numbers, with_layer_added, with_layer_removed, with_units } from './architecture';
import { rows_of } from './dataset';
import { story } from './story';

const layers = [
  { type: 'dense' as const, units: 3, activation: 'tanh' },
  { type: 'dense' as const, units: 2, activation: 'softmax' },
];

describe('architecture', () => {
  const old = {
    inputs: 2,
    bricks: [
      {
        kind: 'dense' as const,
        inputs: 2,
        units: 3,
        activation: 'tanh',
        weights: Float64Array.from([1, 2, 3, 4, 5, 6]),
        bias: Float64Array.from([7, 8, 9]),
      },
      {
        kind: 'dense' as const,
        inputs: 3,
        units: 2,
        activation: 'softmax',
        weights: new Float64Array(6).fill(0.5),
        bias: new Float64Array(2),
      },
    ],
  };
  test('numbers that fit are kept when a neuron is added', () => {
    const [first, last] = layers_with_numbers(with_units(layers, 0, 1), 2, old);
    expect(first.weights!.map((row) => row.slice(0, 3))).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
    expect(first.bias).toEqual([7, 8, 9, 0]);
    expect(Math.abs(first.weights![0][3])).toBeLessThan(1.1);
    expect(last.weights).toHaveLength(4);
  });
  test('the same change gives the same numbers', () =>
    expect(layers_with_numbers(with_units(layers, 0, 2), 2, old)).toEqual(
      layers_with_numbers(with_units(layers, 0, 2), 2, old),
    ));
  test('layers are added before the output and removed again', () => {
    expect(with_layer_added(layers).map((layer) => layer.activation)).toEqual(['tanh', 'tanh', 'softmax']);
    expect(with_layer_removed(with_layer_added(layers))).toEqual(layers);
    expect(with_layer_removed([layers[1]])).toEqual([layers[1]]);
  });
  test('units stay within their bounds', () => {
    expect(with_units(layers, 0, -9)[0].units).toBe(1);
    expect(with_units(layers, 0, 999)[0].units).toBe(64);
  });
});

test.each([
  ['starting', {}, 'story.starting'],
  ['queued', { step: 0 }, 'story.queued'],
  ['running', { step: 3, accuracy: 0.5 }, 'story.running_new'],
  ['running', { step: 300, accuracy: 0.8 }, 'story.running'],
  ['running', { step: 300, accuracy: 0.995 }, 'story.running_solved'],
  ['running', { step: 300, accuracy: null }, 'story.running_value'],
  ['idle', { step: 0 }, 'story.untrained'],
  ['idle', { step: 300, accuracy: 1 }, 'story.solved'],
  ['paused', { step: 300, accuracy: 0.7 }, 'story.rests'],
  ['diverged', {}, 'story.diverged'],
  ['idle', { past: true, step: 5, accuracy: 1 }, 'story.past'],
] as const)('%s %o tells %s', (state, scene, key) =>
  expect(
    story({ state, past: false, step: 0, accuracy: 0.5, loss: 1, hidden: 8, data: 'XOR', ...scene }).key,
  ).toBe(key),
);

describe('rows', () => {
  const columns = (types: Record<string, DatasetColumn['type']>) =>
    Object.entries(types).map(([name, type]) => ({ name, type, count: 2, missing: 0 }));
  test('classes by label, in order', () => {
    const rows = rows_of(
      { name: 'd', source: '', rows: 2, target: 'kind', columns: columns({ a: 'number', kind: 'label' }) },
      [
        { a: 1, kind: 'b' },
        { a: 2, kind: 'a' },
      ],
    );
    expect(rows).toEqual({
      name: 'd',
      columns: ['a'],
      inputs: [[1], [2]],
      targets: [1, 0],
      classes: ['a', 'b'],
    });
  });
  test('values where the target is a number with fractions', () => {
    const rows = rows_of(
      { name: 'd', source: '', rows: 2, target: 'y', columns: columns({ a: 'number', y: 'number' }) },
      [
        { a: 1, y: 0.5 },
        { a: 2, y: 1.5 },
      ],
    );
    expect(rows.classes).toBeNull();
    expect(rows.targets).toEqual([0.5, 1.5]);
  });
});

describe('files', () => {
  test('csv with quotes, line breaks in cells and CR LF', () =>
    expect(csv_rows('a,"b ""c""\nd"\r\n1,2', ',', 9)).toEqual([
      ['a', 'b "c"\nd'],
      ['1', '2'],
    ]));
  test.each([
    ['a;b;c', ';'],
    ['a\tb', '\t'],
    ['a,b', ','],
    ['a', ','],
  ])('delimiter of %j', (line, delimiter) => expect(delimiter_of(line)).toBe(delimiter));
  test('ndjson is told by its first character', () =>
    expect(glimpse_of('x.txt', '{"a":1}\n{"b":"two"}')).toEqual({
      kind: 'ndjson',
      header: ['a', 'b'],
      rows: [
        ['1', ''],
        ['', 'two'],
      ],
      types: ['number', 'category'],
    }));
  test('a column with a missing cell is one of numbers all the same', () =>
    expect(glimpse_of('x.csv', 'size,kind\n1.5,2\nNA,3b').types).toEqual(['number', 'category']));
  test.each([
    ['Iris Data.CSV', 'iris-data'],
    ['---.csv', 'data'],
    ['x'.repeat(90), 'x'.repeat(60)],
  ])('name of %s', (file, name) => expect(dataset_name(file)).toBe(name));
  test('histogram counts every value', () => expect(histogram([1, 1, 2, 5], 4).counts).toEqual([2, 1, 0, 1]));
});

describe('runs', () => {
  const view = (name: string, more: object = {}) =>
    ({
      name,
      inputs: 2,
      layers,
      step: 0,
      parameters: 1,
      state: 'idle',
      state_sha256: '',
      created_at: '',
      ...more,
    }) as NetworkView;
  test('forks stand below their parents', () => {
    const found = lineage([view('b', { forked_from: { network: 'a', step: 1 } }), view('c'), view('a')]);
    expect(found.map(({ view: { name }, depth }) => [name, depth])).toEqual([
      ['c', 0],
      ['a', 0],
      ['b', 1],
    ]);
  });
  test('differences name only what differs', () =>
    expect(differences([view('a', { seed: 1 }), view('b', { seed: 2 })])).toEqual([
      { field: 'seed', values: ['1', '2'] },
    ]));
  test('search takes all words', () => {
    expect(matches(view('alpha'), 'alp 2-3-2')).toBe(true);
    expect(matches(view('alpha'), 'alp relu')).toBe(false);
  });
});

test('frames of an animation keep both ends and their order', () => {
  const steps = frame_steps(
    Array.from({ length: 1000 }, (_, k) => k * 3),
    48,
  );
  expect(steps[0]).toBe(0);
  expect(steps.at(-1)).toBe(2997);
  expect([...steps].sort((a, b) => a - b)).toEqual(steps);
});

test('a key that one language lacks is a fault', () => {
  expect(faults({ a: 'x', b: '{n}' }, { b: 'y', c: 'z' })).toEqual([
    'a: missing in Chinese',
    'b: placeholders differ',
    'c: missing in English',
  ]);
});
