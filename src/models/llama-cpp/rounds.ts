/**
 * Batches: all that is asked for at the same time is evaluated together, in rounds.
 *
 * A round is one batch of the engine with a piece of every open job. Between rounds nothing is in flight; that is when
 * sequences may be cut and copied. Left to itself the engine starts a batch as soon as anything waits, and whoever comes
 * last is alone in the next one; rounds save 10 to 25% of the time on a model of 14M parameters.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { ControlledEvaluateIndexOutput, LlamaContextSequence, Token } from "node-llama-cpp";
import { Failed } from "../../errors.ts";
import { asking, type Output } from "./law.ts";

/** A sequence of the engine, and the tokens whose keys and values it holds. */
export interface Cells {
  sequence: LlamaContextSequence;
  /** Its number in the engine. */
  place: number;
  tokens: number[];
}

export interface Job {
  readonly cells: Cells;
  /** How many of the tokens to keep; the rest is dropped first. */
  readonly keep: number;
  /** What to append. */
  readonly tokens: readonly number[];
  /** What is wanted after the token at this place of `tokens`. */
  wants(place: number): Output | undefined;
  receive(place: number, output: ControlledEvaluateIndexOutput): void;
}

export interface Rounds {
  /** Resolves when the job is done. An abort drops it; what is in flight then still arrives in its cells. */
  submit(job: Job, signal: AbortSignal): Promise<void>;
  /** Starts a round if none is running. */
  wake(): void;
  /** Drops all jobs; resolves when nothing is in flight any more. */
  close(): Promise<void>;
}

/** Most tokens of one job in a round, so that a long prompt neither holds up the others nor an abort. */
const roundTokens = 256;

/** `between` runs between rounds; it says whether anyone may have become ready to submit. */
export function rounds(between: () => Promise<boolean>, broke: (reason: unknown) => void): Rounds {
  interface Open {
    readonly job: Job;
    done: number;
    readonly resolve: () => void;
    readonly reject: (reason: unknown) => void;
  }
  const open = new Set<Open>();
  let running: Promise<void> | undefined;
  let asked = false;
  let closed = false;

  async function advance(one: Open): Promise<void> {
    const { job } = one;
    const { cells } = job;
    const places = Array.from({ length: Math.min(roundTokens, job.tokens.length - one.done) }, (_, i) => one.done + i);
    const input = places.map((place) => {
      const token = job.tokens[place] as Token;
      const wanted = job.wants(place);
      return wanted ? asking(token, wanted) : token;
    });
    try {
      if (one.done === 0) await cut(cells, job.keep);
      const outputs = await cells.sequence.controlledEvaluate(input);
      for (const place of places) cells.tokens.push(job.tokens[place] as number);
      for (const [i, output] of outputs.entries()) if (output) job.receive(one.done + i, output);
      one.done += places.length;
    } catch (thrown) {
      await cut(cells, 0).catch(() => {});
      open.delete(one);
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      one.reject(new Failed("error", `The engine failed: ${message}`, { cause: thrown }));
    }
  }

  async function run(): Promise<void> {
    await nextTurn(); // whatever is asked for in this turn comes into the first batch
    while (!closed) {
      if (await between()) await nextTurn();
      // The engine computes together what comes in the order of its sequences.
      const batch = [...open].sort((a, b) => a.job.cells.place - b.job.cells.place);
      if (batch.length === 0) return;
      await Promise.all(batch.map(advance));
      for (const one of batch) if (one.done === one.job.tokens.length && open.delete(one)) one.resolve();
      await nextTurn(); // all who got their answer ask for more
    }
  }

  /** Runs until nothing is asked for; its last look and its end are one step, so that no call to `wake` is lost. */
  async function loop(): Promise<void> {
    try {
      while (asked && !closed) {
        asked = false;
        await run();
      }
    } catch (reason) {
      for (const one of open) one.reject(reason);
      open.clear();
      broke(reason);
    } finally {
      running = undefined;
    }
  }

  function wake(): void {
    asked = true;
    if (!closed) running ??= loop();
  }

  return {
    wake,
    submit(job, signal) {
      if (closed) return Promise.reject(closing());
      return abortable(signal, (resolve, reject) => {
        const one: Open = { job, done: 0, resolve, reject };
        open.add(one);
        wake();
        return () => open.delete(one);
      });
    },
    async close() {
      closed = true;
      for (const one of open) one.reject(closing());
      open.clear();
      await running;
    },
  };
}

export const closing = (): Failed => new Failed("aborted", "The model is closed");

/** Keeps the first `length` tokens. */
export async function cut(cells: Cells, length: number): Promise<void> {
  const { sequence, tokens } = cells;
  if (tokens.length <= length) return;
  if (length === 0) await sequence.clearHistory();
  else await sequence.eraseContextTokenRanges([{ start: length, end: tokens.length }]);
  tokens.length = length;
}

/** A promise that an abort rejects at once; `begin` returns what takes the request back. */
export function abortable<T>(
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (reason: unknown) => void) => () => void,
): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const end = (): void => signal.removeEventListener("abort", abort);
    const undo = begin(
      (value) => {
        end();
        resolve(value);
      },
      (reason) => {
        end();
        reject(reason);
      },
    );
    const abort = (): void => {
      undo();
      reject(signal.reason);
    };
    signal.addEventListener("abort", abort, { once: true });
  });
}
