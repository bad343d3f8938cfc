/**
 * A search decides what to grow and what to score next. It is a generator: it reads like the paper's pseudo-code, holds
 * no promise, and is deterministic given its key and the replies.
 *
 * Everything a program can ask for is one of five effects, written `yield* extend(…)` and so on.
 */
import type { Limit } from "./budget.ts";
import type { Key } from "./key.ts";
import type { Node } from "./node.ts";
import type { Draw, Policy } from "./policy.ts";
import type { Json, Problem } from "./problem.ts";
import type { Score, Scorer } from "./scorer.ts";

export type Program<S, T> = Generator<Effect<S>, T, unknown>;

export type Effect<S> =
  | {
      readonly type: "extend";
      readonly node: Node<S>;
      readonly count: number;
      readonly draw: Draw;
      readonly policy: Policy<S> | undefined;
    }
  | { readonly type: "score"; readonly nodes: readonly Node<S>[]; readonly scorer: Scorer<S> | undefined }
  | { readonly type: "all"; readonly programs: readonly Program<S, unknown>[] }
  | { readonly type: "first"; readonly count: number; readonly programs: readonly Program<S, unknown>[] }
  | { readonly type: "propose"; readonly node: Node<S>; readonly value: number };

export interface Tools {
  /** The run's key: fold it by place for whatever the program itself draws. */
  readonly key: Key;
  readonly problem: Problem;
}

export interface Outcome<S> {
  readonly answer: Node<S> | undefined;
  /** Probability that the answer is right, where the method gives one; in [0, 1]. */
  readonly confidence?: number;
  /** What the answer was chosen from, best first where the method ranks. */
  readonly candidates: readonly Node<S>[];
}

export interface Search<S, O extends Outcome<S> = Outcome<S>> {
  readonly name: string;
  /** The settings, as data: two searches of one name and equal options ask the same questions. */
  readonly options: Json;
  run(root: Node<S>, tools: Tools): Program<S, O>;
}

/**
 * Children of a node. Failed samples are left out (the tree keeps them), so fewer than `count` may come back; the children
 * come in order of sample index (of probability, for `top`).
 * @throws BudgetSpent where not even one child could be afforded.
 */
export function* extend<S>(
  node: Node<S>,
  { count = 1, draw = "sample", policy }: { count?: number; draw?: Draw; policy?: Policy<S> | undefined } = {},
): Program<S, Node<S>[]> {
  return (yield { type: "extend", node, count, draw, policy }) as Node<S>[];
}

/** The scores of nodes, in their order; undefined where the scorer failed or could not be afforded. */
export function* score<S>(
  nodes: readonly Node<S>[],
  { by }: { by?: Scorer<S> | undefined } = {},
): Program<S, (Score | undefined)[]> {
  return (yield { type: "score", nodes, scorer: by }) as (Score | undefined)[];
}

/** Runs programs concurrently; their results in order. If some threw, the first of them in order is thrown when all have ended. */
export function* all<S, T>(programs: readonly Program<S, T>[]): Program<S, T[]> {
  return (yield { type: "all", programs }) as T[];
}

/**
 * Runs programs concurrently and returns the first `count` results **in program order** that are not undefined; the rest
 * is cancelled as soon as these are known. Order of program, not of finishing: a run must not depend on the weather.
 */
export function* first<S, T>(count: number, programs: readonly Program<S, T | undefined>[]): Program<S, T[]> {
  return (yield { type: "first", count, programs }) as T[];
}

/** Names a finished answer as the best so far, if no earlier proposal has a higher value (equal: the earlier place). */
export function* propose<S>(node: Node<S>, value = 0): Program<S, void> {
  yield { type: "propose", node, value };
}

/** Thrown into a program at the effect that could not be afforded. Catch it to end with what there is; or let it end the run. */
export class BudgetSpent extends Error {
  readonly limit: Limit;
  constructor(limit: Limit) {
    super(`The budget of ${limit} is spent`);
    this.name = "BudgetSpent";
    this.limit = limit;
  }
}
