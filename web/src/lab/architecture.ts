import type { LayerSpec, NetworkSpec } from '../api/types';
import type { Parameters } from '../math/forward';

/** A small number that depends on its place alone, so that the same change always gives the same network. */
function small(layer: number, i: number, j: number, reach: number): number {
  const wave = Math.sin(12.9898 * (i + 1) + 78.233 * (j + 1) + 37.719 * (layer + 1)) * 43758.5453;
  return Number(((2 * (wave - Math.floor(wave)) - 1) * reach).toFixed(6));
}

const dense = (layer: LayerSpec) => (layer.type ?? 'dense') === 'dense';

/** Layers without given numbers: what a network is, apart from what it learned. */
export const bare_layers = (layers: LayerSpec[]): LayerSpec[] =>
  layers.map(({ weights: _, bias, ...rest }) => (bias === false ? { ...rest, bias: false } : rest));

/**
 * The layers with their present numbers written in, after a change of shape: what fits is kept, new weights are small,
 * and nothing is given for a layer whose place changed.
 */
export function layers_with_numbers(
  layers: LayerSpec[],
  inputs: number,
  old: Parameters | null,
): LayerSpec[] {
  let width = inputs;
  return bare_layers(layers).map((layer, k) => {
    if (!dense(layer)) return layer;
    const units = layer.units ?? 1;
    const before = old?.bricks[k];
    const from = width;
    width = units;
    if (before?.kind !== 'dense') return layer;
    const reach = Math.sqrt(6 / (from + units));
    const weights = Array.from({ length: from }, (_, i) =>
      Array.from({ length: units }, (_, j) =>
        i < before.inputs && j < before.units ? before.weights[i * before.units + j] : small(k, i, j, reach),
      ),
    );
    if (layer.bias === false) return { ...layer, weights };
    const bias = Array.from({ length: units }, (_, j) =>
      before.bias && j < before.units ? before.bias[j] : 0,
    );
    return { ...layer, weights, bias };
  });
}

export const kUnitsMax = 64;
export const kHiddenMax = 6;

/** Adds or removes neurons of a hidden layer. */
export function with_units(layers: LayerSpec[], index: number, change: number): LayerSpec[] {
  return layers.map((layer, k) =>
    k === index ? { ...layer, units: Math.max(1, Math.min(kUnitsMax, (layer.units ?? 1) + change)) } : layer,
  );
}

export const with_activation = (layers: LayerSpec[], index: number, activation: string): LayerSpec[] =>
  layers.map((layer, k) => (k === index ? { ...layer, activation } : layer));

/** Adds a hidden layer before the output. */
export function with_layer_added(layers: LayerSpec[]): LayerSpec[] {
  const last_hidden = layers.slice(0, -1).findLast(dense);
  const added: LayerSpec = {
    type: 'dense',
    units: last_hidden?.units ?? 4,
    activation: last_hidden?.activation ?? 'tanh',
  };
  return [...layers.slice(0, -1), added, layers[layers.length - 1]];
}

export function with_layer_removed(layers: LayerSpec[]): LayerSpec[] {
  const index = layers.slice(0, -1).findLastIndex(dense);
  return index < 0 ? layers : layers.filter((_, k) => k !== index);
}

/** A sensible network for rows of this kind. */
export function default_spec(inputs: number, classes: number | null): NetworkSpec {
  return {
    inputs,
    layers: [
      { type: 'dense', units: 8, activation: 'tanh' },
      classes === null
        ? { type: 'dense', units: 1, activation: 'linear' }
        : { type: 'dense', units: Math.max(2, classes), activation: 'softmax' },
    ],
    optimizer: { type: 'adam', learning_rate: 0.05 },
    seed: 7,
  };
}
