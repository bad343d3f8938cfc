/**
 * Recorded generations: many samples of each problem, drawn once, with what they cost and how they were judged. Policies that
 * are compared on one pool are compared on identical samples, and each is charged what it would have paid.
 */
import type { Cost } from "./budget.ts";
import type { Json, Problem } from "./problem.ts";
import type { Score } from "./scorer.ts";

/** A score as it was given, with what it cost. */
export interface RecordedScore {
  readonly score: Score;
  readonly cost: Cost;
}

/** A part of a sample, in order; the parts' texts, lengths and log-probabilities add up to the sample's. */
export interface PoolStep {
  /** Characters of the sample's text up to here. */
  readonly end: number;
  /** Tokens of this step. */
  readonly length: number;
  /** In nats; null where the model does not tell. */
  readonly logProb: number | null;
  /** What scorers said of the partial answer that ends here, by the scorer's name; of the last step, see the sample. */
  readonly scores: Readonly<Record<string, RecordedScore>>;
}

export interface PoolSample {
  readonly text: string;
  readonly finish: "end" | "stop" | "length";
  /** Tokens. */
  readonly length: number;
  /** In nats; null where the model does not tell. */
  readonly logProb: number | null;
  readonly cost: Cost;
  /** Absent where only whole answers were recorded. */
  readonly steps?: readonly PoolStep[];
  /** What scorers said of the whole answer, by the scorer's name. */
  readonly scores: Readonly<Record<string, RecordedScore>>;
  /** What votes are counted for; null where the answer states no result. */
  readonly canonical: string | null;
  /** Null where nobody can tell. */
  readonly correct: boolean | null;
}

export interface PoolProblem {
  readonly problem: Problem;
  /** Name of the level of difficulty; null where there is none. */
  readonly level: string | null;
  /** Independent draws, in the order in which they were drawn. */
  readonly samples: readonly PoolSample[];
}

/** How a pool was made. */
export interface PoolHeader {
  readonly model: string;
  /** Names model, step and sampling settings. */
  readonly policy: string;
  /** All that is needed to make it again. */
  readonly config: Json;
}

export interface Pool extends PoolHeader {
  readonly problems: readonly PoolProblem[];
}

/** Where a state stands that was replayed out of a pool: what replayed scores are found by. */
export interface Replayed {
  /** Place of its sample in the pool; undefined at the root. */
  readonly sample?: number;
  /** Steps of that sample so far. */
  readonly steps?: number;
}
