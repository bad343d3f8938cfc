/**
 * A ledger of paid replies: what was asked, what came back, what it cost. A request that is in it is never paid again, in
 * this run or a later one.
 *
 * A key is the hash of the canonical request: model and its revision, prefix, settings, and the one seed. A reply that
 * arrived is recorded before anybody sees it. What was asked and not yet recorded is a flight: after a crash the flights of
 * the dead process are in doubt, they may have been paid, and they are counted and shown, never hidden.
 */
import type { Cost } from "./budget.ts";
import type { Json } from "./problem.ts";

export interface LedgerEntry {
  readonly key: string;
  readonly model: string;
  /** What was asked for: a completion, the score of a text, a next-token distribution, a scorer's judgement. */
  readonly kind: "completion" | "text-score" | "next-tokens" | "judgement";
  readonly reply: Json;
  readonly cost: Cost;
}

/** Requests that are about to be paid for: one row for all that one call asks. */
export interface FlightPlan {
  readonly model: string;
  readonly requests: number;
  /** The worst that they can cost together, where that is known. */
  readonly worst: Cost;
}

/** A flight of a process that is no more. */
export interface InDoubt extends FlightPlan {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

export interface Ledger {
  /** What is recorded of these keys; those that are not there are not in the map. */
  find(keys: readonly string[]): Promise<ReadonlyMap<string, LedgerEntry>>;
  /** Before paying. Gives the flight's id. */
  begin(plan: FlightPlan): Promise<string>;
  /** After paying, before anybody sees the replies. A key that is there already stays as it is. */
  record(entries: readonly LedgerEntry[]): Promise<void>;
  /** The call is over: what arrived is recorded, and of what failed or was aborted its caller knows. */
  end(flight: string): Promise<void>;
  /** Flights whose owner is dead: at most these requests may have been paid and lost. */
  inDoubt(): Promise<readonly InDoubt[]>;
}
