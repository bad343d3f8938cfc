/** Who of this process is asking what: identical requests over one ledger are paid by the first, and the others wait for it. */
import type { Failure } from "../../errors.ts";
import type { Ledger, LedgerEntry } from "../../ledger.ts";

/** What became of a request: the payer may also have given up, and whoever waited asks then. */
export type Outcome = LedgerEntry | { readonly failure: Failure } | "given-up";

export interface Desk {
  /** The outcome of a request that somebody is asking; undefined where nobody is. */
  waitFor(key: string): Promise<Outcome> | undefined;
  /** From now on the caller is asking. What it is given tells the others what came of it; once. */
  claim(key: string): (outcome: Outcome) => void;
}

const desks = new WeakMap<Ledger, Desk>();

/** The same for all who use one ledger. */
export function deskOf(ledger: Ledger): Desk {
  let desk = desks.get(ledger);
  if (!desk) desks.set(ledger, (desk = newDesk()));
  return desk;
}

function newDesk(): Desk {
  const asking = new Map<string, Promise<Outcome>>();
  return {
    waitFor: (key) => asking.get(key),
    claim(key) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      asking.set(key, promise);
      return (outcome) => {
        if (asking.get(key) === promise) asking.delete(key);
        resolve(outcome);
      };
    },
  };
}

/** Waits no longer than until the signal aborts; that is as if the payer had given up. */
export function outcomeUnlessAborted(outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
  return new Promise((resolve) => {
    const abort = (): void => resolve("given-up");
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    void outcome.then((settled) => {
      signal.removeEventListener("abort", abort);
      resolve(settled);
    });
  });
}
