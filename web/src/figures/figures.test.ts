import { describe, expect, test } from 'vitest';
import { light_palette } from '../math/palette';
import { chart_rows, csv_of, render_chart, scale_of, ticks } from './chart';
import { escaped } from './svg';
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
