/**
 * The model's own log-likelihood of an answer, as it was when the answer was sampled: no call, no cost.
 *
 * Per sequence it prefers short answers, as every token adds a negative term; per token it prefers long and repetitive
 * ones. Neither is a measure of being right. In nats; undefined log-probabilities make an unscored node.
 */
import type { Scorer } from "../scorer.ts";

export interface LikelihoodOptions {
  /** @default "sequence" */
  readonly per?: "sequence" | "token";
}

export function likelihood<S>({ per = "sequence" }: LikelihoodOptions = {}): Scorer<S> {
  return {
    name: per === "token" ? "likelihood-per-token" : "likelihood",
    kind: "log-likelihood",
    score: (node) => ({
      kind: "log-likelihood",
      value: per === "token" ? node.totalLogProb / Math.max(1, node.length) : node.totalLogProb,
    }),
  };
}
