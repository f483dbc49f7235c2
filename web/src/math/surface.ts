import { contour, contour_path } from './contour';
import { diverging_index, type Palette, rgb } from './palette';

/** Outputs over a grid, and how to read them as a picture. */
export interface Surface {
  size: number;
  /** size × size × outputs, top row first. */
  outputs: ArrayLike<number>;
  width: number; // outputs for each point
  /** Classes are coloured by their probability, values by their distance from the middle. */
  classes: boolean;
  /** For values: what is shown as neutral and as full colour. */
  middle: number;
  reach: number;
}

/** One number in [-1, 1] for each point where two classes or one value are shown; null for more classes. */
export function signed_values(surface: Surface): Float64Array | null {
  const { size, outputs, width, classes, middle, reach } = surface;
  if (width > 2 || (width === 2 && !classes)) return null;
  const values = new Float64Array(size * size);
  for (let k = 0; k < values.length; k++)
    if (width === 2) values[k] = outputs[2 * k + 1] - outputs[2 * k];
    else values[k] = (outputs[k] - middle) / reach;
  return values;
}

/** How strong a surface's colours are: points in full colour must stand out on it. */
const kStrength = 0.62;

function paint_signed(values: ArrayLike<number>, palette: Palette, data: Uint8ClampedArray) {
  for (let k = 0; k < values.length; k++) {
    const i = diverging_index(Math.max(-1, Math.min(1, values[k])) * kStrength) * 3;
    data[4 * k] = palette.diverging[i];
    data[4 * k + 1] = palette.diverging[i + 1];
    data[4 * k + 2] = palette.diverging[i + 2];
    data[4 * k + 3] = 255;
  }
}

function paint_classes(surface: Surface, palette: Palette, data: Uint8ClampedArray) {
  const ground = rgb(palette.surface);
  const colours = palette.classes.map(rgb);
  for (let k = 0; k < surface.size * surface.size; k++) {
    let best = 0;
    for (let j = 1; j < surface.width; j++)
      if (surface.outputs[k * surface.width + j] > surface.outputs[k * surface.width + best]) best = j;
    const strength = 0.25 + 0.6 * Math.max(0, Math.min(1, surface.outputs[k * surface.width + best]));
    const colour = colours[best % colours.length];
    for (let c = 0; c < 3; c++) data[4 * k + c] = ground[c] + (colour[c] - ground[c]) * strength;
    data[4 * k + 3] = 255;
  }
}

export function paint_surface(surface: Surface, palette: Palette, data: Uint8ClampedArray) {
  const values = signed_values(surface);
  if (values) paint_signed(values, palette, data);
  else paint_classes(surface, palette, data);
}

/** The line between the classes as an SVG path over a square of `side` units; one path for each further class. */
export function boundary_paths(surface: Surface, side: number): string[] {
  const { size, outputs, width } = surface;
  const place = (x: number, y: number): [number, number] => [
    (x / (size - 1)) * side,
    (y / (size - 1)) * side,
  ];
  const values = signed_values(surface);
  if (values) {
    const levels = surface.classes ? [0] : [-0.5, 0, 0.5];
    return levels.map((level) => contour_path(contour(values, size, size, level), place));
  }
  return Array.from({ length: width }, (_, j) => {
    const lead = new Float64Array(size * size);
    for (let k = 0; k < lead.length; k++) {
      let other = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < width; i++) if (i !== j) other = Math.max(other, outputs[k * width + i]);
      lead[k] = outputs[k * width + j] - other;
    }
    return contour_path(contour(lead, size, size, 0), place);
  });
}
