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
export const kStrength = 0.62;

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
    const strength = 0.1 + 0.5 * Math.max(0, Math.min(1, surface.outputs[k * surface.width + best]));
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

const kTiny = 1e-30;

/**
 * By how much each point is rather of class `j` than of any other, as a difference of logarithms: that is nearly
 * straight between the grid's points even where the probabilities themselves jump from 0 to 1.
 */
function lead_of(surface: Surface, j: number): Float64Array {
  const { size, outputs, width } = surface;
  const lead = new Float64Array(size * size);
  for (let k = 0; k < lead.length; k++) {
    let other = 0;
    for (let i = 0; i < width; i++) if (i !== j) other = Math.max(other, outputs[k * width + i]);
    lead[k] = Math.log(Math.max(0, outputs[k * width + j]) + kTiny) - Math.log(other + kTiny);
  }
  return lead;
}

/** The line between the classes as an SVG path over a square of `side` units; one path for each further class. */
export function boundary_paths(surface: Surface, side: number): string[] {
  const { size, outputs, width, classes } = surface;
  const place = (x: number, y: number): [number, number] => [
    (x / (size - 1)) * side,
    (y / (size - 1)) * side,
  ];
  const path = (values: ArrayLike<number>, level: number) =>
    contour_path(contour(values, size, size, level), place);
  if (classes && width === 2 && is_probability(outputs)) return [path(lead_of(surface, 1), 0)];
  const values = signed_values(surface);
  if (values) return classes ? [path(values, 0)] : [-0.5, 0, 0.5].map((level) => path(values, level));
  if (!classes) return [];
  return Array.from({ length: width }, (_, j) => path(lead_of(surface, j), 0));
}

function is_probability(outputs: ArrayLike<number>): boolean {
  for (let k = 0; k < outputs.length; k++) if (outputs[k] < 0 || outputs[k] > 1) return false;
  return true;
}
