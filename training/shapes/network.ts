/**
 * A multilayer perceptron in plain TypeScript, with its exact gradient by backpropagation (Rumelhart, Hinton & Williams 1986):
 * tanh between the layers, the last one as it is or squashed into (0, 1).
 */
import { type Adam, adam } from "../../src/math/adam.ts";
import { type Key, fold } from "../../src/key.ts";
import { random } from "../../src/math/random.ts";

export interface Network {
  /** Width of each layer, the input first. */
  readonly widths: readonly number[];
  readonly output: "linear" | "sigmoid";
  /** For each layer after the input: weights [out × in], then biases [out]. */
  readonly weights: readonly Float64Array[];
}

/** Glorot & Bengio 2010, eq. 16: uniform in ±√(6 / (in + out)); biases 0. */
export function freshNetwork(widths: readonly number[], output: Network["output"], key: Key): Network {
  const weights = widths.slice(1).map((outputs, layer) => {
    const inputs = widths[layer] as number;
    const most = Math.sqrt(6 / (inputs + outputs));
    const stream = random(fold(key, layer));
    return Float64Array.from({ length: outputs * (inputs + 1) }, (_, i) =>
      i < outputs * inputs ? most * (2 * stream.uniform() - 1) : 0,
    );
  });
  return { widths, output, weights };
}

/** The values of every layer, the input first. */
export function activations({ widths, output, weights }: Network, input: ArrayLike<number>): Float64Array[] {
  const layers = [Float64Array.from(input)];
  for (const [layer, matrix] of weights.entries()) {
    const before = layers[layer] as Float64Array;
    const [inputs, outputs] = [widths[layer] as number, widths[layer + 1] as number];
    const last = layer === weights.length - 1;
    const after = new Float64Array(outputs);
    for (let o = 0; o < outputs; o++) {
      let sum = matrix[outputs * inputs + o] as number;
      for (let i = 0, at = o * inputs; i < inputs; i++, at++) sum += (matrix[at] as number) * (before[i] as number);
      after[o] = !last ? Math.tanh(sum) : output === "sigmoid" ? 1 / (1 + Math.exp(-sum)) : sum;
    }
    layers.push(after);
  }
  return layers;
}

export const outputOf = (network: Network, input: ArrayLike<number>): Float64Array =>
  activations(network, input).at(-1) as Float64Array;

/**
 * The slope of a number by the input, given its slope by the output; its slope by the weights is added to `sums`, one array a
 * layer, where they are given.
 */
export function backward(
  { widths, output, weights }: Network,
  layers: readonly Float64Array[],
  slope: ArrayLike<number>,
  sums?: readonly Float64Array[],
): Float64Array {
  let above = Float64Array.from(slope);
  for (let layer = weights.length - 1; layer >= 0; layer--) {
    const [inputs, outputs] = [widths[layer] as number, widths[layer + 1] as number];
    const [before, after] = [layers[layer] as Float64Array, layers[layer + 1] as Float64Array];
    const [matrix, sum] = [weights[layer] as Float64Array, sums?.[layer]];
    const last = layer === weights.length - 1;
    const below = new Float64Array(inputs);
    for (let o = 0; o < outputs; o++) {
      const y = after[o] as number;
      const g = (above[o] as number) * (!last ? 1 - y * y : output === "sigmoid" ? y * (1 - y) : 1);
      for (let i = 0, at = o * inputs; i < inputs; i++, at++) {
        below[i] = (below[i] as number) + g * (matrix[at] as number);
        if (sum) sum[at] = (sum[at] as number) + g * (before[i] as number);
      }
      if (sum) sum[outputs * inputs + o] = (sum[outputs * inputs + o] as number) + g;
    }
    above = below;
  }
  return above;
}

/** Adam for every layer of a network. */
export interface Trainer {
  /** To which `backward` adds; emptied by `step`. */
  readonly sums: readonly Float64Array[];
  /** Downhill, by the mean over `count` examples. */
  step(rate: number, count: number): void;
}

export function trainer({ weights }: Network): Trainer {
  const sums = weights.map((matrix) => new Float64Array(matrix.length));
  const steppers: Adam[] = weights.map((matrix) => adam(matrix.length));
  return {
    sums,
    step(rate, count) {
      for (const [layer, matrix] of weights.entries()) {
        const sum = sums[layer] as Float64Array;
        (steppers[layer] as Adam).step(
          matrix,
          sum.map((g) => g / count),
          -rate,
        );
        sum.fill(0);
      }
    },
  };
}
