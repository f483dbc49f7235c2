import type { Activity } from '../math/activity';
import type { Window } from '../math/projection';
import type { Surface } from '../math/surface';

export type Cell = number | string | null;
export interface Numbers {
  header: string[];
  rows: Cell[][];
}

/** The numbers behind a picture, made when somebody wants them. */
export interface Table {
  /** Of its CSV file. */
  name: string;
  /** A word for the menu (empty where there is but one table), and a sentence above the table. */
  title: string;
  caption: string;
  numbers: () => Numbers;
  /** What is read on the page, where all would be too much; its first column names the rows. */
  overview?: () => Numbers;
}

const kOverviewSize = 11;
const place = (window: Window, size: number, row: number, column: number): [number, number] => [
  window.x0 + ((window.x1 - window.x0) * column) / (size - 1),
  window.y1 - ((window.y1 - window.y0) * row) / (size - 1),
];

/** Every point of a surface's grid with every output there. */
export function surface_rows(surface: Surface, window: Window, names: [string, string]): Numbers {
  const { size, width, outputs } = surface;
  const rows: Cell[][] = [];
  for (let r = 0; r < size; r++)
    for (let c = 0; c < size; c++) {
      const start = (r * size + c) * width;
      rows.push([
        ...place(window, size, r, c),
        ...Array.from({ length: width }, (_, j) => outputs[start + j]),
      ]);
    }
  return { header: [...names, ...Array.from({ length: width }, (_, j) => `output ${j + 1}`)], rows };
}

/** The same as a small map to read: rows from the top, one value each, or the strongest class and its share. */
export function surface_overview(surface: Surface, window: Window, names: [string, string]): Numbers {
  const { size, width, outputs } = surface;
  const count = Math.min(kOverviewSize, size);
  const at = Array.from({ length: count }, (_, k) => Math.round((k * (size - 1)) / (count - 1)));
  const value = (r: number, c: number): Cell => {
    const answer = Array.from({ length: width }, (_, j) => outputs[(r * size + c) * width + j]);
    if (width <= 2) return Number(answer[width - 1].toPrecision(3));
    const best = answer.indexOf(Math.max(...answer));
    return `${best} (${answer[best].toFixed(2)})`;
  };
  const round = (number: number) => Number(number.toPrecision(3));
  return {
    header: [`${names[1]} ＼ ${names[0]}`, ...at.map((c) => String(round(place(window, size, 0, c)[0])))],
    rows: at.map((r) => [round(place(window, size, r, 0)[1]), ...at.map((c) => value(r, c))]),
  };
}

const neurons_of = (activity: Activity) =>
  activity.parameters.bricks.flatMap((brick, layer) =>
    Array.from({ length: brick.units }, (_, unit) => ({
      layer,
      unit,
      value: (k: number) => activity.outputs[layer][k * brick.units + unit],
    })),
  );

/** Every neuron's answer at every point of the grid, a column for each neuron. */
export function activity_rows(activity: Activity, names: string[]): Numbers {
  const { inputs } = activity.parameters;
  const neurons = neurons_of(activity);
  return {
    header: [
      ...Array.from({ length: inputs }, (_, j) => names[j] ?? `x${j + 1}`),
      ...neurons.map(({ layer, unit }) => `layer ${layer + 1} neuron ${unit + 1}`),
    ],
    rows: Array.from({ length: activity.size ** 2 }, (_, k) => [
      ...activity.inputs.subarray(k * inputs, (k + 1) * inputs),
      ...neurons.map((one) => one.value(k)),
    ]),
  };
}

/** What each neuron's heat map spans, and its answer in the middle of each side of the plane. */
export function activity_overview(activity: Activity): Numbers {
  const { size } = activity;
  const middle = Math.floor(size / 2);
  const last = size - 1;
  const sides = [0, middle, middle, last].map((r, k) => r * size + [middle, 0, last, middle][k]);
  const round = (number: number) => Number(number.toPrecision(4));
  return {
    header: ['layer', 'neuron', 'least', 'mean', 'largest', 'top', 'left', 'right', 'bottom'],
    rows: neurons_of(activity).map(({ layer, unit, value }) => {
      let [least, sum, largest] = [Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY];
      for (let k = 0; k < size * size; k++) {
        const one = value(k);
        least = Math.min(least, one);
        largest = Math.max(largest, one);
        sum += one;
      }
      const spread = [least, sum / size ** 2, largest].map(round);
      return [layer + 1, unit + 1, ...spread, ...sides.map((k) => round(value(k)))];
    }),
  };
}
