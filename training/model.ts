/**
 * A Llama decoder in jax-js: forward pass, loss, and one step of AdamW.
 *
 * Pre-norm with RMSNorm, rotary positions in interleaved pairs (2i, 2i+1), SwiGLU, tied embeddings, no biases: Touvron et
 * al. 2023, arXiv:2302.13971, §2.2. Matrices are stored [in, out]. The order of the pairs is llama.cpp's, so that export
 * needs no permutation; test/training-parity.test.ts holds the two to 1e-5.
 *
 * jax-js counts references: an operation consumes its arguments, and `.ref` keeps one for later.
 */
import { jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { random } from "../src/math/random.ts";
import type { Key } from "../src/key.ts";
import { fold } from "../src/key.ts";
import { begin, normEpsilon, ropeBase, type Shape, vocabulary } from "./config.ts";

/** Name → array. The names are those of the GGUF tensors, less `.weight`. */
export type Weights = Record<string, np.Array>;

export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/** A batch as the model wants it; letters: B rows, T positions, V tokens, P = head width / 2 pairs. */
export interface Batch {
  readonly tokens: Int32Array<ArrayBuffer>; // [B, T]
  /** Rotary angles. */
  readonly cos: Float32Array<ArrayBuffer>; // [B, T, 1, P]
  readonly sin: Float32Array<ArrayBuffer>; // [B, T, 1, P]
  /** 0 where a position sees another, -1e9 where it does not. */
  readonly bias: Float32Array<ArrayBuffer>; // [B, 1, T, T]
  /** Weight of each target token in the loss; they sum to 1. */
  readonly targets: Float32Array<ArrayBuffer>; // [B, T, V]
}

/** Names and shapes of all weights; norms are vectors. */
export function shapesOf({ width, layers, hidden }: Shape): [name: string, shape: number[]][] {
  const shapes: [string, number[]][] = [["token_embd", [vocabulary.length, width]]];
  for (let layer = 0; layer < layers; layer++) {
    const at = `blk.${layer}.`;
    shapes.push([`${at}attn_norm`, [width]]);
    for (const name of ["attn_q", "attn_k", "attn_v", "attn_output"]) shapes.push([at + name, [width, width]]);
    shapes.push([`${at}ffn_norm`, [width]]);
    shapes.push(
      [`${at}ffn_gate`, [width, hidden]],
      [`${at}ffn_up`, [width, hidden]],
      [`${at}ffn_down`, [hidden, width]],
    );
  }
  shapes.push(["output_norm", [width]]);
  return shapes;
}

/** Norms 1, matrices N(0, 0.02²), those that write to the residual stream scaled by 1/√(2·layers): GPT-2 (Radford et al. 2019), §2.3. */
export function initial(shape: Shape, key: Key): Record<string, Tensor> {
  const weights: Record<string, Tensor> = {};
  for (const [name, dims] of shapesOf(shape)) {
    const { normal } = random(fold(key, name));
    const deviation =
      name.endsWith("attn_output") || name.endsWith("ffn_down") ? 0.02 / Math.sqrt(2 * shape.layers) : 0.02;
    const size = dims.reduce((a, b) => a * b);
    weights[name] = {
      shape: dims,
      data: Float32Array.from({ length: size }, () => (dims.length === 1 ? 1 : deviation * normal())),
    };
  }
  return weights;
}

export function toDevice(tensors: Readonly<Record<string, Tensor>>): Weights {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, np.array(data, { shape: [...shape] })]),
  );
}

export async function fromDevice(weights: Weights): Promise<Record<string, Tensor>> {
  const tensors: Record<string, Tensor> = {};
  for (const [name, array] of Object.entries(weights))
    tensors[name] = { shape: array.shape, data: new Float32Array(await array.ref.data()) };
  return tensors;
}

function normalise(x: np.Array, gain: np.Array): np.Array {
  const meanSquare = np.mean(np.square(x.ref), -1, { keepdims: true });
  return x.div(np.sqrt(meanSquare.add(normEpsilon))).mul(gain);
}

