/** How far an evaluation is, how fast it goes, and when it will be done. */
import { addCosts, type Cost, noCost } from "../budget.ts";
import type { RunNews } from "./session.ts";

export interface Progress {
  /** Runs, those of earlier processes included. */
  readonly done: number;
  readonly total: number;
  /** Of this process: what methods were charged, and what of it was really paid; the rest came out of the ledger. */
  readonly charged: Cost;
  readonly paid: Cost;
  /** Runs of this process in which samples or scores failed, and those in which nothing else happened. */
  readonly failedRuns: number;
  readonly lostRuns: number;
  readonly runsPerSecond: number;
  /** Tokens that were really paid. */
  readonly tokensPerSecond: number;
  /** Undefined until the first run. */
  readonly secondsLeft: number | undefined;
}

/**
 * The estimate is by what this process has done so far, not by the last seconds: runs of one group differ most, as the first
 * pays for the draws of all, and all groups are alike.
 */
export function progressOf(done: number, total: number): { add(run: RunNews): void; at(seconds: number): Progress } {
  let [charged, paid] = [noCost, noCost];
  let [failedRuns, lostRuns] = [0, 0];
  const told = new Set<string>();
  return {
    add(run) {
      if (told.has(run.id)) return; // once more, by a fresh worker
      told.add(run.id);
      charged = addCosts(charged, run.spent);
      paid = addCosts(paid, run.paid);
      if (run.failedSamples + run.failedScores > 0) failedRuns++;
      if (run.stopped.why === "all-failed") lostRuns++;
    },
    at(seconds) {
      const rate = told.size / seconds;
      return {
        done: done + told.size,
        total,
        charged,
        paid,
        failedRuns,
        lostRuns,
        runsPerSecond: rate,
        tokensPerSecond: paid.tokens / seconds,
        secondsLeft: told.size === 0 ? undefined : (total - done - told.size) / rate,
      };
    },
  };
}
