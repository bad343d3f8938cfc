/**
 * What is to be run: a cell is a method under a budget on a problem with a seed. Cells of one problem and seed are a group:
 * one after the other, so that a draw which two of them share is paid once, and out of the ledger the second time.
 *
 * The key of a run is made of the evaluation's key, the problem and the seed, not of the method. So methods that ask the same
 * question at the same place get the same draw (best-of-16 chooses among the votes of majority-of-16), and differences between
 * methods are free of the chance that is common to both. Within one method every problem and seed is independent of the others.
 */
import type { Budget } from "../budget.ts";
import { fold, type Key, key } from "../key.ts";
import type { AskedProblem } from "../record.ts";
import { budgetLabel } from "./evaluation.ts";

export interface Cell {
  /** Unique in a store, and the same whenever it is planned. */
  readonly id: string;
  readonly method: string;
  /** Index into the budgets. */
  readonly budget: number;
}

export interface Group {
  readonly asked: AskedProblem;
  readonly seed: number;
  readonly cells: readonly Cell[];
}

export interface Planned {
  readonly name: string;
  readonly methods: readonly string[];
  readonly budgets: readonly Budget[];
  readonly problems: readonly AskedProblem[];
  readonly seeds: number;
}

/** All seeds of a problem follow one another, as its prompt is then still in the engine's cache. */
export function groupsOf(
  { name, methods, budgets, problems, seeds }: Planned,
  finished: ReadonlySet<string> = new Set(),
): Group[] {
  return problems.flatMap((asked) =>
    Array.from({ length: seeds }, (_, seed) => {
      const cells = methods.flatMap((method) =>
        budgets.map((limits, budget) => ({
          id: `${name}/${method}/${budgetLabel(limits)}/${asked.problem.id}/${seed}`,
          method,
          budget,
        })),
      );
      return { asked, seed, cells: cells.filter(({ id }) => !finished.has(id)) };
    }).filter(({ cells }) => cells.length > 0),
  );
}

/** The same for all methods and budgets: common random numbers. */
export const runKey = (evaluationKey: number, problem: string, seed: number): Key =>
  fold(fold(fold(key(evaluationKey), "run"), problem), seed);
