/**
 * How alike an answer is to a text, by the cosine of their vectors: to a reference, to the question, to anything.
 *
 * Alike is not right: an answer and its negation have nearly the same vector. Good for staying on the subject and for what is
 * meant to be near a reference; not for arithmetic. A reward in [−1, 1]. Cost: one call of two texts.
 */
import { cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { cosine } from "../math/linear.ts";
import { nanodollars } from "../price.ts";
import { type Problem, promptText } from "../problem.ts";
import type { Embedder } from "../reader.ts";
import type { Scorer } from "../scorer.ts";

export interface SimilarityOptions {
  /** What answers are compared with. @default the problem's reference, or else its prompt */
  readonly to?: (problem: Problem) => string;
  /** Names what they are compared with in journals. @default "similarity" */
  readonly name?: string;
}

export function similarity<S>(
  embedder: Embedder,
  { to = ({ reference, prompt }) => reference ?? promptText(prompt), name = "similarity" }: SimilarityOptions = {},
): Scorer<S> {
  const { id, countTokens, price } = embedder;
  return {
    name: `${name}:${id}`,
    kind: "reward",
    bound({ state }, { problem, text }) {
      if (!countTokens) return noCost;
      const promptTokens = countTokens(text(state)) + countTokens(to(problem)) + 16;
      return cost({ promptTokens, calls: 1, nanodollars: nanodollars(price, { promptTokens }) });
    },
    async score({ state }, { problem, text, signal }) {
      const { vectors, cost } = await embedder.embed([text(state), to(problem)], { signal });
      const [own, other] = vectors;
      const value = own && other ? cosine(own, other) : Number.NaN;
      if (Number.isNaN(value))
        throw new Failed(
          "bad-response",
          `'${id}' gave vectors that have no angle: of ${own?.length} and ${other?.length} numbers`,
          { cost },
        );
      return { score: { kind: "reward", value }, cost };
    },
  };
}

/**
 * Vectors without a network: how often each run of `n` characters occurs, in lower case, hashed into so many dimensions, with
 * signs (Weinberger et al. 2009, arXiv:0902.2206). It sees shared spelling, not meaning: for tests and near-duplicates.
 */
export function ngrams({ n = 3, dimensions = 1024 }: { n?: number; dimensions?: number } = {}): Embedder {
  for (const [name, value] of Object.entries({ n, dimensions }))
    if (!(Number.isInteger(value) && value >= 1 && value <= 2 ** 20))
      throw new RangeError(
        `Cannot count n-grams as '${name}' must be a whole number in [1, 2^20]: current value is ${value}`,
      );
  return {
    id: `${n}-grams in ${dimensions} dimensions`,
    async embed(texts, { signal }) {
      signal.throwIfAborted();
      return { vectors: texts.map((text) => vectorOf(` ${text.toLowerCase()} `, n, dimensions)), cost: noCost };
    },
  };
}

function vectorOf(text: string, n: number, dimensions: number): Float64Array {
  const vector = new Float64Array(dimensions);
  for (let i = 0; i + n <= Math.max(text.length, n); i++) {
    let hash = 0x811c9dc5; // FNV-1a, 32 bits; Fowler, Noll & Vo
    for (let k = i; k < Math.min(i + n, text.length); k++) hash = Math.imul(hash ^ text.charCodeAt(k), 0x01000193);
    const place = (hash >>> 1) % dimensions;
    vector[place] = (vector[place] as number) + (hash & 1 ? 1 : -1);
  }
  return vector;
}
