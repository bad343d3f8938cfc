import { expect, test } from "vitest";
import { admission } from "./admission.ts";

const never = new AbortController().signal;
const a = { name: "a" };
const b = { name: "b" };

/** Lets what is ready go on. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("places are counted in candidates, and who waits comes in order", async () => {
  const places = admission({ running: 10, queue: 100 });
  const leave = await places.enter(a, 8, never);
  const order: number[] = [];
  const later = [4, 2, 3].map((candidates) =>
    places.enter(a, candidates, never).then((leave) => {
      order.push(candidates);
      return leave;
    }),
  );
  await turn();
  expect({ running: places.running, queued: places.queued, order }).toEqual({ running: 8, queued: 9, order: [] });
  leave();
  leave(); // a second time is nothing
  await Promise.all(later);
  expect({ running: places.running, queued: places.queued, order }).toEqual({
    running: 9,
    queued: 0,
    order: [4, 2, 3],
  });
});

test("one that is larger than all places works alone", async () => {
  const places = admission({ running: 10, queue: 100 });
  const leave = await places.enter(a, 20, never);
  let entered = false;
  void places.enter(b, 1, never).then(() => (entered = true));
  await turn();
  expect(entered).toBe(false);
  leave();
  await turn();
  expect(entered).toBe(true);
});

test("a key at its own limit lets others pass", async () => {
  const places = admission({ running: 10, queue: 100 });
  const narrow = { name: "a", concurrency: 2 };
  await places.enter(narrow, 2, never);
  let entered = false;
  void places.enter(narrow, 2, never).then(() => (entered = true));
  await places.enter(b, 8, never);
  expect({ entered, running: places.running, queued: places.queued }).toEqual({
    entered: false,
    running: 10,
    queued: 2,
  });
});

test("a full queue refuses at once and says when to come again; one key fills half of it", async () => {
  const places = admission({ running: 1, queue: 8 });
  await places.enter(a, 1, never);
  void places.enter(a, 4, never);
  await expect(places.enter(a, 1, never)).rejects.toMatchObject({ code: "queue_full", retryAfterSeconds: 1 });
  void places.enter(b, 4, never);
  await expect(places.enter({ name: "c" }, 1, never)).rejects.toMatchObject({ code: "queue_full" });
  expect(places.queued).toBe(8);
});

test("who leaves the queue makes room", async () => {
  const places = admission({ running: 4, queue: 100 });
  const leave = await places.enter(a, 2, never);
  const gone = new AbortController();
  const large = places.enter(a, 4, gone.signal);
  const small = places.enter(b, 2, never);
  gone.abort(new Error("left"));
  await expect(large).rejects.toThrow("left");
  await small;
  leave();
  expect({ running: places.running, queued: places.queued }).toEqual({ running: 2, queued: 0 });
});

test("a rate is a bucket that fills evenly by a monotonic clock", () => {
  let now = 0;
  const places = admission({ running: 1, queue: 1 }, () => now);
  const caller = { name: "a", requestsPerMinute: 2 };
  places.count(caller);
  places.count(caller);
  expect(() => places.count(caller)).toThrow(
    expect.objectContaining({ code: "rate_limit_exceeded", retryAfterSeconds: 30 }),
  );
  now = 29;
  expect(() => places.count(caller)).toThrow("2 requests a minute");
  now = 30.001;
  places.count(caller);
  expect(() => places.count(caller)).toThrow("2 requests a minute");
  places.count(b); // has no limit
});
