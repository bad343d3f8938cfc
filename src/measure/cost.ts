/**
 * What a model's tokens cost, apart from who serves it: operations and bytes out of its shape, and times out of a few timings.
 *
 * Times of a shared server tell of its other users. Narayanan et al. 2023, "Cheaply Evaluating Inference Efficiency Metrics for
 * Autoregressive Transformer APIs", arXiv:2305.02440, propose the idealised runtime instead: that of the model alone on known
 * hardware, which is the time to read the prompt plus a constant time for each further token.
 *
 * - `prefillWork`, `decodeWork`, `generationWork`: operations and bytes of a Llama-shaped model, counted.
 * - `idealisedRuntime`: the time that these need at least on a machine (the roofline: Williams, Waterman & Patterson 2009).
 * - `fitRuntime`: the constants of the law from timings, for a model whose shape or machine is not known.
 */
import { leastSquares } from "../math/linear.ts";
import { checkCount, undefinedValue } from "./estimate.ts";

/** A decoder of Llama's architecture: RMS norm, grouped-query attention, gated feed-forward of three matrices, no biases. */
export interface ModelShape {
  readonly layers: number;
  /** Of the residual stream (`hidden_size`). */
  readonly width: number;
  readonly heads: number;
  /** @default as many as heads */
  readonly keyValueHeads?: number;
  /** @default width / heads */
  readonly headWidth?: number;
  /** Of the feed-forward layer (`intermediate_size`). */
  readonly hidden: number;
  readonly vocabulary: number;
  /** Whether the output matrix is the embedding. @default false */
  readonly tied?: boolean;
  /** @default 2 */
  readonly bytesPerWeight?: number;
  /** Of one number of the key-value cache. @default 2 */
  readonly bytesPerCached?: number;
}

/** Floating-point operations, a multiplication and an addition being two; bytes read from and written to memory. */
export interface Work {
  readonly operations: number;
  readonly bytes: number;
}

/** All weights, embedding and norms included. */
export function parameterCount(shape: ModelShape): number {
  const { layers, width, vocabulary, tied = false } = shape;
  return layers * (layerMatrices(shape) + 2 * width) + width + vocabulary * width * (tied ? 1 : 2);
}

/** Bytes that each token of context takes in the key-value cache. */
export function cacheBytesPerToken(shape: ModelShape): number {
  const { keyValue } = attention(shape);
  return 2 * shape.layers * keyValue * (shape.bytesPerCached ?? 2);
}

/** Reading a prompt and drawing the first token: all prompts of a batch in one pass over the weights. */
export function prefillWork(shape: ModelShape, promptTokens: number, { batch = 1 }: { batch?: number } = {}): Work {
  checkCount("a cost", "promptTokens", promptTokens, 1);
  return pass(shape, { tokens: promptTokens, context: 0, batch });
}

/** Drawing one more token after `context` tokens. */
export function decodeWork(shape: ModelShape, context: number, { batch = 1 }: { batch?: number } = {}): Work {
  checkCount("a cost", "context", context, 1);
  return pass(shape, { tokens: 1, context, batch });
}

/** Prefill, which draws the first token, and a decoding step for each of the others. */
export function generationWork(
  shape: ModelShape,
  { promptTokens, outputTokens, batch = 1 }: { promptTokens: number; outputTokens: number; batch?: number },
): Work {
  checkCount("a cost", "outputTokens", outputTokens, 1);
  let { operations, bytes } = prefillWork(shape, promptTokens, { batch });
  const [first, last] = [promptTokens, promptTokens + outputTokens - 2].map((context) =>
    decodeWork(shape, Math.max(context, 1), { batch }),
  ) as [Work, Work];
  // A step's cost is linear in its context, so the mean of the first and the last is that of all.
  operations += ((outputTokens - 1) * (first.operations + last.operations)) / 2;
  bytes += ((outputTokens - 1) * (first.bytes + last.bytes)) / 2;
  return { operations, bytes };
}

/**
 * One pass: `tokens` new ones after `context` cached ones, in each sequence of the batch. Weights are read once, except for the
 * embedding, of which a row for each token is; the cache of the context is read once and that of the new tokens written once;
 * activations stay on the chip. Logits are for the last token only. Norms, rotations and softmax are not counted: a few per mille.
 */
function pass(shape: ModelShape, { tokens, context, batch }: { tokens: number; context: number; batch: number }): Work {
  checkCount("a cost", "batch", batch, 1);
  const { layers, width, vocabulary, bytesPerWeight = 2 } = shape;
  const { query } = attention(shape);
  // Each token looks at all before it and at itself: a product with the keys and one with the values.
  const pairs = tokens * context + (tokens * (tokens + 1)) / 2;
  const operations =
    batch * (2 * tokens * layers * layerMatrices(shape) + 2 * 2 * layers * query * pairs + 2 * width * vocabulary);
  const weights = layers * (layerMatrices(shape) + 2 * width) + width + width * vocabulary + batch * tokens * width;
  return {
    operations,
    bytes: weights * bytesPerWeight + batch * (context + tokens) * cacheBytesPerToken(shape),
  };
}

function attention(shape: ModelShape): { query: number; keyValue: number } {
  const { width, heads, keyValueHeads = heads, headWidth = width / heads } = shape;
  for (const [name, value] of Object.entries({ ...shape, keyValueHeads, headWidth }))
    if (typeof value === "number" && !(value > 0 && value < Infinity))
      throw new RangeError(`Cannot give a cost as '${name}' must be positive: current value is ${value}`);
  return { query: heads * headWidth, keyValue: keyValueHeads * headWidth };
}

