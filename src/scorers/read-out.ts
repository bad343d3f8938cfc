/**
 * A trained read-out: from features of a question and an answer, the probability that the answer is right; by logistic regression on
 * answers that were graded.
 *
 * Kapoor et al. 2024, "Large Language Models Must Be Taught to Know What They Don't Know", arXiv:2406.08391: a probe on the last hidden
 * state of question, answer and the question whether it is right; about 1,000 graded answers suffice. Their probe is a small network, and they
 * get further by fine-tuning the model with it; this is linear, on features that are scaled to unit spread, with a ridge. With features
 * of the question alone and shares of right answers as labels it is the P(IK) of Kadavath et al. 2022, arXiv:2207.05221, §5.
 *
 * It needs no words from the model and costs what its features cost. It is calibrated on what it was fitted to; on another task or another
 * model's answers measure it again. What it cannot see it does not know: with `l2` large it says the base rate for everything.
 */
import { type Cost, noCost } from "../budget.ts";
import { dot } from "../math/linear.ts";
import { logisticRegression, sigmoid } from "../math/logistic.ts";
import type { Node } from "../node.ts";
import { checkPairs } from "../options.ts";
import type { ScoreContext, Scorer, ScoreRequest } from "../scorer.ts";

/** Describes a node by numbers, as many for every node. */
export interface FeatureReader<S> {
  readonly name: string;
  bound?(node: Node<S>, context: ScoreContext<S>): Cost;
  read(node: Node<S>, request: ScoreRequest<S>): Promise<{ readonly values: readonly number[]; readonly cost: Cost }>;
}

export interface ReadOut {
  /** [features], on the features as they are given; and the intercept. */
  readonly weights: readonly number[];
  readonly intercept: number;
  /** The probability of being right. */
  at(features: ArrayLike<number>): number;
}

/** `rows` [answers][features], `labels` [answers] 1 for right, 0 for wrong, or shares. `l2` on weights of features scaled to unit spread. */
export function learnReadOut(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  { l2 = 1 }: { /** @default 1 */ readonly l2?: number } = {},
): ReadOut {
  checkPairs("a read-out", "labels", labels, rows);
  const means = columns(rows, (values) => values.reduce((sum, one) => sum + one, 0) / values.length);
  const spreads = columns(rows, (values, i) => {
    const squares = values.reduce((sum, one) => sum + (one - (means[i] as number)) ** 2, 0);
    return Math.sqrt(squares / values.length) || 1;
  });
  const scaled = rows.map((row) => row.map((one, i) => (one - (means[i] as number)) / (spreads[i] as number)));
  const { weights: fitted } = logisticRegression(
    scaled.map((row) => [...row, constant]),
    labels,
    { l2 },
  );
  const weights = spreads.map((spread, i) => (fitted[i] as number) / spread);
  const intercept = constant * (fitted.at(-1) as number) - dot(weights, means);
  return {
    weights,
    intercept,
    at: (features) => (features.length === weights.length ? sigmoid(intercept + dot(features, weights)) : Number.NaN),
  };
}

/** So large that the ridge does not hold the intercept back, which would be a bias towards ½. */
const constant = 1000;

const columns = (rows: readonly (readonly number[])[], of: (values: number[], i: number) => number): number[] =>
  (rows[0] ?? []).map((_, i) => {
    const values = rows.map((row) => row[i] as number);
    return of(values, i);
  });

export function readOut<S>(features: FeatureReader<S>, { at }: ReadOut): Scorer<S> {
  return {
    name: `read-out of ${features.name}`,
    kind: "probability",
    bound: (node, context) => features.bound?.(node, context) ?? noCost,
    async score(node, request) {
      const { values, cost } = await features.read(node, request);
      return { score: { kind: "probability", value: at(values) }, cost };
    },
  };
}