// Turns each pair by its angle. x: [B, T, heads, 2P]
function rotate(x: np.Array, cos: np.Array, sin: np.Array): np.Array {
  const [b, t, heads, size] = x.shape as [number, number, number, number];
  const pairs = x.reshape([b, t, heads, size / 2, 2]);
  const even = pairs.ref.slice([], [], [], [], 0);
  const odd = pairs.slice([], [], [], [], 1);
  const turned = np.stack([even.ref.mul(cos.ref).sub(odd.ref.mul(sin.ref)), even.mul(sin).add(odd.mul(cos))], -1);
  return turned.reshape([b, t, heads, size]);
}

type Inputs = { [name in keyof Batch]: np.Array };

/** Log-probabilities of the next token, [B, T, V]. Consumes what it is given. */
export function forward(shape: Shape, weights: Weights, inputs: Omit<Inputs, "targets">): np.Array {
  const { width, heads, layers } = shape;
  const size = width / heads;
  const { tokens, cos, sin, bias } = inputs;
  const [b, t] = tokens.shape as [number, number];
  const weight = (name: string): np.Array => weights[name] as np.Array;
  const embedding = weight("token_embd");
  let x = embedding.ref.slice(tokens); // [B, T, width]: a gather; a one-hot product costs a third of the step more
  for (let layer = 0; layer < layers; layer++) {
    const at = (name: string): np.Array => weight(`blk.${layer}.${name}`);
    const h = normalise(x.ref, at("attn_norm"));
    const split = (name: string): np.Array => np.matmul(h.ref, at(name)).reshape([b, t, heads, size]);
    const q = rotate(split("attn_q"), cos.ref, sin.ref).transpose([0, 2, 1, 3]); // [B, heads, T, size]
    const k = rotate(split("attn_k"), cos.ref, sin.ref).transpose([0, 2, 3, 1]); // [B, heads, size, T]
    const v = split("attn_v").transpose([0, 2, 1, 3]);
    h.dispose();
    const attention = nn.softmax(
      np
        .matmul(q, k)
        .mul(1 / Math.sqrt(size))
        .add(bias.ref),
      -1,
    );
    const mixed = np.matmul(attention, v).transpose([0, 2, 1, 3]).reshape([b, t, width]);
    x = x.add(np.matmul(mixed, at("attn_output")));
    const g = normalise(x.ref, at("ffn_norm"));
    const gate = nn.silu(np.matmul(g.ref, at("ffn_gate")));
    x = x.add(np.matmul(gate.mul(np.matmul(g, at("ffn_up"))), at("ffn_down")));
  }
  for (const array of [cos, sin, bias]) array.dispose();
  return nn.logSoftmax(np.matmul(normalise(x, weight("output_norm")), embedding.transpose()), -1);
}

export interface Optimiser {
  readonly weights: Weights;
  /** Moments of AdamW. */
  readonly first: Weights;
  readonly second: Weights;
}

const zeros = (shape: Shape): Weights =>
  Object.fromEntries(shapesOf(shape).map(([name, dims]) => [name, np.zeros(dims)]));

export function freshOptimiser(shape: Shape, weights: Weights): Optimiser {
  return { weights, first: zeros(shape), second: zeros(shape) };
}

export const toInputs = (batch: Batch, rows: number, positions: number, shape: Shape): Inputs => {
  const pairs = shape.width / shape.heads / 2;
  return {
    tokens: np.array(batch.tokens, { shape: [rows, positions], dtype: np.int32 }),
    cos: np.array(batch.cos, { shape: [rows, positions, 1, pairs] }),
    sin: np.array(batch.sin, { shape: [rows, positions, 1, pairs] }),
    bias: np.array(batch.bias, { shape: [rows, 1, positions, positions] }),
    targets: np.array(batch.targets, { shape: [rows, positions, vocabulary.length] }),
  };
};

