import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import { text, type TextState } from "../policies/text.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import type { Judgement, Scorer } from "../scorer.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { byLine, type ProcessAggregate, processReward } from "./process.ts";

const signal = new AbortController().signal;
const request = { problem: { id: "p", prompt: "q" }, text: (state: string) => state, seed: 5, signal };

/** P of a step is its last digit out of 10; it costs a call. */
function digits() {
  const asked: string[] = [];
  const scorer: Scorer<string> = {
    name: "digits",
    kind: "probability",
    bound: () => cost({ calls: 1 }),
    score({ state }) {
      asked.push(state);
      return { score: { kind: "probability", value: Number(state.at(-1)) / 10 }, cost: cost({ calls: 1 }) };
    },
  };
  return { scorer, asked };
}

function path(...states: string[]): Node<string> {
  const root = { id: "root", parent: undefined, state: "", done: false } as unknown as Node<string>;
  return states.reduce((parent, state, i) => ({ ...parent, id: `${i}#0`, parent, state, done: i === states.length - 1 }), root); // biome-ignore format: one line
}

test.each<[ProcessAggregate, number]>([
  ["last", 0.5],
  ["min", 0.2],
  ["product", 0.9 * 0.2 * 0.5],
  ["mean", 1.6 / 3],
])("%s of 0.9, 0.2, 0.5 is %d", async (aggregate, value) => {
  const { scorer, asked } = digits();
  const whole = processReward(scorer, { aggregate });
  expect([whole.name, whole.kind]).toEqual([`${aggregate} over steps of digits`, "probability"]);
  const node = path("9", "92", "925");
  const judgement = (await whole.score(node, request)) as Required<Judgement>;
  expect(judgement.score).toMatchObject({ kind: "probability", value: expect.closeTo(value, 12) });
  expect(asked).toEqual(aggregate === "last" ? ["925"] : ["9", "92", "925"]);
  expect([judgement.cost, whole.bound?.(node, request)]).toEqual([cost({ calls: asked.length }), cost({ calls: asked.length })]); // biome-ignore format: one line
});

test("a prefix is scored once for all answers that share it", async () => {
  const { scorer, asked } = digits();
  const whole = processReward(scorer);
  const both = await Promise.all([whole.score(path("9", "91"), request), whole.score(path("9", "97"), request)]);
  expect(asked).toEqual(["9", "91", "97"]);
  expect((both as Required<Judgement>[]).map(({ cost: { calls } }) => calls)).toEqual([2, 1]);
  expect(await whole.score(path("9", "91"), request)).toMatchObject({ score: { value: 0.1 }, cost: { calls: 0 } });
});

test("the root has no steps: it is scored as it is", async () => {
  const { scorer, asked } = digits();
  expect(await processReward(scorer).score({ ...path(), state: "3" }, request)).toMatchObject({
    score: { value: 0.3 },
  });
  expect(asked).toEqual(["3"]);
});

test("one step that cannot be scored leaves the answer unscored, but `last` asks about one alone", async () => {
  const { scorer } = digits();
  await expect(processReward(scorer).score(path("x", "x5"), request)).rejects.toMatchObject({ code: "invalid-score" });
  expect(await processReward(scorer, { aggregate: "last" }).score(path("x", "x5"), request)).toMatchObject({ score: { value: 0.5 } }); // biome-ignore format: one line
});

describe("answers that were drawn whole", () => {
  test("are cut by line, each line with its end; their tokens are the whole's", () => {
    const state = { text: "a\nb\n\nc\n", tokens: [1], finish: "end" };
    expect(byLine(state)).toEqual([
      { text: "a\n", finish: "end" },
      { text: "a\nb\n", finish: "end" },
      { text: "a\nb\n\n", finish: "end" },
      state,
    ]);
    expect(byLine({ text: "" })).toEqual([{ text: "" }]);
  });

  test("in best-of-n the chain whose weakest line is best wins, and shared first lines are paid for once", async () => {
    const lines: Scorer<TextState> = {
      name: "digits",
      kind: "probability",
      bound: () => cost({ calls: 1 }),
      score: ({ state }) => ({
        score: { kind: "probability", value: Number(state.text.trimEnd().at(-1)) / 10 },
        cost: cost({ calls: 1 }),
      }),
    };
    const journal = memoryJournal();
    const { text: best } = await run(
      bestOfN({ n: 3, scorer: processReward(lines, { prefixes: byLine }) }),
      { id: "p", prompt: "q" },
      { policy: text(scripted({ replies: ["9\n1", "9\n6", "9\n5\n9"] })), journal, concurrency: 1 },
    );
    expect(best).toBe("9\n6");
    const calls = journal.events.flatMap((event) => (event.type === "score" ? [event.cost.calls] : []));
    expect(calls.reduce((sum, one) => sum + one, 0)).toBe(1 + 1 + 1 + 2);
  });
});

test("a prefix is no finished answer, and its log-probability is not the whole's", async () => {
  const asked: Node<{ text: string }>[] = [];
  const scorer: Scorer<{ text: string }> = {
    name: "seen",
    kind: "reward",
    score: (node) => (asked.push(node), { kind: "reward", value: 1 }),
  };
  const whole = { id: "0#0", state: { text: "a\nb\n" }, done: true, totalLogProb: -3 } as Node<{ text: string }>;
  const named = { ...request, text: ({ text }: { text: string }) => text };
  await processReward(scorer, { prefixes: byLine }).score(whole, named);
  expect(asked.map(({ state, done, totalLogProb }) => [state.text, done, totalLogProb])).toEqual([
    ["a\n", false, Number.NaN],
    ["a\nb\n", true, -3],
  ]);
});

test("refuses what has no such aggregate", () => {
  const reward: Scorer<string> = { name: "r", kind: "reward", score: () => ({ kind: "reward", value: 1 }) };
  const verdict: Scorer<string> = { name: "v", kind: "verdict", score: () => ({ kind: "verdict", correct: true }) };
  expect(() => processReward(reward, { aggregate: "product" })).toThrow("not probabilities");
  expect(() => processReward(verdict)).toThrow("verdicts");
});
