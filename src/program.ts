/** Pieces that search programs are made of, beside the effects: an answer drawn to its end, and what a spent budget leaves. */
import type { Node } from "./node.ts";
import type { Draw, Policy } from "./policy.ts";
import { all, BudgetSpent, extend, type Program } from "./search.ts";

/** Far more steps than answers have: a policy that never ends one would never let the search end. */
const mostSteps = 100_000;

/** Extends by single steps until the answer is done; undefined where a step failed, or after 100,000 steps. */
export function* complete<S>(from: Node<S>, draw: Draw, policy?: Policy<S>): Program<S, Node<S> | undefined> {
  let node = from;
  for (let step = 0; !node.done; step++) {
    if (step === mostSteps) return undefined;
    const [next] = yield* extend(node, { draw, policy });
    if (!next) return undefined;
    node = next;
  }
  return node;
}

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
