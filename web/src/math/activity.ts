import { forward, type Parameters } from './forward';
import type { Palette } from './palette';
import { diverging_index } from './palette';

/** What every brick answers at every point of a grid. */
export interface Activity {
  size: number;
  inputs: Float64Array;
  outputs: Float64Array[];
  parameters: Parameters;
}

export function activity_of(parameters: Parameters, inputs: Float64Array, size: number): Activity {
  return { size, inputs, outputs: forward(parameters, inputs, size * size), parameters };
}

/** Paints one neuron's answer over the grid: full colour at ±1 for bounded activations, else at its largest value. */
export function paint_unit(
  activity: Activity,
  layer: number,
  unit: number,
  palette: Palette,
  data: Uint8ClampedArray,
) {
  const brick = layer < 0 ? null : activity.parameters.bricks[layer];
  const width = brick ? brick.units : activity.parameters.inputs;
  const values = brick ? activity.outputs[layer] : activity.inputs;
  const kind = brick?.kind === 'dense' ? brick.activation : 'linear';
  const cells = activity.size * activity.size;
  let [middle, reach] = kind === 'sigmoid' || kind === 'softmax' ? [0.5, 0.5] : [0, 1];
  if (kind !== 'sigmoid' && kind !== 'softmax' && kind !== 'tanh') {
    for (let k = 0; k < cells; k++)
      reach = Math.max(k === 0 ? 1e-9 : reach, Math.abs(values[k * width + unit]));
    middle = 0;
  }
  for (let k = 0; k < cells; k++) {
    const i = diverging_index((values[k * width + unit] - middle) / reach) * 3;
    data[4 * k] = palette.diverging[i];
    data[4 * k + 1] = palette.diverging[i + 1];
    data[4 * k + 2] = palette.diverging[i + 2];
    data[4 * k + 3] = 255;
  }
}
