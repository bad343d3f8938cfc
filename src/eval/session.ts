/** Runs groups of cells with one model and one store: in the process itself, or in each of its workers. */
import { checkOf } from "../check.ts";
import { Failed } from "../errors.ts";
import { ledgered } from "../models/ledgered.ts";
import type { Model } from "../model.ts";
import type { Problem } from "../problem.ts";
import type { RunRecord } from "../record.ts";
import type { FinishedRun, Store } from "../runs/store/store.ts";
import { type Checker, isRightAnswer, type Task } from "../task.ts";
import { type Judged, runCell } from "./cell.ts";
import { coldCache } from "./cold-cache.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Contender } from "./contenders.ts";
import { type Group, runKey } from "./plan.ts";
import type { Questions } from "./problems.ts";

export interface SessionOptions {
  readonly evaluation: Pick<Evaluation, "name" | "budgets" | "key">;
  /** Those that are run, the added baselines with them. */
  readonly contenders: readonly Contender[];
  readonly questions: Pick<Questions, "checker" | "task">;
  readonly model: Model;
  readonly store: Store;
  /** Samples of one cell in flight. @default the policy's own */
  readonly concurrency?: number | undefined;
  readonly signal: AbortSignal;
}

/** What is told of a run while the evaluation goes on. */
export type RunNews = Pick<
  RunRecord,
  "id" | "spent" | "paid" | "failedSamples" | "failedScores" | "stopped" | "failure"
>;

export type RunGroup = (group: Group, onRun: (run: RunNews) => void) => Promise<void>;

/**
 * One cell after the other; what is finished is saved in one transaction, also where the group is cut short.
 */
export function session(options: SessionOptions): RunGroup {
  const { evaluation, contenders, questions, model, store, concurrency, signal } = options;
  const byLabel = new Map(contenders.map((one) => [one.label, one]));
  // Nobody watches: text while it is written would cost time and tell nothing.
  const silent: Model = { ...model, generate: (request) => model.generate({ ...request, stream: false }) };
  return async ({ asked, seed, cells }, onRun) => {
    const checker = remembering(questions.checker);
    const task = questions.task && (checker as Task);
    const { problem } = asked;
    const judge = judgeOf(checker, task, problem);
    const key = runKey(evaluation.key, problem.id, seed);
    const finished: FinishedRun[] = [];
    try {
      for (const cell of cells) {
        if (signal.aborted) return;
        const paying = ledgered(silent, store.ledger);
        const done = await runCell(cell, {
          evaluation: evaluation.name,
          contender: byLabel.get(cell.method) as Contender,
          context: { model: coldCache(paying), problem, task, checker },
          budget: evaluation.budgets[cell.budget] ?? {},
          seed,
          key,
          judge,
          paid: () => paying.paid,
          concurrency,
          signal,
        });
        if (!done) return;
        finished.push(done);
        const { id, spent, paid, failedSamples, failedScores, stopped, failure } = done.record;
        onRun({ id, spent, paid, failedSamples, failedScores, stopped, failure });
      }
    } finally {
      if (finished.length > 0) await store.save(finished);
    }
  };
}

/** A checker that is asked once about each answer: methods, budgets and the record ask about the same ones. */
function remembering<C extends Checker>(checker: C): C {
  const verdicts = new Map<string, ReturnType<C["check"]>>();
  const check = (problem: Problem, answer: string) => {
    let verdict = verdicts.get(answer);
    if (!verdict) {
      verdict = checker.check(problem, answer) as ReturnType<C["check"]>;
      verdicts.set(answer, verdict);
    }
    return verdict;
  };
  return { ...checker, check };
}

function judgeOf(
  checker: Checker,
  task: Task | undefined,
  problem: Problem,
): (answer: string) => Judged | Promise<Judged> {
  return (answer) => {
    const canonical = checker.canonical(problem, answer) ?? null;
    if (task) return { canonical, correct: isRightAnswer(task, problem, answer) };
    if (!checkOf(problem)) return { canonical, correct: null }; // of a file, without a reference
    return (async () => {
      try {
        return { canonical, correct: (await checker.check(problem, answer)).correct };
      } catch (error) {
        if (error instanceof Failed) return { canonical, correct: null }; // nobody can tell: the sandbox is not there, say
        throw error;
      }
    })();
  };
}
