import { svg_text } from '../figures/svg';
import { fixed } from '../math/format';
import type { Palette } from '../math/palette';

/** The size of the drawing of a brick. */
export const kBrick = { width: 280, height: 132 };

/** `h = tanh(1.5·x₁ − 1.0·x₂ + 0.5)`. */
export function brick_formula(kind: string, w1: number, w2: number, b: number): string {
  const plus = (value: number) => `${value < 0 ? '−' : '+'} ${fixed(Math.abs(value), 1)}`;
  return `h = ${kind}(${fixed(w1, 1)}·x₁ ${plus(w2)}·x₂ ${plus(b)})`;
}

/** One neuron as it works: inputs times weights, the sum with the bias, what the activation makes of it. */
export function render_brick(
  kind: string,
  weights: [number, number],
  bias: number,
  palette: Palette,
): string {
  const ink = { fill: palette.ink, size: 13, anchor: 'middle' } as const;
  const soft = { fill: palette.ink_soft, size: 11, anchor: 'middle' } as const;
  const link = (path: string, value: number) =>
    `<path d="${path}" fill="none" stroke="${value < 0 ? palette.negative : palette.positive}" stroke-width="${(0.6 + 1.4 * Math.abs(value)).toFixed(1)}"${value < 0 ? ' stroke-dasharray="5 4"' : ''}/>`;
  const disc = (x: number, y: number, text: string) =>
    `<circle cx="${x}" cy="${y}" r="17" fill="${palette.surface}" stroke="${palette.ink_soft}" stroke-width="1.5"/>${svg_text(x, y + 5, text, ink)}`;
  const arrow = `<path d="M165 66H194M253 66H262" stroke="${palette.ink_soft}" stroke-width="1.5"/>`;
  const squash = `<rect x="194" y="49" width="59" height="34" rx="8" fill="${palette.surface}" stroke="${palette.ink_soft}" stroke-width="1.5"/>${svg_text(223.5, 70, kind, { ...ink, size: kind.length > 7 ? 10 : 12 })}`;
  return (
    link('M35 24C90 24 95 66 131 66', weights[0]) +
    link('M35 108C90 108 95 66 131 66', weights[1]) +
    link('M148 27V49', bias) +
    arrow +
    disc(18, 24, 'x₁') +
    disc(18, 108, 'x₂') +
    disc(148, 66, '∑') +
    squash +
    svg_text(271, 71, 'h', ink) +
    svg_text(82, 22, `w₁ ${fixed(weights[0], 1)}`, soft) +
    svg_text(82, 120, `w₂ ${fixed(weights[1], 1)}`, soft) +
    svg_text(148, 20, `b ${fixed(bias, 1)}`, soft)
  );
}
