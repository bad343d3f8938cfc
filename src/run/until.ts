/** Waiting that ends: when the signal aborts or the time is up, even if what is waited for does not listen. */
import { Failed } from "../errors.ts";

/** How long calls that were told to stop may take to say what they used. */
export const graceMs = 20;

/** Node fires later ones at once. */
export const longestTimerMs: number = 2 ** 31 - 1;

/** How long a stream may keep the event loop to itself. */
const breathMs = 10;

/** The parts of a stream, until the signal aborts or the time is up, even if the stream itself listens to neither. */
export async function* untilAborted<T>(
  parts: AsyncIterable<T>,
  signal: AbortSignal,
  timeoutMs: number,
): AsyncGenerator<T> {
  const iterator = parts[Symbol.asyncIterator]();
  let breath = performance.now();
  const deadline = breath + timeoutMs;
  let abortedAt: number | undefined;
  try {
    for (;;) {
      const step = await untilSettled(iterator.next(), signal, deadline - performance.now(), graceMs);
      if (step.done) return;
      yield step.value;
      if (performance.now() - breath < breathMs) continue;
      // A stream that never waits would keep every timer, and all other calls, waiting.
      await new Promise((resolve) => setImmediate(resolve));
      breath = performance.now();
      if (breath > deadline) throw tooLong();
      if (signal.aborted) abortedAt ??= breath;
      if (abortedAt !== undefined && breath - abortedAt >= graceMs) throw signal.reason;
    }
  } finally {
    // Not awaited: a stream that hangs must not hold the run.
    void Promise.resolve(iterator.return?.()).catch(() => {});
  }
}

/** A promise, or a rejection when the signal aborts (after `grace` milliseconds, in which it may still settle) or time is up. */
export function untilSettled<T>(promise: Promise<T>, signal: AbortSignal, timeoutMs: number, grace = 0): Promise<T> {
  return new Promise((resolve, reject) => {
    let late: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => end(() => reject(tooLong())), Math.min(Math.max(0, timeoutMs), longestTimerMs));
    const onAbort = () => {
      late = setTimeout(() => end(() => reject(signal.reason)), grace);
    };
    const end = (settle: () => void) => {
      clearTimeout(timer);
      clearTimeout(late);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
    promise.then(
      (value) => end(() => resolve(value)),
      (error) => end(() => reject(error)),
    );
  });
}

const tooLong = (): Failed =>
  new Failed("timeout", "No reply in the time that the run allows one call: raise timeoutMs, or ask for less");
