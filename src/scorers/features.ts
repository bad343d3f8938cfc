/** What a trained read-out can be given: numbers that describe a question with its answer, or a question alone. */
import { addCosts, type Cost, cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { Model } from "../model.ts";
import { countPromptTokens, nanodollars, readingBound, readingCost } from "../price.ts";
import { promptText } from "../problem.ts";
import { type Embedder, readTokens } from "../reader.ts";
import { rankOf, type Scorer } from "../scorer.ts";
import { boundOf, judgementOf } from "./judgement.ts";
import type { FeatureReader } from "./read-out.ts";

/**
 * Of the answer with its end, as the model scores it: log p, its mean and its least over the tokens, their number. Four numbers, one
 * reading. The answer may be another model's. @throws Failed `unsupported` where the model cannot score given text
 */
export function likelihoodFeatures<S>(model: Model): FeatureReader<S> {
  const { scoreText } = model;
  if (!scoreText)
    throw new Failed(
      "unsupported",
      `Cannot read likelihoods from '${model.id}' as it scores no text: use a local model`,
    );
  return {
    name: `likelihood of ${model.id}`,
    bound({ state }, { problem, text }) {
      const countTokens = (one: string): number => model.countTokens(one);
      const promptTokens = countPromptTokens(problem.prompt, countTokens) + countTokens(text(state)) + 1;
      return readingBound(promptTokens, model.price);
    },
    async read({ state }, { problem, text, signal }) {
      const prefix = { prompt: problem.prompt, text: "" };
      const { logProbs, cost: read } = await scoreText.call(model, prefix, text(state), { end: true, signal });
      const sum = logProbs.reduce((total, one) => total + one, 0);
      const least = logProbs.reduce((one, other) => Math.min(one, other), 0);
      const values = [sum, sum / logProbs.length, least, logProbs.length];
      return { values, cost: readingCost(read, model.price) };
    },
  };
}

/** The number that a scorer gives; of a probability its log-odds, as what adds up in a logistic read-out. */
export function scoreFeature<S>(scorer: Scorer<S>): FeatureReader<S> {
  return {
    name: scorer.name,
    bound: (node, context) => boundOf(scorer, node, context),
    async read(node, request) {
      const { score, cost: paid } = await judgementOf(scorer, node, request);
      const value = rankOf(score);
      return { values: [score.kind === "probability" ? logOdds(value) : value], cost: paid };
    },
  };
}

export interface VectorOptions {
  /** Question and answer, or the question alone, as for P(IK). @default "answer" */
  readonly of?: "answer" | "question";
  /** Put behind it, so that the network is about to judge: what a value token is asked by, or "Is the answer right?". @default "" */
  readonly asked?: string;
}

/** The vector that a network makes of question and answer. */
export function vectorFeatures<S>(
  embedder: Embedder,
  { of = "answer", asked = "" }: VectorOptions = {},
): FeatureReader<S> {
  return {
    name: `${embedder.id} of the ${of}${asked === "" ? "" : ` and ${JSON.stringify(asked)}`}`,
    bound({ state }, { problem, text }) {
      const promptTokens = readTokens(embedder, problem.prompt, (of === "answer" ? text(state) : "") + asked);
      return cost({ promptTokens, calls: 1, nanodollars: nanodollars(embedder.price, { promptTokens }) });
    },
    async read({ state }, { problem, text, signal }) {
      const said = of === "answer" ? text(state) : "";
      const { vectors, cost: paid } = await embedder.embed([promptText(problem.prompt) + said + asked], { signal });
      return { values: Array.from(vectors[0] as ArrayLike<number>), cost: paid };
    },
  };
}

/** Features of several readers, one after the other; read side by side. */
export function joinedFeatures<S>(...readers: readonly FeatureReader<S>[]): FeatureReader<S> {
  return {
    name: readers.map(({ name }) => name).join(" and "),
    bound: (node, context) =>
      readers.map((reader): Cost => reader.bound?.(node, context) ?? noCost).reduce(addCosts, noCost),
    async read(node, request) {
      const read = await Promise.all(readers.map((reader) => reader.read(node, request)));
      return {
        values: read.flatMap(({ values }) => values),
        cost: read.map((one) => one.cost).reduce(addCosts, noCost),
      };
    },
  };
}

/** Within ±16. */
const logOdds = (p: number): number => {
  const inside = Math.min(Math.max(p, 1e-7), 1 - 1e-7);
  return Math.log(inside / (1 - inside));
};
