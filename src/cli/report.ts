/** What `ponderosa solve --json` prints, and what its exit codes mean. */
import type { Budget, Spent } from "../budget.ts";
import type { Failure } from "../errors.ts";
import type { Stopped } from "../event.ts";
import type { MethodSettings, Plan } from "../methods.ts";
import type { Node } from "../node.ts";
import type { TextState } from "../policies/text.ts";
import type { Problem } from "../problem.ts";
import type { Result } from "../run.ts";
import type { Score } from "../scorer.ts";
import type { Decision } from "./abstain.ts";
import type { Settings } from "./settings.ts";

/**
 * One object on standard output, in one line; everything else goes to standard error. With `--abstain` also what was decided: the
 * answer is null where it abstained.
 */
export interface SolveReport extends Partial<Decision> {
  /** Raised when a field changes its meaning or goes away. */
  readonly version: 1;
  readonly problem: string;
  /** The task whose checker was asked; null for free text. */
  readonly task: string | null;
  /** As the model wrote it; null where there is none. */
  readonly answer: string | null;
  /** By the task's checker; absent where nothing can be checked. */
  readonly correct?: boolean;
  /** What the checker found, in one line; with `correct`. */
  readonly evidence?: string;
  /** What the method's scorer said of the answer; null where it has none. */
  readonly score: Score | null;
  /** Where the method gives one: of majority, the share of the votes. */
  readonly confidence: number | null;
  /** Samples that failed, by reason; the others went on. */
  readonly failures: readonly (Failure & { readonly count: number })[];
  /** Why the run ended. Only `answered` says that the search came to its own end. */
  readonly stopped: Stopped;
  readonly cost: Spent & { readonly dollars: number };
  readonly budget: Budget;
  readonly seed: number;
  /** `scorer`: what the answers were judged by; null where the method asks none. */
  readonly method: { readonly name: string; readonly settings: MethodSettings; readonly scorer: string | null };
  readonly model: string;
  /** The file to give to `--resume`; null where none was kept. */
  readonly journal: string | null;
}

export const exitCodes = {
  /** There is an answer, right or wrong: the output says which, where it can be checked. */
  answered: 0,
  /** No answer, or an empty one: the reason is shown. */
  unanswered: 1,
  /** Wrong arguments, missing files: nothing was started. */
  usage: 2,
  /** There is one, but `--abstain` held it back. */
  abstained: 3,
  /** Interrupted by Ctrl-C; the best answer so far is shown. As shells count: 128 + SIGINT. */
  interrupted: 130,
} as const;

/** A mistake in what was typed: one line, exit code 2. */
export class UsageError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UsageError";
  }
}

/** What a run came to. */
export function reportOf(
  { answer, text, confidence, stopped, spent, nodes }: Result<TextState>,
  { settings, plan, problem, model }: { settings: Settings; plan: Plan; problem: Problem; model: string },
): SolveReport {
  const { task, seed, budget, journal } = settings;
  const verdict = task && text !== undefined ? task.check(problem, text) : undefined;
  return {
    version: 1,
    problem: settings.question,
    task: task?.name ?? null,
    answer: text ?? null,
    ...(verdict && { correct: verdict.correct, evidence: verdict.evidence }),
    score: answer?.score ?? null,
    confidence: confidence ?? null,
    failures: failuresOf(nodes),
    stopped,
    cost: { ...spent, dollars: spent.nanodollars / 1e9 },
    budget,
    seed,
    method: { name: plan.method, settings: plan.settings, scorer: plan.scorer?.name ?? null },
    model,
    journal: journal?.path ?? null,
  };
}

/** How sure a run is of its answer: the method's confidence, or the probability that its scorer gave. */
export const confidenceOf = ({
  confidence,
  answer,
}: Pick<Result<unknown>, "confidence" | "answer">): number | undefined =>
  confidence ?? (answer?.score?.kind === "probability" ? answer.score.value : undefined);

/** The report of a run whose answer is given or held back. What was held back is neither shown nor checked. */
export function decided(report: SolveReport, confidence: number | undefined, decision: Decision): SolveReport {
  const shown = { ...report, confidence: confidence ?? null, ...decision };
  if (!decision.abstained) return shown;
  const { correct: _, evidence: __, ...rest } = shown;
  return { ...rest, answer: null };
}

export function failuresOf(nodes: readonly Node<unknown>[]): SolveReport["failures"] {
  const failures = nodes.flatMap(({ failure }) => (failure ? [failure] : []));
  const byReason = Map.groupBy(failures, ({ code, message }) => `${code} ${message}`);
  return [...byReason.values()].map((equal) => ({ ...(equal[0] as Failure), count: equal.length }));
}

/** Whether there is an answer. An empty one is none, unless it is right: of nothing to do, say. */
export const isAnswered = ({ answer, correct }: SolveReport): boolean =>
  answer !== null && (answer.trim() !== "" || correct === true);

export const exitCodeOf = (stopped: Stopped, answered: boolean, abstained = false): number =>
  stopped.why === "aborted"
    ? exitCodes.interrupted
    : abstained
      ? exitCodes.abstained
      : answered
        ? exitCodes.answered
        : exitCodes.unanswered;
