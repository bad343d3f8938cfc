/**
 * What is kept of an evaluation: plain data, from which everything in `measure/` is computed. One record for the evaluation,
 * one a run (a method on a problem with a seed under a budget), one a candidate that a run finished.
 */
import type { Budget, Cost, Spent } from "./budget.ts";
import type { Failure } from "./errors.ts";
import type { Stopped } from "./event.ts";
import type { Json, Problem } from "./problem.ts";

/** What a problem is to an evaluation: asked once for each method, budget and seed. */
export interface AskedProblem {
  readonly problem: Problem;
  /** Name of the level of difficulty, or of the group, that it is reported under. */
  readonly level: string | null;
  /** Problems made from one source (a passage, a template) stand or fall together; standard errors are clustered by this. */
  readonly cluster: string | null;
}

export interface EvaluationRecord {
  readonly id: string;
  readonly name: string;
  /** Name of the task or of the file's format. */
  readonly task: string;
  /** As it was given: `sapling`, a path, a URL. */
  readonly model: string;
  readonly parameters: number | null;
  /** In the order of the report: labels as in `best-of-n:16`. */
  readonly methods: readonly string[];
  /** In the order of the report; an empty one has no limits. */
  readonly budgets: readonly Budget[];
  readonly problems: readonly AskedProblem[];
  readonly seeds: number;
  /** All that is needed to start it again. */
  readonly config: Json;
  /** Names and versions: ponderosa, node, what the machine is. */
  readonly versions: Readonly<Record<string, string>>;
  /** Of git, with `+` where the working tree was changed; null outside a repository. */
  readonly revision: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Null while runs are missing. */
  readonly finishedAt: number | null;
}

export interface RunRecord {
  /** Unique in a store; the same for the same cell of the same evaluation. */
  readonly id: string;
  readonly evaluation: string;
  readonly method: string;
  /** Index into the evaluation's budgets. */
  readonly budget: number;
  /** The problem's id. */
  readonly problem: string;
  readonly seed: number;
  readonly answer: string | null;
  /** What votes are counted for; null where the answer states no result. */
  readonly canonical: string | null;
  /** Null where there was no way to tell, as opposed to wrong; no answer at all is wrong, unless the run abstained. */
  readonly correct: boolean | null;
  /** The run said "I don't know". */
  readonly abstained: boolean;
  /** In [0, 1]; null where the method states none. */
  readonly confidence: number | null;
  readonly stopped: Stopped;
  /** What the method is charged, as if it had paid for everything: comparisons are made in these units. */
  readonly spent: Spent;
  /** What was really paid now: replies out of the ledger are not in it. */
  readonly paid: Cost;
  /** Samples that failed, samples and scores that the budget denied, scores that failed. */
  readonly failedSamples: number;
  readonly failedScores: number;
  readonly denied: number;
  /** The first failure's reason; null where nothing failed. */
  readonly failure: Failure | null;
}

/** An answer that a run finished, chosen or not. */
export interface CandidateRecord {
  readonly run: string;
  /** The node's id in the run's tree. */
  readonly node: string;
  readonly text: string;
  readonly canonical: string | null;
  readonly correct: boolean | null;
  /** Of the whole answer, in nats; null where the model does not tell. */
  readonly logProb: number | null;
  /** Tokens. */
  readonly length: number;
  /** The last score that the node was given, by the scorer's name; `rankOf` says what the number is. */
  readonly scores: Readonly<Record<string, number>>;
}
