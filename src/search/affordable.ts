/** How searches end with what they have when the budget is spent. */
import type { Program } from "../search.ts";
import { all, BudgetSpent } from "../search.ts";

/** A program's result, or what cut it short: the budget. */
export interface Afforded<T> {
  readonly result: T | undefined;
  /** Set where the budget ended it. Thrown on where nothing came of it, it ends the run. */
  readonly spent: BudgetSpent | undefined;
}

export function* affordable<S, T>(program: Program<S, T>): Program<S, Afforded<T>> {
  try {
    return { result: yield* program, spent: undefined };
  } catch (spent) {
    if (!(spent instanceof BudgetSpent)) throw spent;
    return { result: undefined, spent };
  }
}

/** Several programs side by side; those that were cut short have no result. `spent`: of the first of them in order. */
export function* allAffordable<S, T>(
  programs: readonly Program<S, T>[],
): Program<S, { readonly results: (T | undefined)[]; readonly spent: BudgetSpent | undefined }> {
  const ended = yield* all(programs.map(affordable));
  return { results: ended.map(({ result }) => result), spent: ended.find(({ spent }) => spent)?.spent };
}
