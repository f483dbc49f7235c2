import { diverging_colour, type Palette } from '../math/palette';

export interface Point {
  x: number;
  y: number;
  /** A class, or null where the target is a value in [-1, 1]. */
  label: number | null;
  value: number;
  row: number;
}

/** One data point: classes differ in form as well as in colour. */
export function mark(point: Point, cx: number, cy: number, palette: Palette, size = 4): string {
  const k = point.label ?? (point.value >= 0 ? 1 : 0);
  const fill =
    point.label === null
      ? diverging_colour(palette, point.value)
      : palette.classes[k % palette.classes.length];
  const edge = point.label === null ? palette.ink : palette.surface;
  const outline = `fill="${fill}" stroke="${edge}" stroke-width="${point.label === null ? 0.8 : 1.2}"`;
  const [x, y] = [cx.toFixed(1), cy.toFixed(1)];
  if (k % 4 === 0 || point.label === null) return `<circle cx="${x}" cy="${y}" r="${size}" ${outline}/>`;
  if (k % 4 === 1)
    return `<rect x="${(cx - size * 0.9).toFixed(1)}" y="${(cy - size * 0.9).toFixed(1)}" width="${size * 1.8}" height="${size * 1.8}" rx="1" ${outline}/>`;
  if (k % 4 === 2)
    return `<path d="M${x} ${(cy - size * 1.2).toFixed(1)}l${size * 1.1} ${size * 2}h${-size * 2.2}z" ${outline}/>`;
  return `<path d="M${x} ${(cy - size * 1.3).toFixed(1)}l${size * 1.3} ${size * 1.3}l${-size * 1.3} ${size * 1.3}l${-size * 1.3} ${-size * 1.3}z" ${outline}/>`;
}
