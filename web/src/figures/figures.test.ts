import { describe, expect, test } from 'vitest';
import { activity_of } from '../math/activity';
import type { Parameters } from '../math/forward';
import { light_palette } from '../math/palette';
import { chart_rows, csv_of, render_chart, scale_of, ticks } from './chart';
import { kPlane, render_legend } from './plane';
import { escaped, text_width } from './svg';
import { activity_overview, activity_rows, surface_overview, surface_rows } from './tables';
import { wiring_of } from './wiring';

const options = { width: 300, height: 200, palette: light_palette };

test.each([
  [0, 10, 5, [0, 2, 4, 6, 8, 10]],
  [0, 1, 4, [0, 0.5, 1]],
  [3, 3, 4, [3]],
])('ticks(%s, %s, %s)', (low, high, count, expected) => expect(ticks(low, high, count)).toEqual(expected));

describe('chart', () => {
  const series = [{ name: 'a<b', colour: '#000', x: [0, 1, 2], y: [1, null, 0.01] }];

  test('escapes names and breaks lines at gaps', () => {
    const svg = render_chart(series, { ...options, legend: true });
    expect(svg).toContain('a&lt;b');
    expect(svg.match(/d="M[^"]*M/)).not.toBeNull();
    expect(svg).not.toContain('NaN');
    expect(svg).not.toContain('style=');
  });

  test('a value that stands alone is a dot', () => {
    expect(render_chart(series, options).match(/<circle/g)).toHaveLength(2);
    expect(render_chart([{ ...series[0], y: [1, 2, null] }], options)).not.toContain('<circle');
  });

  test('a logarithmic scale puts equal factors equally far apart', () => {
    const scale = scale_of([{ name: 'a', colour: '', x: [0, 1], y: [0.001, 10] }], {
      ...options,
      logarithmic: true,
    });
    expect(scale.y(0.01) - scale.y(0.1)).toBeCloseTo(scale.y(0.1) - scale.y(1));
    expect(scale.x_at(scale.x(0.3))).toBeCloseTo(0.3);
  });

  test('a round number just past the last step has its place, within the picture', () => {
    const svg = render_chart([{ name: 'a', colour: '', x: [0, 1995], y: [1, 2] }], options);
    const [, x] = svg.match(/<text x="([\d.]+)"[^>]*>2,000</)!;
    expect(Number(x) + text_width('2,000') / 2).toBeLessThanOrEqual(options.width);
  });

  test('an empty chart has no NaN either', () => expect(render_chart([], options)).not.toContain('NaN'));

  test('its table joins series by their places', () => {
    const rows = chart_rows([...series, { name: 'c', colour: '', x: [1], y: [5] }], 'step');
    expect(rows.rows).toEqual([
      [0, 1, null],
      [1, null, 5],
      [2, 0.01, null],
    ]);
    expect(csv_of(rows.header, rows.rows)).toBe('step,a<b,c\n0,1,\n1,,5\n2,0.01,\n');
  });
});

test('csv quotes what needs it', () => expect(csv_of(['a,b'], [['x"y']])).toBe('"a,b"\n"x""y"\n'));
test('text is escaped', () => expect(escaped('<a & "b">')).toBe('&lt;a &amp; &quot;b&quot;&gt;'));

test('a drawing of fifty neurons fits its height', () => {
  const weights = new Float64Array(100);
  const wiring = wiring_of(
    { inputs: 2, bricks: [{ kind: 'dense', inputs: 2, units: 50, activation: 'tanh', weights, bias: null }] },
    640,
    420,
  );
  for (const node of wiring.columns.flatMap((column) => column.nodes)) {
    expect(node.y - node.size / 2).toBeGreaterThan(0);
    expect(node.y + node.size / 2).toBeLessThan(420);
  }
});

describe('the numbers behind a surface', () => {
  const window = { x0: -1, x1: 1, y0: -1, y1: 1 };
  const size = 21;
  /** Two classes; the share of the second one is 1 in the right half. */
  const outputs = Array.from({ length: size * size }, (_, k) => (k % size > 10 ? [0, 1] : [1, 0])).flat();
  const surface = { size, outputs, width: 2, classes: true, middle: 0, reach: 1 };

  test('are all its places, from the top left', () => {
    const { header, rows } = surface_rows(surface, window, ['a', 'b']);
    expect(header).toEqual(['a', 'b', 'output 1', 'output 2']);
    expect(rows).toHaveLength(size * size);
    expect(rows[0]).toEqual([-1, 1, 1, 0]);
    expect(rows.at(-1)).toEqual([1, -1, 0, 1]);
  });

  test('and a small map to read', () => {
    const { header, rows } = surface_overview(surface, window, ['a', 'b']);
    expect(header.slice(1).map(Number)).toEqual([-1, -0.8, -0.6, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(rows[0]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1]);
    const three = {
      ...surface,
      width: 3,
      outputs: Array.from({ length: size * size }, () => [0.2, 0.1, 0.7]).flat(),
    };
    expect(surface_overview(three, window, ['a', 'b']).rows[10][11]).toBe('2 (0.70)');
  });
});

describe('the legend of a plane', () => {
  const surface = { size: 2, outputs: new Float64Array(12), width: 3, classes: true, middle: 0, reach: 1 };
  const texts = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, text]) => text);

  test('names each class beside its mark', () => {
    const svg = render_legend(surface, ['setosa', 'a<b', 'virginica'], light_palette);
    expect(texts(svg)).toEqual(['setosa', 'a&lt;b', 'virginica']);
    for (const colour of light_palette.classes.slice(0, 3)) expect(svg).toContain(colour);
    expect(texts(render_legend({ ...surface, width: 1 }, null, light_palette))).toEqual(['0', '1']);
  });
  test('stays within the plane however long the names are', () => {
    const classes = Array.from({ length: 10 }, (_, k) => `a very long name ${k}`);
    const svg = render_legend({ ...surface, width: 10 }, classes, light_palette);
    const last = Math.max(...[...svg.matchAll(/<text x="([\d.]+)"/g)].map(([, x]) => Number(x)));
    expect(last).toBeLessThan(kPlane.width - 6);
  });
  test('spans the values where the target is one', () =>
    expect(texts(render_legend({ ...surface, classes: false, reach: 2.5 }, null, light_palette))).toEqual([
      '−2.5',
      '2.5',
    ]));
});

test('the numbers behind the neurons are what each heat map spans', () => {
  const parameters: Parameters = {
    inputs: 1,
    bricks: [
      {
        kind: 'dense',
        inputs: 1,
        units: 1,
        activation: 'linear',
        weights: Float64Array.of(2),
        bias: Float64Array.of(1),
      },
    ],
  };
  const activity = activity_of(
    parameters,
    Float64Array.from({ length: 9 }, (_, k) => k - 4),
    3,
  );
  expect(activity_overview(activity).rows).toEqual([[1, 1, -7, 1, 9, -5, -1, 3, 7]]);
  const { header, rows } = activity_rows(activity, ['a']);
  expect(header).toEqual(['a', 'layer 1 neuron 1']);
  expect(rows[8]).toEqual([4, 9]);
});
