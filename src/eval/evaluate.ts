/**
 * Runs what an evaluation has not run yet. What is finished is skipped, what was cut short is repeated out of the ledger: the
 * records are those of an evaluation that was never interrupted, and nothing that was recorded is paid twice.
 */
import type { InDoubt } from "../ledger.ts";
import type { Model } from "../model.ts";
import { openModel as openByName, runsInJavaScript } from "../open-model.ts";
import type { EvaluationRecord } from "../record.ts";
import { requirePrice } from "../price.ts";
import { openStore, type Store } from "../runs/store/index.ts";
import { checkSame, compared, recordOf } from "./begin.ts";
import { allOrHalt, runByWorkers } from "./crew.ts";
import type { Evaluation } from "./evaluation.ts";
import type { Origin } from "./load.ts";
import { type Group, groupsOf } from "./plan.ts";
import { questionsOf } from "./problems.ts";
import { type RunNews, session } from "./session.ts";

export type EvaluateEvent =
  /** `notes`: what was decided for the user. `inDoubt`: calls of an earlier process that may have been paid and lost. */
  | {
      readonly type: "begin";
      readonly record: EvaluationRecord;
      /** Runs that are there, of so many. */
      readonly done: number;
      readonly total: number;
      readonly inDoubt: readonly InDoubt[];
      readonly notes: readonly string[];
    }
  | { readonly type: "run"; readonly run: RunNews }
  /** A worker is no more; its groups are run by a fresh one. */
  | { readonly type: "worker-died"; readonly reason: string; readonly groups: number };

export interface EvaluateOptions {
  /** Path of a file, or URL of a database: see `openStore`. */
  readonly store: string;
  /** Where the options came from, for the workers: needed where there are more than one. */
  readonly origin?: Origin;
  /** @default `openModel` of the package */
  readonly openModel?: (spec: string) => Promise<Model>;
  /** Threads, each with a model of its own. @default 1 */
  readonly workers?: number;
  /** Groups of cells at a time in each process. @default 8 for an engine in this process, 16 for a server */
  readonly concurrency?: number;
  /** Whether runs in which samples or scores failed are run again. @default false */
  readonly retryFailed?: boolean;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: EvaluateEvent) => void;
}

export interface Evaluated {
  readonly record: EvaluationRecord;
  /** Whether every run is there. */
  readonly complete: boolean;
}

/** @throws RangeError, Failed `unsupported` before anything is spent: where a method cannot be made for this model, or the store has another evaluation of this name */
export async function evaluate(evaluation: Evaluation, options: EvaluateOptions): Promise<Evaluated> {
  const { openModel = openByName, workers = 1, retryFailed = false, onEvent = () => {}, origin } = options;
  const signal = options.signal ?? new AbortController().signal;
  const model = await (typeof evaluation.model === "string" ? openModel(evaluation.model) : evaluation.model());
  try {
    requirePrice(model, evaluation.budgets);
    const questions = await questionsOf(evaluation, model);
    const { contenders, notes } = compared(evaluation, questions, model);
    const record = recordOf(evaluation, { contenders, questions, model, origin });
    await using store = await openStore(options.store);
    await checkSame(record, store);
    await store.begin(record);
    const planned = { ...record, methods: contenders.map(({ label }) => label) };
    const all = groupsOf(planned);
    const total = all.reduce((sum, { cells }) => sum + cells.length, 0);
    if (retryFailed) await store.discard(await failedRuns(record.id, store));
    const finished = await store.finished(record.id);
    const groups = groupsOf(planned, finished);
    onEvent({ type: "begin", record, done: finished.size, total, inDoubt: await store.ledger.inDoubt(), notes });
    const onRun = (run: RunNews) => onEvent({ type: "run", run });
    const { width, concurrency } = widthOf(evaluation, model, options.concurrency);
    if (workers > 1 && groups.length > 1 && !isServer(model))
      await runByWorkers(groups, {
        workers: Math.min(workers, groups.length),
        width,
        data: { store: options.store, origin: originFor(workers, origin), concurrency },
        signal,
        onRun,
        onDeath: (reason, lost) => onEvent({ type: "worker-died", reason, groups: lost }),
      });
    else {
      const halt = new AbortController();
      const stop = AbortSignal.any([signal, halt.signal]);
      const runGroup = session({ evaluation, contenders, questions, model, store, concurrency, signal: stop });
      await runHere(groups, width, { stop, halt, runGroup: (group) => runGroup(group, onRun) });
    }
    const complete = (await store.finished(record.id)).size >= total;
    const isNew = groups.length > 0 || (await store.evaluation(record.id))?.finishedAt === null;
    if (complete && isNew) await store.finish(record.id, Date.now());
    return { record: (await store.evaluation(record.id)) ?? record, complete };
  } finally {
    await model[Symbol.asyncDispose]?.();
  }
}

async function failedRuns(evaluation: string, store: Store): Promise<string[]> {
  const runs = await store.runs({ evaluation });
  return runs.filter(({ failedSamples, failedScores }) => failedSamples + failedScores > 0).map(({ id }) => id);
}

/** Groups at a time; and samples of one cell at a time, where there are servers: `concurrency` is then what is in flight. */
function widthOf(
  { budgets }: Evaluation,
  model: Model,
  concurrency: number | undefined,
): { width: number; concurrency: number | undefined } {
  const width = concurrency ?? (isServer(model) ? (model.concurrency ?? 16) : 8);
  return {
    // Where time is limited no cell may wait for another.
    width: budgets.some(({ seconds }) => seconds !== undefined) ? 1 : width,
    concurrency: isServer(model) ? Math.max(1, model.capabilities.samplesPerCall) : undefined,
  };
}

const isServer = ({ id }: Model): boolean => /^https?:/.test(id);

function originFor(workers: number, origin: Origin | undefined): Origin {
  if (origin) return origin;
  throw new RangeError(
    `Cannot use ${workers} workers as there is no 'origin' that tells them what to run: give it, or 1`,
  );
}

/** So many groups at a time. Where one throws the others are stopped, and waited for. */
async function runHere(
  groups: readonly Group[],
  width: number,
  by: { readonly stop: AbortSignal; readonly halt: AbortController; runGroup(group: Group): Promise<void> },
): Promise<void> {
  const queue = groups.values();
  const lane = async () => {
    for (const group of queue) {
      if (by.stop.aborted) return;
      await by.runGroup(group);
    }
  };
  await allOrHalt(Array.from({ length: Math.min(width, groups.length) }, lane), by.halt);
}

/** Whether more processes make it quicker: an engine in JavaScript uses one core, servers and llama.cpp use what there is. */
export const gainsFromWorkers = (evaluation: Evaluation): boolean =>
  typeof evaluation.model === "string" && runsInJavaScript(evaluation.model);
