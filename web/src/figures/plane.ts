import { short } from '../math/format';
import { diverging_colour, type Palette } from '../math/palette';
import type { Window } from '../math/projection';
import { boundary_paths, kStrength, paint_surface, type Surface } from '../math/surface';
import { ticks } from './chart';
import { mark, type Point } from './points';
import { fitting, svg_text, text_width } from './svg';

/** The square of the decision boundary inside its picture; the legend stands above it. */
export const kPlane = { left: 34, top: 26, side: 400, width: 444, height: 464 };

export const to_pixel = (window: Window, x: number, y: number): [number, number] => [
  kPlane.left + ((x - window.x0) / (window.x1 - window.x0)) * kPlane.side,
  kPlane.top + ((window.y1 - y) / (window.y1 - window.y0)) * kPlane.side,
];

export function render_axes(window: Window, names: [string, string], palette: Palette, size = 11): string {
  const bottom = kPlane.top + kPlane.side;
  const style = { fill: palette.ink_soft, size } as const;
  const parts = [
    `<rect x="${kPlane.left}" y="${kPlane.top}" width="${kPlane.side}" height="${kPlane.side}" fill="none" stroke="${palette.line}"/>`,
  ];
  for (const value of ticks(window.x0, window.x1, 5))
    parts.push(
      svg_text(to_pixel(window, value, 0)[0], bottom + size + 4, short(value), {
        ...style,
        anchor: 'middle',
      }),
    );
  for (const value of ticks(window.y0, window.y1, 5))
    parts.push(
      svg_text(kPlane.left - 6, to_pixel(window, 0, value)[1] + 4, short(value), { ...style, anchor: 'end' }),
    );
  parts.push(
    svg_text(kPlane.left + kPlane.side / 2, bottom + 2 * size + 10, names[0], { ...style, anchor: 'middle' }),
  );
  parts.push(
    `<g transform="translate(10 ${kPlane.top + kPlane.side / 2}) rotate(-90)">${svg_text(0, 0, names[1], { ...style, anchor: 'middle' })}</g>`,
  );
  return parts.join('');
}

/** What the colours say: a mark for each class, or the span of the values. */
export function render_legend(surface: Surface, classes: string[] | null, palette: Palette, size = 11) {
  const style = { fill: palette.ink_soft, size } as const;
  const [middle, base] = [kPlane.top / 2 - 1, kPlane.top / 2 - 1 + size * 0.36];
  if (!surface.classes) {
    const [cells, side, left] = [32, 4, kPlane.left + 44];
    const colours = Array.from({ length: cells }, (_, k) =>
      diverging_colour(palette, ((2 * k) / (cells - 1) - 1) * kStrength),
    );
    const bar = colours.map(
      (colour, k) =>
        `<rect x="${left + k * side}" y="${middle - 5}" width="${side + 0.6}" height="10" fill="${colour}"/>`,
    );
    const low = svg_text(left - 6, base, short(surface.middle - surface.reach), { ...style, anchor: 'end' });
    return (
      low +
      bar.join('') +
      svg_text(left + cells * side + 6, base, short(surface.middle + surface.reach), style)
    );
  }
  const labels = classes ?? Array.from({ length: Math.max(2, surface.width) }, (_, k) => String(k));
  let x = kPlane.left + 5;
  return labels
    .map((label, k) => {
      const text = fitting(label, kPlane.side / labels.length - 23, size);
      const sample = mark({ x: 0, y: 0, label: k, value: 0, row: 0 }, x, middle, palette);
      const entry = sample + svg_text(x + 9, base, text, style);
      x += 23 + text_width(text, size);
      return entry;
    })
    .join('');
}

export const render_points = (points: Point[], window: Window, palette: Palette, size = 4) =>
  points.map((point) => mark(point, ...to_pixel(window, point.x, point.y), palette, size)).join('');

export function render_boundary(surface: Surface, palette: Palette): string {
  const lines = boundary_paths(surface, kPlane.side);
  const main = surface.classes ? 0 : 1;
  return `<g transform="translate(${kPlane.left} ${kPlane.top})" fill="none" stroke="${palette.ink}" stroke-linecap="round">${lines
    .map((path, k) => `<path d="${path}" stroke-width="${k === main || surface.width > 2 ? 2 : 0.8}"/>`)
    .join('')}</g>`;
}

/** A surface as pixels on a canvas of its own size. */
export function surface_canvas(
  surface: Surface,
  palette: Palette,
  canvas = document.createElement('canvas'),
): HTMLCanvasElement {
  if (canvas.width !== surface.size) canvas.width = canvas.height = surface.size;
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(surface.size, surface.size);
  paint_surface(surface, palette, image.data);
  context.putImageData(image, 0, 0);
  return canvas;
}

/** The whole picture for export. */
export function plane_picture(
  surface: Surface,
  points: Point[],
  window: Window,
  names: [string, string],
  classes: string[] | null,
  palette: Palette,
): string {
  const address = surface_canvas(surface, palette).toDataURL('image/png');
  const square = `x="${kPlane.left}" y="${kPlane.top}" width="${kPlane.side}" height="${kPlane.side}"`;
  return `<image href="${address}" ${square} preserveAspectRatio="none"/>${render_boundary(surface, palette)}${render_points(points, window, palette)}${render_axes(window, names, palette)}${render_legend(surface, classes, palette)}`;
}
