/** Judges states. A score says its scale, and no method guesses it: what needs weights takes an explicit map. */
import type { Cost } from "./budget.ts";
import type { Node } from "./node.ts";
import type { Problem } from "./problem.ts";

export type Score = (
  | { readonly kind: "verdict"; readonly correct: boolean }
  /** In [0, 1]; calibration is measured, not assumed. */
  | { readonly kind: "probability"; readonly value: number }
  /** Unbounded; only order is meaningful. */
  | { readonly kind: "reward"; readonly value: number }
  /** In nats, of the sequence or per token: the scorer's name says which. */
  | { readonly kind: "log-likelihood"; readonly value: number }
) & {
  /** What was found, in words: why a verifier refused, a judge's critique. Revision feeds it back to the model. */
  readonly evidence?: string;
};

/** A score with what it cost; a bare `Score` cost nothing. */
export interface Judgement {
  readonly score: Score;
  readonly cost?: Cost;
}

export interface ScoreContext<S> {
  readonly problem: Problem;
  /** A state as text, as the run's policy says it. */
  readonly text: (state: S) => string;
}

export interface ScoreRequest<S> extends ScoreContext<S> {
  /** For scorers that draw. Derived from the place in the program. */
  readonly seed: number;
  /** Aborts when the score is no longer wanted. */
  readonly signal: AbortSignal;
}

export interface Scorer<S> {
  readonly name: string;
  /** Every score it gives is of this kind. */
  readonly kind: Score["kind"];
  /** The worst that one score can cost; absent where it costs nothing. */
  bound?(node: Node<S>, context: ScoreContext<S>): Cost;
  /** May throw: the node is then unscored, the others go on. */
  score(node: Node<S>, request: ScoreRequest<S>): Score | Judgement | Promise<Score | Judgement>;
}

/** Judges pairs: a scorer of nodes against a given other one. Its values are 1 for a win of the node, 0 for a loss, ½ for neither. */
export interface Comparison<S> {
  readonly name: string;
  /** Its name says which node the other is, as a node may be scored against many. */
  against(other: Node<S>): Scorer<S>;
}

/** A scorer's order as a number: more is better. A verdict counts 1 or 0. Compare scores of one scorer only. */
export function rankOf(score: Score): number {
  return score.kind === "verdict" ? (score.correct ? 1 : 0) : score.value;
}

/** Whether a score can be used: a finite number of its kind, probabilities in [0, 1]. */
export function isValidScore(score: unknown, kind: Score["kind"]): score is Score {
  if (typeof score !== "object" || score === null) return false;
  const { kind: actual, value, correct } = score as { kind?: unknown; value?: unknown; correct?: unknown };
  if (actual !== kind) return false;
  if (kind === "verdict") return typeof correct === "boolean";
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  return kind !== "probability" || (value >= 0 && value <= 1);
}
