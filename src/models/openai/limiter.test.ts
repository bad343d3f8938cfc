import { expect, test } from "vitest";
import { Limiter } from "./limiter.ts";

const { signal } = new AbortController();
const always = (): boolean => true;

/** A task that ends when told to. */
function task(): { run: () => Promise<void>; started: () => boolean; succeed: () => void; fail: () => void } {
  let began = false;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return {
    run: () => {
      began = true;
      return promise;
    },
    started: () => began,
    succeed: resolve,
    fail: () => reject(new Error("429")),
  };
}

test("a burst of rate limits halves the limit once; as many successes as are allowed raise it by one", async () => {
  const limiter = new Limiter(8);
  const burst = Array.from({ length: 8 }, task);
  const runs = burst.map(({ run }) => limiter.run(run, always, signal).catch(() => {}));
  await Promise.resolve();
  for (const { fail } of burst) fail();
  await Promise.all(runs);
  expect(limiter.limit).toBe(4);
  await limiter.run(() => Promise.reject(new Error("429")), always, signal).catch(() => {});
  expect(limiter.limit).toBe(2); // sent after the lowering: another episode
  for (const limit of [2, 3, 3, 3, 4]) {
    await limiter.run(() => Promise.resolve(), always, signal);
    expect(limiter.limit).toBe(limit);
  }
});

test("tasks take turns, and one that is aborted gives its place away", async () => {
  const limiter = new Limiter(1);
  const abort = new AbortController();
  const [a, b, c] = [task(), task(), task()] as const;
  const first = limiter.run(a.run, always, signal);
  const second = limiter.run(b.run, always, abort.signal);
  const third = limiter.run(c.run, always, signal);
  await Promise.resolve();
  expect([a, b, c].map(({ started }) => started())).toEqual([true, false, false]);
  abort.abort(new Error("not wanted"));
  await expect(second).rejects.toThrow("not wanted");
  a.succeed();
  await first;
  c.succeed();
  await third;
  expect([b, c].map(({ started }) => started())).toEqual([false, true]);
});
