/** Worker threads that run groups of cells; one that dies is replaced, and its groups are run once more. */
import { Worker } from "node:worker_threads";
import type { Origin } from "./load.ts";
import type { Group } from "./plan.ts";
import type { RunNews } from "./session.ts";

/** What a worker is started with. */
export interface WorkerData {
  readonly store: string;
  readonly origin: Origin;
  readonly concurrency: number | undefined;
}

export type ToWorker =
  | { readonly type: "group"; readonly number: number; readonly group: Group }
  | { readonly type: "stop" | "end" };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "run"; readonly run: RunNews }
  | { readonly type: "group-end"; readonly number: number }
  /** A defect, or a store that cannot be written to: it would happen again. */
  | { readonly type: "failed"; readonly error: Error };

export interface CrewOptions {
  readonly workers: number;
  /** Groups at a time in each. */
  readonly width: number;
  readonly data: WorkerData;
  readonly signal: AbortSignal;
  readonly onRun: (run: RunNews) => void;
  /** `lost`: groups that the dead worker was at. */
  readonly onDeath: (reason: string, lost: number) => void;
}

/** Times that a group is begun by workers that die of it. */
const mostAttempts = 2;

/** @throws whatever a worker threw; Error where workers died of the same group twice, when all others are done */
export async function runByWorkers(groups: readonly Group[], options: CrewOptions): Promise<void> {
  const { width, data, onRun, onDeath } = options;
  const halt = new AbortController();
  const signal = AbortSignal.any([options.signal, halt.signal]);
  const waiting = [...groups.keys()];
  const attempts = new Map<number, number>();
  const lost: number[] = [];

  /** One worker's life. True where it died, and there may be more to do. */
  const live = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(import.meta.url.replace(/crew(\.[jt]s)$/, "worker$1")), { workerData: data });
      const at = new Set<number>();
      let failure: Error | undefined;
      let reason = "it ended by itself";
      let isEnding = false;
      const send = (message: ToWorker) => worker.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin -- a worker, not a window
      const feed = () => {
        while (at.size < width && waiting.length > 0 && !signal.aborted) {
          const number = waiting.shift() as number;
          at.add(number);
          send({ type: "group", number, group: groups[number] as Group });
        }
        if (at.size > 0 || isEnding) return;
        isEnding = true;
        send({ type: "end" });
      };
      const onAbort = () => send({ type: "stop" });
      signal.addEventListener("abort", onAbort, { once: true });
      worker.on("message", (message: FromWorker) => {
        if (message.type === "run") return onRun(message.run);
        if (message.type === "failed") {
          failure = message.error;
          return void worker.terminate();
        }
        if (message.type === "group-end") at.delete(message.number);
        feed();
      });
      worker.on("error", (error: Error) => {
        reason = error.message;
      });
      worker.on("exit", () => {
        signal.removeEventListener("abort", onAbort);
        if (failure) return reject(failure);
        if (isEnding || signal.aborted) return resolve(false);
        for (const number of at) {
          attempts.set(number, (attempts.get(number) ?? 0) + 1);
          if ((attempts.get(number) as number) < mostAttempts) waiting.unshift(number);
          else lost.push(number);
        }
        onDeath(reason, at.size);
        if (at.size === 0) return reject(new Error(`Cannot start a worker: ${reason}`));
        resolve(true);
      });
    });

  const lives = Array.from({ length: options.workers }, async () => {
    while (waiting.length > 0 && !signal.aborted) if (!(await live())) return;
  });
  await allOrHalt(lives, halt);
  const [first] = lost;
  if (first === undefined) return;
  const { asked, seed } = groups[first] as Group;
  throw new Error(
    `Cannot finish as ${lost.length} ${lost.length === 1 ? "group of runs has" : "groups of runs have"} ended two workers each, the first with problem ${asked.problem.id} and seed ${seed}: the same command goes on with them`,
  );
}

/** Waits for all of them; the first to throw stops the others. @throws what it threw */
export async function allOrHalt(all: readonly Promise<void>[], halt: AbortController): Promise<void> {
  for (const one of all) one.catch((error: unknown) => halt.abort(error));
  await Promise.allSettled(all);
  if (halt.signal.aborted) throw halt.signal.reason;
}
