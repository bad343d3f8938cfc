/**
 * What an evaluation has shown, as plain data: every renderer reads this and nothing else, and as JSON it is the report's machine-readable
 * form. A figure that is not defined has no `value`, and `why` says why; so has one without an interval. Shares are in [0, 1].
 */
import type { Budget } from "../../budget.ts";
import type { Json } from "../../problem.ts";
import type { RiskArea, BrierScore, CalibrationError, ReliabilityBin, RiskAtCoverage } from "../calibration.ts";
import type { CoverageLaw } from "../coverage-fit.ts";
import type { Estimate, Value } from "../estimate.ts";
import type { FrontierMember } from "../frontier.ts";
import type { Point } from "../pass-at-k.ts";

/** Raised when a field changes its meaning or goes away. */
export const reportVersion = 1;

/** A figure that could not be made at all, and why. */
export interface Missing {
  readonly why: string;
}

export const isMissing = (panel: object): panel is Missing => "why" in panel;

export interface Report {
  readonly format: "ponderosa-report";
  readonly version: typeof reportVersion;
  readonly evaluation: Evaluated;
  readonly runs: RunCounts;
  /** Of every interval, each by itself. */
  readonly level: number;
  /** How accuracies of one seed without clusters get their interval; all others are bootstrapped. */
  readonly interval: "wilson" | "jeffreys";
  /** What differences are taken to, at the same budget; null without one. */
  readonly baseline: string | null;
  /** By budget, then by method, in the order of the evaluation: those without runs, too. */
  readonly cells: readonly Cell[];
  readonly coverage: Coverage | Missing;
  /** For each method that states confidences, at the highest budget where it does. */
  readonly confidence: readonly Confidence[];
  readonly frontier: Frontier | Missing;
  /** By number where all begin with one, else in the order of the problems; empty where all have one level or none. */
  readonly levels: readonly Level[];
}

export interface Evaluated {
  readonly id: string;
  readonly name: string;
  readonly task: string;
  readonly model: string;
  readonly parameters: number | null;
  readonly methods: readonly string[];
  readonly budgets: readonly Budget[];
  readonly problems: number;
  /** How many independent groups these are; null where problems are independent. */
  readonly clusters: number | null;
  readonly seeds: number;
  readonly config: Json;
  readonly versions: Readonly<Record<string, string>>;
  readonly revision: string | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

export interface RunCounts {
  /** Methods × budgets × problems × seeds. */
  readonly expected: number;
  readonly recorded: number;
  /** Records of other evaluations, of cells that this one does not have, and repeated ones: not counted anywhere else. */
  readonly ignored: number;
  readonly complete: boolean;
  /** Sums over all runs of what they were charged; `paidDollars` of what was really paid. */
  readonly tokens: number;
  readonly promptTokens: number;
  readonly calls: number;
  readonly dollars: number;
  readonly paidDollars: number;
  readonly seconds: number;
}

/** A method at a budget. */
export interface Cell {
  readonly method: string;
  /** Index into the evaluation's budgets. */
  readonly budget: number;
  readonly runs: number;
  /** Runs that the evaluation asks for and that are not recorded. */
  readonly missing: number;
  /** With at least one run whose correctness is known. */
  readonly problems: number;
  /** The most runs of known correctness that a problem has. */
  readonly seeds: number;
  /** Mean over problems of the share of seeds that are right; abstaining is not right, what nobody can tell is left out. */
  readonly accuracy: Estimate;
  /** Null for the baseline itself, and without one. */
  readonly difference: Difference | null;
  /** Means over runs, of what the method is charged. */
  readonly cost: MeanCost;
  /** Tokens really paid for now, out of the ledger's reach, per token charged. */
  readonly paidShare: Value;
  readonly counts: Outcomes;
}

export interface Difference {
  /** Accuracy less that of the baseline, on the problems that both have, each problem the mean over its seeds. */
  readonly estimate: Estimate;
  /** Problems that both have; and those of which one has no run of known correctness. */
  readonly pairs: number;
  readonly unpaired: number;
  readonly test: "McNemar" | "sign flips";
  readonly p: Value;
  /** Adjusted for all methods of the evaluation at this budget, with or without runs. */
  readonly holm: Value;
  /** How many comparisons that were. */
  readonly tried: number;
}

export interface MeanCost {
  readonly tokens: Value;
  readonly promptTokens: Value;
  readonly calls: Value;
  readonly dollars: Value;
  readonly seconds: Value;
  /** 2 · parameters · (tokens + prompt tokens). */
  readonly operations: Value;
}

export interface Outcomes {
  /** Runs. */
  readonly right: number;
  readonly wrong: number;
  readonly abstained: number;
  readonly unknown: number;
  /** Runs that have no answer as every sample failed; these are wrong, too. */
  readonly failed: number;
  /** Samples and scores. */
  readonly failedSamples: number;
  readonly failedScores: number;
  readonly denied: number;
}

/** What more samples would give, from the candidates of one method. */
export interface Coverage {
  readonly method: string;
  readonly budget: number;
  readonly problems: number;
  /** Problems without judged candidates, with unjudged ones, or with less than half of the usual number. */
  readonly leftOut: number;
  /** The fewest samples that a problem has: the last k. */
  readonly samples: number;
  readonly passAtK: readonly Point[];
  /** Empty where no candidate states a result that could be voted for. */
  readonly majority: readonly Point[];
  /** Where the vote tends to: the share of problems whose most frequent answer, of all samples, is right. */
  readonly plateau: Value;
  readonly bestOfK: readonly { readonly scorer: string; readonly points: readonly Point[] }[];
  readonly law: CoverageFit | Missing;
}

/** pass@k = exp(a·k^b) */
export interface CoverageFit extends CoverageLaw {
  readonly residual: number;
  /** Beyond what was measured. */
  readonly extrapolated: readonly Point[];
}

/** One run a problem, that of the first seed, so that items are independent. */
export interface Confidence {
  readonly method: string;
  readonly budget: number;
  readonly items: number;
  readonly bins: readonly ReliabilityBin[];
  readonly calibrationError: CalibrationError;
  readonly brier: BrierScore;
  readonly auroc: Estimate;
  readonly riskCoverage: readonly RiskAtCoverage[];
  readonly aurc: RiskArea;
}

export interface FrontierPoint extends FrontierMember {
  readonly method: string;
  readonly budget: number;
}

export interface Frontier {
  /** Problems that every method and budget has. */
  readonly problems: number;
  /** Ascending in cost: tokens generated and read, a run. */
  readonly members: readonly FrontierPoint[];
  /** Quality × powers of ten of tokens, below `reference`. */
  readonly hypervolume: Estimate;
  readonly reference: { readonly cost: number; readonly quality: number };
  readonly matched: Matched | Missing;
}

/** Accuracies at one and the same cost, between a method's budgets. */
export interface Matched {
  readonly cost: number;
  readonly methods: readonly { readonly method: string; readonly accuracy: Estimate }[];
}

export interface Level {
  readonly level: string;
  readonly problems: number;
  /** In the order of the report's cells. */
  readonly cells: readonly { readonly method: string; readonly budget: number; readonly accuracy: Estimate }[];
}
