/**
 * Calls and the items in flight. A call answers one or several items; each flies from the reservation of its worst case
 * until it lands with what it really cost. A call is told to stop when nobody wants any more of what it still owes.
 */
import type { Reservation } from "../account.ts";
import type { Cost } from "../budget.ts";
import type { Work } from "../driver.ts";
import { Failed } from "../errors.ts";

/** One request that answers one or several items. */
export interface Call {
  readonly controller: AbortController;
  /** Items in flight. */
  open: number;
  /** Those of them that are still wanted. */
  wanted: number;
}

export interface Flight<S> {
  readonly work: Work<S>;
  readonly reservation: Reservation;
  readonly call: Call;
  unwanted: boolean;
}

export class Flights<S> {
  readonly #flights = new Map<string, Flight<S>>();
  /** Requests that have not ended; one may still be open when all that it was asked for is there. */
  readonly #calls = new Set<Call>();
  /** Is told when the last flight has landed. */
  #onLast: (() => void) | undefined;

  /** Items in flight. */
  get size(): number {
    return this.#flights.size;
  }

  get(id: string): Flight<S> | undefined {
    return this.#flights.get(id);
  }

  /** What is in flight now; it may land meanwhile. */
  all(): Flight<S>[] {
    return [...this.#flights.values()];
  }

  /** Begins a call for these items. */
  open(items: readonly { readonly work: Work<S>; readonly reservation: Reservation }[]): Call {
    const call: Call = { controller: new AbortController(), open: items.length, wanted: items.length };
    this.#calls.add(call);
    for (const { work, reservation } of items) this.#flights.set(work.id, { work, reservation, call, unwanted: false });
    return call;
  }

  /** The call itself has ended. */
  close(call: Call): void {
    this.#calls.delete(call);
  }

  /** Ends a flight and books it; a cost that is none (negative, NaN, missing) is charged as the worst case. */
  land({ work, reservation, call, unwanted }: Flight<S>, cost: Cost): Cost {
    let paid = cost;
    try {
      reservation.settle(paid);
    } catch {
      paid = reservation.reserved;
      reservation.settle(paid);
    }
    this.#flights.delete(work.id);
    call.open--;
    if (!unwanted) call.wanted--;
    abandon(call);
    if (this.size === 0) this.#onLast?.();
    return paid;
  }

  /** Its answer is no longer wanted; false if it is not in flight. */
  giveUp(id: string): boolean {
    const flight = this.#flights.get(id);
    if (!flight) return false;
    flight.unwanted = true;
    flight.call.wanted--;
    abandon(flight.call);
    return true;
  }

  /** Tells every call to stop; with `owing`, only those that owe something. */
  abort(why: string, { owing = false }: { owing?: boolean } = {}): void {
    for (const { controller, open } of this.#calls)
      if (open > 0 || !owing) controller.abort(new Failed("aborted", why));
  }

  /** The same, later, for those that have not ended by then. */
  abortAfter(ms: number, why: string): void {
    if (this.#calls.size > 0) setTimeout(() => this.abort(why), ms).unref();
  }

  /** Forgets what is in flight: what it still answers is of no use. */
  clear(): void {
    this.#flights.clear();
    this.#onLast?.();
  }

  /** Resolves when nothing is in flight any more, or the time is up. */
  landed(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      if (this.size === 0) return resolve();
      const timer = setTimeout(resolve, withinMs);
      this.#onLast = () => {
        clearTimeout(timer);
        resolve(); // whoever waits goes on after the landing has been recorded
      };
    });
  }
}

/** Stops a call whose answers nobody waits for any more. */
function abandon({ controller, open, wanted }: Call): void {
  if (wanted === 0 && open > 0) controller.abort(new Failed("aborted", "No longer wanted"));
}
