/**
 * Who may work now: places are counted in candidates, for all and for each key; who finds none waits in a bounded queue, first
 * come first served, where a key that has no place of its own lets others pass. No key fills more than half of the queue.
 */
import { ApiError } from "./api-error.ts";
import type { ServerLimits } from "./options.ts";
import type { Caller } from "./offers.ts";

export interface Admission {
  /** Counts the request against the rate of its key. @throws ApiError `rate_limit_exceeded` */
  count(caller: Caller): void;
  /** When there is a place; gives how to leave it, once. @throws ApiError `queue_full`; the signal's reason */
  enter(caller: Caller, candidates: number, signal: AbortSignal): Promise<() => void>;
  /** Candidates at work, and in the queue. */
  readonly running: number;
  readonly queued: number;
}

interface Waiting {
  readonly caller: Caller;
  readonly candidates: number;
  readonly start: () => void;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** @param clock seconds, monotonic: rates do not follow a clock that is set */
export function admission(
  { running: most, queue }: Pick<ServerLimits, "running" | "queue">,
  clock: () => number = () => performance.now() / 1000,
): Admission {
  const waiting = new Set<Waiting>();
  const own = new Map<string, number>();
  const buckets = new Map<string, Bucket>();
  let running = 0;
  let queued = 0;

  /** One that is larger than all places works alone. */
  const fits = ({ caller, candidates }: Pick<Waiting, "caller" | "candidates">): boolean => {
    const mine = own.get(caller.name) ?? 0;
    const place = (used: number, all: number): boolean => used === 0 || used + candidates <= all;
    return place(running, most) && place(mine, caller.concurrency ?? Infinity);
  };

  function start(caller: Caller, candidates: number): () => void {
    running += candidates;
    own.set(caller.name, (own.get(caller.name) ?? 0) + candidates);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      running -= candidates;
      const rest = (own.get(caller.name) ?? 0) - candidates;
      if (rest > 0) own.set(caller.name, rest);
      else own.delete(caller.name);
      admit();
    };
  }

  function admit(): void {
    for (const one of waiting) {
      if (running >= most) return;
      if (fits(one)) one.start();
      // A large one at the head keeps the places that come free, unless its key alone holds it up.
      else if (isHeldByAll(one)) return;
    }
  }

  const isHeldByAll = ({ candidates }: Waiting): boolean => running > 0 && running + candidates > most;

  const queuedBy = ({ name }: Caller): number =>
    [...waiting].reduce((sum, one) => sum + (one.caller.name === name ? one.candidates : 0), 0);

  return {
    get running() {
      return running;
    },
    get queued() {
      return queued;
    },
    count(caller) {
      const perMinute = caller.requestsPerMinute;
      if (perMinute === undefined) return;
      const burst = Math.max(1, perMinute);
      const now = clock();
      const bucket = buckets.get(caller.name) ?? { tokens: burst, at: now };
      bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * perMinute) / 60);
      bucket.at = now;
      buckets.set(caller.name, bucket);
      if (bucket.tokens < 1)
        throw new ApiError("rate_limit_exceeded", `This key may make ${perMinute} requests a minute: wait`, {
          retryAfterSeconds: ((1 - bucket.tokens) * 60) / perMinute,
        });
      bucket.tokens--;
    },
    async enter(caller, candidates, signal) {
      signal.throwIfAborted();
      const isNext = ![...waiting].some(isHeldByAll);
      if (isNext && fits({ caller, candidates })) return start(caller, candidates);
      if (queued + candidates > queue || queuedBy(caller) + candidates > queue / 2)
        throw new ApiError("queue_full", "The server has as many requests as it can hold: try again later", {
          retryAfterSeconds: 1,
        });
      return new Promise((resolve, reject) => {
        queued += candidates;
        const leave = () => {
          waiting.delete(one);
          queued -= candidates;
          signal.removeEventListener("abort", onAbort);
        };
        const onAbort = () => {
          leave();
          reject(signal.reason);
          admit();
        };
        const one: Waiting = {
          caller,
          candidates,
          start() {
            leave();
            resolve(start(caller, candidates));
          },
        };
        signal.addEventListener("abort", onAbort, { once: true });
        waiting.add(one);
        admit(); // those ahead may wait for their own keys alone
      });
    },
  };
}
