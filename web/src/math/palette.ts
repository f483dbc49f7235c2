/** Colours of a theme, as concrete values: figures on screen and exported ones are the same text. */
export interface Palette {
  surface: string;
  ink: string;
  ink_soft: string;
  line: string;
  negative: string; // class 0, negative weights
  positive: string; // class 1, positive weights
  good: string;
  bad: string;
  classes: string[];
  /** 256 × RGB from `negative` over neutral to `positive`, told apart by people who are red-green blind. */
  diverging: Uint8Array;
}

type Rgb = [number, number, number];

function ramp(stops: Rgb[]): Uint8Array {
  const table = new Uint8Array(256 * 3);
  for (let i = 0; i < 256; i++) {
    const at = (i / 255) * (stops.length - 1);
    const k = Math.min(Math.floor(at), stops.length - 2);
    for (let c = 0; c < 3; c++)
      table[i * 3 + c] = Math.round(stops[k][c] + (stops[k + 1][c] - stops[k][c]) * (at - k));
  }
  return table;
}

export const light_palette: Palette = {
  surface: '#ffffff',
  ink: '#1b2430',
  ink_soft: '#5a6572',
  line: '#dfe3e8',
  negative: '#1f66ad',
  positive: '#c2580c',
  good: '#1c7a4a',
  bad: '#b3261e',
  classes: [
    '#1f66ad',
    '#c2580c',
    '#1c7a5c',
    '#8e4a9e',
    '#7a6a00',
    '#a8326a',
    '#4b5563',
    '#00798c',
    '#6b3e26',
    '#c92a2a',
  ],
  diverging: ramp([
    [38, 108, 178],
    [133, 178, 219],
    [246, 246, 244],
    [244, 178, 122],
    [206, 98, 22],
  ]),
};

export const dark_palette: Palette = {
  surface: '#161b22',
  ink: '#e8ecf1',
  ink_soft: '#9aa6b4',
  line: '#2b333e',
  negative: '#6cb0f5',
  positive: '#f6a15b',
  good: '#5cc78e',
  bad: '#ff8a80',
  classes: [
    '#6cb0f5',
    '#f6a15b',
    '#5cc7a6',
    '#cf9be0',
    '#d4c14a',
    '#f08ab8',
    '#a3adb8',
    '#4fc3d4',
    '#c79a7b',
    '#ff7b72',
  ],
  diverging: ramp([
    [66, 143, 219],
    [42, 88, 135],
    [28, 33, 41],
    [140, 82, 36],
    [226, 132, 55],
  ]),
};

/** `#rrggbb` as three bytes. */
export function rgb(colour: string): Rgb {
  const value = Number.parseInt(colour.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** Index into `diverging` for a value in [-1, 1]; beyond it the ends. */
export const diverging_index = (value: number) => Math.max(0, Math.min(255, Math.round((value + 1) * 127.5)));

export function diverging_colour(palette: Palette, value: number): string {
  const i = diverging_index(value) * 3;
  return `rgb(${palette.diverging[i]}, ${palette.diverging[i + 1]}, ${palette.diverging[i + 2]})`;
}