/** The rotary angles of positions, as [positions, 1, pairs]. */
export function angles(
  at: ArrayLike<number>,
  shape: Shape,
): { cos: Float32Array<ArrayBuffer>; sin: Float32Array<ArrayBuffer> } {
  const size = shape.width / shape.heads;
  const pairs = size / 2;
  const cos = new Float32Array(at.length * pairs);
  const sin = new Float32Array(at.length * pairs);
  for (let i = 0; i < at.length; i++)
    for (let p = 0; p < pairs; p++) {
      const angle = (at[i] as number) * ropeBase ** ((-2 * p) / size);
      cos[i * pairs + p] = Math.cos(angle);
      sin[i * pairs + p] = Math.sin(angle);
    }
  return { cos, sin };
}

const beta1 = 0.9;
const beta2 = 0.98;
const decay = 0.05;
const clip = 1;

/**
 * One step of AdamW (Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2) with the gradient clipped to norm 1.
 * `rates` is [learning rate, 1/(1 - beta1^t), 1/(1 - beta2^t)]: an array, so that one compiled kernel serves all steps.
 */
export function trainingStep(
  shape: Shape,
): (optimiser: Optimiser, inputs: Inputs, rates: np.Array) => [np.Array, Optimiser] {
  const loss = (weights: Weights, { targets, ...inputs }: Inputs): np.Array =>
    np.sum(forward(shape, weights, inputs).mul(targets)).neg();
  const step = (optimiser: Optimiser, inputs: Inputs, rates: np.Array): [np.Array, Optimiser] => {
    const [value, gradient] = valueAndGrad(loss)(tree.ref(optimiser.weights), inputs) as unknown as [np.Array, Weights];
    const names = Object.keys(gradient);
    const norm = np.sqrt(
      names.map((name) => np.sum(np.square((gradient[name] as np.Array).ref))).reduce((a, b) => a.add(b)),
    );
    const shrink = np.minimum(np.array(1), np.array(clip).div(norm.add(1e-6)));
    const next: Optimiser = { weights: {}, first: {}, second: {} };
    for (const name of names) {
      const g = (gradient[name] as np.Array).mul(shrink.ref);
      const w = optimiser.weights[name] as np.Array;
      const m = (optimiser.first[name] as np.Array).mul(beta1).add(g.ref.mul(1 - beta1));
      const v = (optimiser.second[name] as np.Array).mul(beta2).add(np.square(g).mul(1 - beta2));
      const update = m.ref.mul(rates.ref.slice(1)).div(np.sqrt(v.ref.mul(rates.ref.slice(2))).add(1e-8));
      const shrunk = w.shape.length > 1 ? update.add(w.ref.mul(decay)) : update; // norms do not decay
      next.weights[name] = w.sub(shrunk.mul(rates.ref.slice(0)));
      next.first[name] = m;
      next.second[name] = v;
    }
    shrink.dispose();
    rates.dispose();
    return [value, next];
  };
  return jit(step as never) as unknown as typeof step;
}

/** The next-token probabilities at every position of one text, [positions, vocabulary]. For tests of export. */
export async function probabilities(
  shape: Shape,
  tensors: Readonly<Record<string, Tensor>>,
  text: readonly number[],
): Promise<Float32Array> {
  const tokens = [begin, ...text];
  const n = tokens.length;
  const { cos, sin } = angles(Array.from(tokens.keys()), shape);
  const bias = Float32Array.from({ length: n * n }, (_, at) => (at % n <= Math.floor(at / n) ? 0 : -1e9));
  const targets = new Float32Array(n * vocabulary.length);
  const { targets: unused, ...inputs } = toInputs(
    { tokens: Int32Array.from(tokens), cos, sin, bias, targets },
    1,
    n,
    shape,
  );
  unused.dispose();
  return new Float32Array(await np.exp(forward(shape, toDevice(tensors), inputs)).data());
}