/** Weights of a layer's matrices: queries and outputs, keys and values, gate, up and down. */
function layerMatrices(shape: ModelShape): number {
  const { query, keyValue } = attention(shape);
  return shape.width * (2 * query + 2 * keyValue + 3 * shape.hidden);
}

export interface Machine {
  readonly operationsPerSecond: number;
  readonly bytesPerSecond: number;
}

/** The least time that one pass can take: what is slower, computing or moving. */
export const idealisedSeconds = ({ operations, bytes }: Work, machine: Machine): number =>
  Math.max(operations / machine.operationsPerSecond, bytes / machine.bytesPerSecond);

/** The idealised runtime of a generation: the prompt in one pass, then a pass for each token after the first. */
export function idealisedRuntime(
  shape: ModelShape,
  { promptTokens, outputTokens, batch = 1 }: { promptTokens: number; outputTokens: number; batch?: number },
  machine: Machine,
): number {
  checkCount("a runtime", "outputTokens", outputTokens, 1);
  let seconds = idealisedSeconds(prefillWork(shape, promptTokens, { batch }), machine);
  for (let i = 1; i < outputTokens; i++)
    seconds += idealisedSeconds(decodeWork(shape, promptTokens + i - 1, { batch }), machine);
  return seconds;
}

export interface Timing {
  readonly promptTokens: number;
  readonly outputTokens: number;
  readonly seconds: number;
}

/** seconds = fixed + perPromptToken · promptTokens + perOutputToken · (outputTokens − 1) */
export interface Runtime {
  readonly fixed: number;
  readonly perPromptToken: number;
  readonly perOutputToken: number;
}

export const secondsOf = (
  { fixed, perPromptToken, perOutputToken }: Runtime,
  { promptTokens, outputTokens }: Pick<Timing, "promptTokens" | "outputTokens">,
): number => fixed + perPromptToken * promptTokens + perOutputToken * (outputTokens - 1);

export type RuntimeFit =
  | {
      readonly value: Runtime;
      readonly why?: undefined;
      /** Root mean square of fitted / measured − 1, over the shapes; what to expect at shapes between those. */
      readonly relativeError: number;
      readonly shapes: number;
    }
  | { readonly value: undefined; readonly why: string };

/**
 * The runtime law from timings, by least squares of the relative error with constants >= 0. Of repeats of a shape (equal prompt and
 * output) the fastest counts: other users only make a request slower, so that a few repeats see through them. Undefined unless
 * prompt and output vary, apart from each other, over four shapes at least.
 */
export function fitRuntime(timings: readonly Timing[]): RuntimeFit {
  const fastest = new Map<string, Timing>();
  for (const timing of timings) {
    const { promptTokens, outputTokens, seconds } = timing;
    checkCount("a runtime", "promptTokens", promptTokens, 0);
    checkCount("a runtime", "outputTokens", outputTokens, 1);
    if (!(seconds > 0 && seconds < Infinity))
      throw new RangeError(`Cannot fit a runtime as 'seconds' must be positive: current value is ${seconds}`);
    const shape = `${promptTokens} ${outputTokens}`;
    if (seconds < (fastest.get(shape)?.seconds ?? Infinity)) fastest.set(shape, timing);
  }
  const used = [...fastest.values()];
  if (used.length < 4) return undefinedValue(`${used.length} shapes are too few for a law of three numbers`);
  const columns = [
    used.map(() => 1),
    used.map(({ promptTokens }) => promptTokens),
    used.map(({ outputTokens }) => outputTokens - 1),
  ];
  if (new Set(columns[1]).size < 2) return undefinedValue("all prompts are equally long: their cost is not defined");
  if (new Set(columns[2]).size < 2) return undefinedValue("all outputs are equally long: their cost is not defined");
  const [, x = [], y = []] = columns.map(centred);
  const [xx, yy, xy] = [
    [x, x],
    [y, y],
    [x, y],
  ].map(([a = [], b = []]) => a.reduce((s, v, i) => s + v * (b[i] as number), 0)) as [number, number, number];
  if (xy ** 2 > (1 - 1e-6) * xx * yy)
    return undefinedValue("prompts and outputs grow together: their costs cannot be told apart");

  // Of all choices of constants that are not 0, the best one without a negative.
  let best: { error: number; constants: number[] } | undefined;
  for (let choice = 1; choice < 8; choice++) {
    const members = [0, 1, 2].filter((j) => choice & (1 << j));
    const scales = members.map((j) => (columns[j] as number[]).reduce((a, b) => Math.max(a, b)));
    const rows = used.map(({ seconds }, i) =>
      members.map((j, m) => (columns[j]?.[i] as number) / (scales[m] as number) / seconds),
    );
    const fitted = leastSquares(rows, Array(used.length).fill(1));
    if (fitted.some((constant) => constant < 0)) continue;
    const errors = rows.map((row) => row.reduce((sum, value, m) => sum + value * (fitted[m] as number), -1));
    const error = Math.sqrt(errors.reduce((sum, value) => sum + value * value, 0) / used.length);
    if (best && error >= best.error * (1 - 1e-9)) continue;
    const constants = [0, 0, 0];
    for (const [m, j] of members.entries()) constants[j] = (fitted[m] as number) / (scales[m] as number);
    best = { error, constants };
  }
  const { error, constants } = best as { error: number; constants: [number, number, number] };
  const [fixed, perPromptToken, perOutputToken] = constants as [number, number, number];
  return { value: { fixed, perPromptToken, perOutputToken }, relativeError: error, shapes: used.length };
}

function centred(values: readonly number[]): number[] {
  const middle = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - middle);
}
