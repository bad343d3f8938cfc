import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import type { Node } from "../node.ts";
import type { Judgement, Scorer, ScoreRequest } from "../scorer.ts";
import { cached, withTimeout } from "./wrap.ts";

const signal = new AbortController().signal;
const request = { problem: { id: "p", prompt: "q" }, text: (state: string) => state, seed: 5, signal };
const node = (state: string) => ({ state }) as Node<string>;

/** Gives the seed that it is asked with, at the price of a call, when it is told to. */
function slow() {
  const asked: { state: string; request: ScoreRequest<string>; give: () => void; fail: () => void }[] = [];
  const scorer: Scorer<string> = {
    name: "slow",
    kind: "reward",
    bound: () => cost({ calls: 1 }),
    score: ({ state }, given) =>
      new Promise<Judgement>((resolve, reject) => {
        given.signal.addEventListener("abort", () => reject(given.signal.reason), { once: true });
        const give = () => resolve({ score: { kind: "reward", value: given.seed }, cost: cost({ calls: 1 }) });
        asked.push({ state, request: given, give, fail: () => reject(new Error("down")) });
      }),
  };
  return { scorer, asked };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("cached", () => {
  test("a finished text and the same text unfinished are judged apart", async () => {
    const { scorer, asked } = slow();
    const memo = cached(scorer);
    const all = [true, false, true].map((done) => memo.score({ state: "a", done } as Node<string>, request));
    await settled();
    expect(asked.length).toBe(2);
    for (const { give } of asked) give();
    expect((await Promise.all(all)).map((one) => (one as Judgement).cost?.calls)).toEqual([1, 1, 0]);
  });

  test("equal texts of one problem are judged once, the first pays, at whatever seed and however close together", async () => {
    const { scorer, asked } = slow();
    const memo = cached(scorer);
    expect([memo.name, memo.kind, memo.bound?.(node("a"), request)]).toEqual(["cached slow", "reward", cost({ calls: 1 })]); // biome-ignore format: one line
    const both = [memo.score(node("a"), request), memo.score(node("a"), { ...request, seed: 6 })];
    asked[0]?.give();
    const [first, second] = (await Promise.all(both)) as Required<Judgement>[];
    expect([first?.score, first?.cost.calls, second?.cost.calls]).toEqual([second?.score, 1, 0]);
    expect(asked.length).toBe(1);

    void memo.score(node("b"), request);
    void memo.score(node("a"), { ...request, problem: { id: "other", prompt: "q" } });
    await settled();
    expect(asked.length).toBe(3);
    expect(new Set(asked.map((one) => one.request.seed)).size).toBe(3); // a seed is made of what is judged
  });

  test("a failure is not remembered; who waited for a call that was aborted asks again", async () => {
    const { scorer, asked } = slow();
    const memo = cached(scorer);
    const failing = memo.score(node("a"), request);
    asked[0]?.fail();
    await expect(failing).rejects.toThrow("down");

    const left = new AbortController();
    const aborted = memo.score(node("a"), { ...request, signal: left.signal });
    const waiting = memo.score(node("a"), request);
    left.abort(new Error("left"));
    await expect(aborted).rejects.toThrow("left");
    await settled();
    asked[2]?.give();
    expect((await waiting) as Judgement).toMatchObject({ cost: { calls: 1 } });
  });

  test("keeps the most recently used", async () => {
    let calls = 0;
    const counting: Scorer<string> = { name: "c", kind: "reward", score: () => ({ kind: "reward", value: ++calls }) };
    const memo = cached(counting, { most: 2 });
    for (const state of ["a", "b", "a", "c", "a", "b"]) await memo.score(node(state), request);
    expect(calls).toBe(4); // a, b, c, and b again
    expect(() => cached(counting, { most: 0 })).toThrow("'most'");
  });
});

describe("with a timeout", () => {
  test("what is in time passes; what is late fails with `timeout` and is told", async () => {
    const { scorer, asked } = slow();
    const fast = withTimeout(scorer, 60_000).score(node("a"), request);
    asked[0]?.give();
    expect((await fast) as Judgement).toMatchObject({ score: { value: 5 }, cost: { calls: 1 } });

    await expect(withTimeout(scorer, 1).score(node("a"), request)).rejects.toMatchObject({ code: "timeout" });
    expect(asked[1]?.request.signal.aborted).toBe(true);
    expect(() => withTimeout(scorer, 0)).toThrow("'timeoutMs'");
  });

  test("ends with the run's signal, also where the scorer does not listen", async () => {
    const deaf: Scorer<string> = { name: "deaf", kind: "reward", score: () => new Promise(() => {}) };
    const left = new AbortController();
    const waiting = withTimeout(deaf, 60_000).score(node("a"), { ...request, signal: left.signal });
    left.abort(new Error("left"));
    await expect(waiting).rejects.toThrow("left");
  });
});
