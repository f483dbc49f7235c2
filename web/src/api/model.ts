import type { Brick, Parameters } from '../math/forward';
import type { LayerSpec, NetworkSpec } from './types';

/** A JSON model document, as far as the dashboard reads it (docs/model-format.md). */
export interface ModelDocument {
  step: number;
  spec: NetworkSpec;
  parameters: unknown;
  [field: string]: unknown;
}

type Block = Record<string, unknown>;

/** An array of the document in either of its forms, flat. */
export function numbers_of(value: unknown): Float64Array | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return Float64Array.from(value.flat(3) as number[]);
  const packed = value as { base64?: string; dtype?: string; values?: unknown };
  if (packed.values !== undefined) return numbers_of(packed.values);
  if (typeof packed.base64 !== 'string') return null;
  const bytes = Uint8Array.from(atob(packed.base64), (letter) => letter.charCodeAt(0));
  return packed.dtype === 'float64' ? new Float64Array(bytes.buffer) : Float64Array.from(new Float32Array(bytes.buffer));
}

function bricks_of(layers: LayerSpec[], blocks: Block[], width: number): { bricks: Brick[]; width: number } {
  let units = width;
  const bricks = layers.map((layer, i): Brick => {
    const block = blocks[i] ?? {};
    switch (layer.type ?? 'dense') {
      case 'dense': {
        const inputs = units;
        units = layer.units ?? 1;
        return {
          kind: 'dense',
          inputs,
          units,
          activation: layer.activation ?? 'linear',
          weights: numbers_of(block.weights) ?? new Float64Array(inputs * units),
          bias: numbers_of(block.bias),
        };
      }
      case 'layer_norm':
        return {
          kind: 'layer_norm',
          units,
          epsilon: layer.epsilon ?? 1e-5,
          gain: numbers_of(block.gain ?? block.weights) ?? new Float64Array(units).fill(1),
          offset: numbers_of(block.offset ?? block.bias) ?? new Float64Array(units),
        };
      case 'batch_norm': {
        const gain = numbers_of(block.gain ?? block.weights) ?? new Float64Array(units).fill(1);
        const variance = numbers_of(block.running_variance) ?? new Float64Array(units).fill(1);
        return {
          kind: 'scale',
          units,
          shift: numbers_of(block.running_mean) ?? new Float64Array(units),
          factor: gain.map((value, j) => value / Math.sqrt(variance[j] + (layer.epsilon ?? 1e-5))),
          offset: numbers_of(block.offset ?? block.bias) ?? new Float64Array(units),
        };
      }
      case 'residual': {
        const inner = bricks_of(layer.layers ?? [], (block.layers as Block[]) ?? [], units);
        return { kind: 'residual', units, bricks: inner.bricks };
      }
      default:
        return { kind: 'same', units };
    }
  });
  return { bricks, width: units };
}

export const input_count = (spec: NetworkSpec) =>
  typeof spec.inputs === 'number' ? spec.inputs : spec.inputs.length;

/** The document's parameters, ready to compute with. */
export function parameters_of(model: ModelDocument): Parameters {
  const inputs = input_count(model.spec);
  const blocks = (
    Array.isArray(model.parameters) ? model.parameters : ((model.parameters as Block)?.layers ?? [])
  ) as Block[];
  return { inputs, bricks: bricks_of(model.spec.layers, blocks, inputs).bricks };
}
