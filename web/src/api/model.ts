import type { Brick, Parameters } from '../math/forward';
import type { LayerSpec, NetworkSpec } from './types';

/** A JSON model document, as far as the dashboard reads it (docs/model-format.md). */
export interface ModelDocument {
  step: number;
  spec: NetworkSpec;
  parameters: unknown;
  arrays?: Record<string, unknown>;
  preprocess?: unknown;
  [field: string]: unknown;
}

/** An array of the document in either of its forms, flat. */
export function numbers_of(value: unknown): Float64Array {
  if (Array.isArray(value)) return Float64Array.from(value.flat(3) as number[]);
  const packed = value as { base64: string; dtype: string };
  const bytes = Uint8Array.from(atob(packed.base64), (letter) => letter.charCodeAt(0));
  return packed.dtype === 'float64'
    ? new Float64Array(bytes.buffer)
    : Float64Array.from(new Float32Array(bytes.buffer));
}

/** Takes the parameters of one layer after the other out of the flat list. */
class Reader {
  private at = 0;
  private norms = 0;
  constructor(
    private readonly flat: Float64Array,
    private readonly arrays: Record<string, unknown>,
  ) {}

  take(count: number): Float64Array {
    this.at += count;
    return this.flat.subarray(this.at - count, this.at);
  }

  /** Running statistics of the next batch_norm, in whichever place of the stack it stands. */
  running(units: number): { mean: Float64Array; variance: Float64Array } {
    const found = (what: string) => {
      const names = Object.keys(this.arrays).filter(
        (name) => name.startsWith('batch_norm.') && name.endsWith(what),
      );
      return names[this.norms] ? numbers_of(this.arrays[names[this.norms]]) : null;
    };
    const mean = found('mean') ?? new Float64Array(units);
    const variance = found('variance') ?? new Float64Array(units).fill(1);
    this.norms++;
    return { mean, variance };
  }
}

function brick_of(layer: LayerSpec, inputs: number, reader: Reader): Brick {
  const units = layer.units ?? 1;
  switch (layer.type ?? 'dense') {
    case 'dense': {
      const weights = reader.take(inputs * units);
      const bias = layer.bias === false ? null : reader.take(units);
      return { kind: 'dense', inputs, units, activation: layer.activation ?? 'linear', weights, bias };
    }
    case 'layer_norm': {
      const gain = reader.take(inputs);
      return {
        kind: 'layer_norm',
        units: inputs,
        epsilon: layer.epsilon ?? 1e-5,
        gain,
        offset: reader.take(inputs),
      };
    }
    case 'batch_norm': {
      const gain = reader.take(inputs);
      const offset = reader.take(inputs);
      const { mean, variance } = reader.running(inputs);
      const factor = gain.map((value, j) => value / Math.sqrt(variance[j] + (layer.epsilon ?? 1e-5)));
      return { kind: 'scale', units: inputs, shift: mean, factor, offset };
    }
    case 'residual':
      return { kind: 'residual', units: inputs, bricks: bricks_of(layer.layers ?? [], inputs, reader) };
    case 'dropout':
      return { kind: 'same', units: inputs };
  }
}

function bricks_of(layers: LayerSpec[], inputs: number, reader: Reader): Brick[] {
  const bricks: Brick[] = [];
  for (const layer of layers) bricks.push(brick_of(layer, bricks.at(-1)?.units ?? inputs, reader));
  return bricks;
}

/** The document's parameters, ready to compute with. */
export function parameters_of(model: ModelDocument): Parameters {
  const { spec } = model;
  const reader = new Reader(numbers_of(model.parameters), model.arrays ?? {});
  return { inputs: spec.inputs, bricks: bricks_of(spec.layers, spec.inputs, reader) };
}
