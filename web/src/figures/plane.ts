import { short } from '../math/format';
import type { Palette } from '../math/palette';
import type { Window } from '../math/projection';
import { boundary_paths, paint_surface, type Surface } from '../math/surface';
import { ticks } from './chart';
import { mark, type Point } from './points';
import { svg_text } from './svg';

/** The square of the decision boundary inside its picture. */
export const kPlane = { left: 34, top: 8, side: 400, width: 444, height: 446 };

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
  palette: Palette,
): string {
  const address = surface_canvas(surface, palette).toDataURL('image/png');
  const square = `x="${kPlane.left}" y="${kPlane.top}" width="${kPlane.side}" height="${kPlane.side}"`;
  return `<image href="${address}" ${square} preserveAspectRatio="none"/>${render_boundary(surface, palette)}${render_points(points, window, palette)}${render_axes(window, names, palette)}`;
}
