/**
 * Is that the final answer? What threshold and what budget are worth, where wrong answers have a price: the utility of every pair, on recorded
 * items. More compute raises confidence in wrong answers too, so the best threshold moves with the budget.
 *
 * Jurayj, Cheng & Van Durme 2025, "Is That Your Final Answer? Test-Time Scaling Improves Selective Question Answering",
 * arXiv:2502.13962: confidence thresholds × compute budgets, under exam, Jeopardy and high-stakes odds: `standardStakes`. Risk stands beside every
 * utility, as a utility alone hides how often one is wrong.
 *
 * The best cell of a grid was chosen on these items and looks better than it is: judge it on others with `utilityAt`, or by
 * `riskAtMost`.
 */
import { type Answered, type Stakes, utilityAt } from "./abstain.ts";

/** The three settings of the paper: what a wrong answer costs, where a right one brings 1 and silence nothing. */
export const standardStakes: Readonly<Record<"exam" | "jeopardy" | "highStakes", Stakes>> = {
  exam: { wrong: 0 },
  jeopardy: { wrong: -1 },
  highStakes: { wrong: -20 },
};

/** The same items, answered within a budget. */
export interface BudgetedRecords {
  /** In whatever unit: tokens, votes. */
  readonly budget: number;
  readonly confidences: readonly number[];
  readonly correct: readonly boolean[];
}

export interface UtilityCell extends Answered {
  readonly budget: number;
  readonly threshold: number;
}

export interface UtilityGridOptions {
  readonly stakes: Stakes;
  readonly thresholds: readonly number[];
}

/** A cell for each budget and threshold, budgets first. */
export const utilityGrid = (
  records: readonly BudgetedRecords[],
  { stakes, thresholds }: UtilityGridOptions,
): UtilityCell[] =>
  records.flatMap(({ budget, confidences, correct }) =>
    thresholds.map((threshold) => ({ budget, threshold, ...utilityAt(confidences, correct, threshold, stakes) })),
  );

/** The cell of most utility; of equal ones that with the lowest budget, then the highest threshold. Undefined for none. */
export const bestCell = (cells: readonly UtilityCell[]): UtilityCell | undefined =>
  cells.toSorted((a, b) => b.utility - a.utility || a.budget - b.budget || b.threshold - a.threshold)[0];
