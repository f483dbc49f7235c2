/** A network's parameters, ready to compute with. */
export type Brick =
  | {
      kind: 'dense';
      inputs: number;
      units: number;
      activation: string;
      weights: Float64Array;
      bias: Float64Array | null;
    }
  | { kind: 'scale'; units: number; shift: Float64Array; factor: Float64Array; offset: Float64Array }
  | { kind: 'layer_norm'; units: number; epsilon: number; gain: Float64Array; offset: Float64Array }
  | { kind: 'residual'; units: number; bricks: Brick[] }
  | { kind: 'same'; units: number };

export interface Parameters {
  inputs: number;
  bricks: Brick[];
}

function erf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const y =
    1 -
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) *
      t *
      Math.exp(-x * x);
  return x < 0 ? -y : y;
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Element by element; softmax works on whole rows and is apart. */
export const activations: Record<string, (z: number) => number> = {
  linear: (z) => z,
  sigmoid,
  tanh: Math.tanh,
  relu: (z) => Math.max(0, z),
  leaky_relu: (z) => (z > 0 ? z : 0.01 * z),
  elu: (z) => (z > 0 ? z : Math.expm1(z)),
  gelu: (z) => 0.5 * z * (1 + erf(z / Math.SQRT2)),
  silu: (z) => z * sigmoid(z),
  softplus: (z) => Math.log1p(Math.exp(-Math.abs(z))) + Math.max(z, 0),
};

function softmax_rows(values: Float64Array, units: number) {
  for (let start = 0; start < values.length; start += units) {
    let largest = Number.NEGATIVE_INFINITY;
    for (let j = 0; j < units; j++) largest = Math.max(largest, values[start + j]);
    let sum = 0;
    for (let j = 0; j < units; j++) {
      values[start + j] = Math.exp(values[start + j] - largest);
      sum += values[start + j];
    }
    for (let j = 0; j < units; j++) values[start + j] /= sum;
  }
}

function dense(brick: Extract<Brick, { kind: 'dense' }>, x: Float64Array, rows: number): Float64Array {
  const { inputs, units, weights, bias } = brick;
  const out = new Float64Array(rows * units);
  for (let r = 0; r < rows; r++) {
    const to = r * units;
    if (bias) out.set(bias, to);
    for (let i = 0; i < inputs; i++) {
      const value = x[r * inputs + i];
      if (value === 0) continue;
      const from = i * units;
      for (let j = 0; j < units; j++) out[to + j] += value * weights[from + j];
    }
  }
  if (brick.activation === 'softmax') softmax_rows(out, units);
  else if (brick.activation !== 'linear') {
    const f = activations[brick.activation] ?? activations.linear;
    for (let k = 0; k < out.length; k++) out[k] = f(out[k]);
  }
  return out;
}

function layer_norm(brick: Extract<Brick, { kind: 'layer_norm' }>, x: Float64Array): Float64Array {
  const { units, gain, offset, epsilon } = brick;
  const out = new Float64Array(x.length);
  for (let start = 0; start < x.length; start += units) {
    let mean = 0;
    for (let j = 0; j < units; j++) mean += x[start + j];
    mean /= units;
    let variance = 0;
    for (let j = 0; j < units; j++) variance += (x[start + j] - mean) ** 2;
    const factor = 1 / Math.sqrt(variance / units + epsilon);
    for (let j = 0; j < units; j++) out[start + j] = (x[start + j] - mean) * factor * gain[j] + offset[j];
  }
  return out;
}

function apply(brick: Brick, x: Float64Array, rows: number): Float64Array {
  switch (brick.kind) {
    case 'dense':
      return dense(brick, x, rows);
    case 'layer_norm':
      return layer_norm(brick, x);
    case 'scale':
      return x.map((value, k) => {
        const j = k % brick.units;
        return (value - brick.shift[j]) * brick.factor[j] + brick.offset[j];
      });
    case 'residual': {
      const inner = brick.bricks.reduce((value, part) => apply(part, value, rows), x);
      return inner.map((value, k) => value + x[k]);
    }
    case 'same':
      return x;
  }
}

/** The outputs of every brick for `rows` rows of inputs (row-major); dropout does nothing, as in prediction. */
export function forward(parameters: Parameters, inputs: Float64Array, rows: number): Float64Array[] {
  const outputs: Float64Array[] = [];
  let x = inputs;
  for (const brick of parameters.bricks) {
    x = apply(brick, x, rows);
    outputs.push(x);
  }
  return outputs;
}

/** How many multiplications one row costs: decides how fine a picture may be. */
export const cost = (bricks: Brick[]): number =>
  bricks.reduce(
    (sum, brick) =>
      sum +
      (brick.kind === 'dense'
        ? brick.inputs * brick.units + 8 * brick.units
        : brick.kind === 'residual'
          ? cost(brick.bricks)
          : brick.units),
    0,
  );
