import { describe, expect, test } from 'vitest';
import { contour } from './contour';
import { fixed, percent, short } from './format';
import { activations, forward, type Parameters } from './forward';
import { dark_palette, diverging_index, light_palette } from './palette';
import { axis_plane, grid_inputs, place_in, principal_plane, window_around } from './projection';

describe('format', () => {
  test.each([
    [0, '0'],
    [1, '1'],
    [-0.5, '−0.5'],
    [0.123456, '0.123'],
    [-1234.5, '−1,235'],
    [345678, '345,678'],
    [1e-5, '1e−5'],
    [2.5e7, '2.5e7'],
    [Number.NaN, '–'],
    [Number.NEGATIVE_INFINITY, '−∞'],
    [null, '–'],
  ])('short(%s) is %s', (value, text) => expect(short(value)).toBe(text));

  test('fixed keeps decimals, and shows what they would hide', () => {
    expect(fixed(-0.52507644, 8)).toBe('−0.52507644');
    expect(fixed(-0.00001, 3)).toBe('−1.0e-5');
    expect(fixed(-0, 3)).toBe('0.000');
  });

  test('percent never claims perfection that is not there', () => {
    expect(percent(1)).toBe('100\u00a0%');
    expect(percent(0.9999)).toBe('99.9\u00a0%');
    expect(percent(0)).toBe('0\u00a0%');
    expect(percent(0.00001)).toBe('0.1\u00a0%');
  });
});

describe('forward', () => {
  test("the article's step", () => {
    const parameters: Parameters = {
      inputs: 2,
      bricks: [
        {
          kind: 'dense',
          inputs: 2,
          units: 3,
          activation: 'sigmoid',
          bias: null,
          weights: Float64Array.from([
            -0.67746455, 0.37769425, -0.07365253, -0.53663519, 0.60920496, 0.21149622,
          ]),
        },
        {
          kind: 'dense',
          inputs: 3,
          units: 2,
          activation: 'sigmoid',
          bias: null,
          weights: Float64Array.from([
            -0.41491732, -0.30992816, -0.31583913, -0.27706468, -0.44701662, 0.15231059,
          ]),
        },
      ],
    };
    const [h1, h2] = forward(parameters, Float64Array.from([1.76405235, 0.40015721]), 1);
    [0.19626223, 0.71301043, 0.48867814].forEach((value, k) => expect(h1[k]).toBeCloseTo(value, 7));
    [0.37166596, 0.45414264].forEach((value, k) => expect(h2[k]).toBeCloseTo(value, 7));
  });

  test('softmax rows sum to one, however large', () => {
    const bias = Float64Array.from([1000, 0]);
    const parameters: Parameters = {
      inputs: 1,
      bricks: [
        { kind: 'dense', inputs: 1, units: 2, activation: 'softmax', bias, weights: new Float64Array(2) },
      ],
    };
    expect([...forward(parameters, Float64Array.from([0, 1]), 2)[0]]).toEqual([1, 0, 1, 0]);
  });

  test('a residual adds what came in; layer_norm has mean 0 and deviation 1', () => {
    const ones = new Float64Array(4).fill(1);
    const norm = {
      kind: 'layer_norm' as const,
      units: 4,
      epsilon: 0,
      gain: ones,
      offset: new Float64Array(4),
    };
    const x = Float64Array.from([1, 2, 3, 4]);
    const [normed] = forward({ inputs: 4, bricks: [norm] }, x, 1);
    expect(normed.reduce((a, b) => a + b)).toBeCloseTo(0);
    expect(normed.reduce((a, b) => a + b * b, 0) / 4).toBeCloseTo(1);
    const [added] = forward({ inputs: 4, bricks: [{ kind: 'residual', units: 4, bricks: [norm] }] }, x, 1);
    added.forEach((value, k) => expect(value).toBeCloseTo(x[k] + normed[k]));
  });

  test.each([
    ['gelu', 1, 0.8413447],
    ['elu', -1, -0.6321206],
    ['softplus', 0, Math.LN2],
    ['silu', 1, 0.7310586],
    ['leaky_relu', -2, -0.02],
  ])('%s(%s)', (name, z, h) => expect(activations[name](z)).toBeCloseTo(h, 6));
});

test('contour of a plane is the straight line where it is zero', () => {
  const values = Array.from({ length: 25 }, (_, k) => (k % 5) - 1.5);
  const segments = contour(values, 5, 5, 0);
  expect(segments).toHaveLength(4);
  for (const [x1, , x2] of segments) {
    expect(x1).toBeCloseTo(1.5);
    expect(x2).toBeCloseTo(1.5);
  }
});

describe('projection', () => {
  test('principal components find the direction of a line', () => {
    const rows = Array.from({ length: 20 }, (_, k) => [k, 2 * k, 5]);
    const plane = principal_plane(rows, 3);
    expect(Math.abs(plane.first[1] / plane.first[0])).toBeCloseTo(2);
    expect(plane.first.reduce((sum, value, j) => sum + value * plane.second[j], 0)).toBeCloseTo(0);
    expect(place_in(plane, rows[3])[1]).toBeCloseTo(0);
  });

  test('a grid covers its window, top row first, other inputs at their mean', () => {
    const plane = axis_plane(
      [
        [0, 0, 4],
        [0, 0, 6],
      ],
      3,
      0,
      1,
    );
    const inputs = grid_inputs(plane, { x0: -1, x1: 1, y0: -2, y1: 2 }, 3);
    expect([...inputs.slice(0, 3)]).toEqual([-1, 2, 5]);
    expect([...inputs.slice(-3)]).toEqual([1, -2, 5]);
  });

  test('a window around like axes is square', () => {
    const { x0, x1, y0, y1 } = window_around([
      [0, 0],
      [2, 1.5],
    ]);
    expect(x1 - x0).toBeCloseTo(y1 - y0);
    expect(window_around([])).toEqual({ x0: -1, x1: 1, y0: -1, y1: 1 });
  });
});

describe('palette', () => {
  test('the diverging table runs from end to end, and clips', () => {
    expect(diverging_index(-5)).toBe(0);
    expect(diverging_index(0)).toBe(128);
    expect(diverging_index(5)).toBe(255);
    for (const palette of [light_palette, dark_palette]) expect(palette.diverging).toHaveLength(768);
  });
});
