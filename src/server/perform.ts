/** The runs of one request: one a choice, side by side, each with its own journal and its own randomness. */
import type { Budget, Cost, Spent } from "../budget.ts";
import { addCosts, noCost } from "../budget.ts";
import { Failed, type Failure } from "../errors.ts";
import type { JournalEvent, RunEvent, Stopped } from "../event.ts";
import { fold, key } from "../key.ts";
import type { SetMethod } from "../methods/compact.ts";
import { type Plan, planOf } from "../methods.ts";
import type { Model } from "../model.ts";
import type { TextState } from "../policies/text.ts";
import type { Json } from "../problem.ts";
import { type Result, run } from "../run.ts";
import { type SqlStore, storeJournal } from "../runs/store/index.ts";
import { ApiError, failedUpstream, invalid, refused } from "./api-error.ts";
import type { Question } from "./question.ts";

export interface Work {
  readonly id: string;
  readonly model: Model;
  readonly question: Question;
  readonly method: SetMethod;
  readonly stop: readonly string[];
  readonly budget: Budget;
  readonly n: number;
  readonly seed: number;
}

export interface Performed {
  /** [n] */
  readonly results: readonly Result<TextState>[];
  /** Of all choices. */
  readonly spent: Spent;
}

/** @throws ApiError where the method cannot be made for this model; nothing is spent by then */
export function planFor({ model, question, method, stop }: Pick<Work, "model" | "question" | "method" | "stop">): Plan {
  const { problem, task } = question;
  try {
    const plan = planOf(method.method, method.settings, { model: stopping(model, stop), problem, task });
    if (stop.length > 0 && !plan.whole)
      throw refused("stop", `Cannot honour stop: ${method.label} grows answers in steps, which a text may straddle`);
    return plan;
  } catch (error) {
    if (error instanceof Failed && error.code === "unsupported")
      throw invalid("model", error.message.replaceAll(model.id, "this model")); // its address is nobody's business
    throw error;
  }
}

/** Ends every text that it writes at one of these. */
const stopping = (model: Model, stop: readonly string[]): Model =>
  stop.length === 0
    ? model
    : {
        ...model,
        generate: (request) => model.generate({ ...request, stop: [...(request.stop ?? []), ...stop] }),
      };

/**
 * Runs that are in the store already are gone on with. A signal ends all of them within 50 ms; the results then say so.
 * @throws what a run throws for a defect, when the others have been stopped
 */
export async function perform(
  work: Work,
  { store, signal, watch }: { store: SqlStore; signal: AbortSignal; watch?: (event: RunEvent) => void },
): Promise<Performed> {
  const defect = new AbortController();
  const every = AbortSignal.any([signal, defect.signal]);
  const settled = await Promise.allSettled(
    Array.from({ length: work.n }, async (_, choice) => {
      try {
        return await performOne(work, choice, { store, signal: every, watch });
      } catch (error) {
        defect.abort(error);
        throw error;
      }
    }),
  );
  const results = settled.map((one) => {
    if (one.status === "rejected") throw one.reason;
    return one.value;
  });
  const cost: Cost = results.reduce((sum, { spent: { seconds: _, ...own } }) => addCosts(sum, own), noCost);
  return { results, spent: { ...cost, seconds: Math.max(...results.map(({ spent }) => spent.seconds)) } };
}

async function performOne(
  work: Work,
  choice: number,
  { store, signal, watch }: { store: SqlStore; signal: AbortSignal; watch?: ((event: RunEvent) => void) | undefined },
): Promise<Result<TextState>> {
  const { search, policy, scorer } = planFor(work);
  await using journal = await storeJournal(store, runIdOf(work.id, choice));
  const running = run(search, work.question.problem, {
    policy,
    scorer,
    seed: choice === 0 ? key(work.seed) : fold(key(work.seed), choice),
    budget: work.budget,
    journal,
    signal,
    timeoutMs: Math.max(1, 1000 * (work.budget.seconds ?? 600)), // the budget itself ends one of no seconds
  });
  if (watch) for await (const event of running) watch(event);
  return running;
}

export const runIdOf = (request: string, choice: number): string => `${request}/${choice}`;

export const spentJson = ({ nanodollars, ...spent }: Spent): Json => ({ ...spent, dollars: nanodollars / 1e9 });

/** What an upstream said of its failures may tell its place and its key: clients get the codes. */
const withoutMessage = ({ code }: Failure) => ({ code });

const stoppedJson = (stopped: Stopped): Json =>
  stopped.why === "all-failed" ? { why: stopped.why, failures: stopped.failures.map(withoutMessage) } : stopped;

/** An event of a journal, for clients: policies and scorers are named after the address of their model. */
export function eventJson(event: JournalEvent): Json {
  switch (event.type) {
    case "run-start": {
      const { policy: _, scorer: __, ...told } = event;
      return told as unknown as Json;
    }
    case "score": {
      const { scorer: _, ...told } = event;
      return told as unknown as Json;
    }
    case "failure":
      return { ...event, failure: withoutMessage(event.failure) } as unknown as Json;
    case "run-end":
      return { ...event, stopped: stoppedJson(event.stopped) } as unknown as Json;
    default:
      return event as unknown as Json;
  }
}

/** What the operator of a client wants to know of a run, beside its answer. */
export const runsJson = (id: string, results: readonly Result<TextState>[]): Json =>
  results.map(({ confidence, stopped, spent }, choice) => ({
    id: runIdOf(id, choice),
    confidence: confidence ?? null,
    stopped: stoppedJson(stopped),
    spent: spentJson(spent),
  }));

/** Why a choice has no answer. */
export function noAnswer(result: Result<TextState>, details: Json): ApiError {
  const { stopped } = result;
  switch (stopped.why) {
    case "all-failed":
      return failedUpstream(stopped.failures, details);
    case "budget-spent":
      return new ApiError(
        "budget_exhausted",
        `Cannot answer within the budget: its ${stopped.limit} were spent before there was an answer`,
        { param: `ponderosa.budget.${stopped.limit}`, details },
      );
    case "aborted":
      return new ApiError("cancelled", "The request was cancelled", { details });
    default:
      return new ApiError("no_answer", "The search came to its end without an acceptable answer", { details });
  }
}
