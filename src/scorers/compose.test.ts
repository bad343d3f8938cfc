import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import { Failed } from "../errors.ts";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import { text, type TextState } from "../policies/text.ts";
import { run } from "../run.ts";
import { type Judgement, rankOf, type Score, type Scorer } from "../scorer.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { gated, lexicographic, paretoFront, weighted } from "./compose.ts";
import { custom } from "./custom.ts";

const context = { problem: { id: "p", prompt: "q" }, text: (state: string) => state };
const request = { ...context, seed: 5, signal: new AbortController().signal };
const judge = async (scorer: Scorer<string>, state: string): Promise<Judgement> => {
  const given = await scorer.score({ state } as Node<string>, request);
  return "score" in given ? given : { score: given };
};

const length = custom<string>("length", (one) => one.length);
const isWord: Scorer<string> = {
  name: "is a word",
  kind: "verdict",
  bound: () => cost({ calls: 1 }),
  score: ({ state }) => ({
    score: { kind: "verdict", correct: /^[a-z]+$/.test(state), evidence: `'${state}' was read` },
    cost: cost({ calls: 1 }),
  }),
};
const broken: Scorer<string> = { name: "broken", kind: "reward", score: () => ({ kind: "reward", value: Number.NaN }) };

describe("two scorers, three answers", () => {
  const fun: Record<string, number> = { dull: 0.1, witty: 0.7, hilarious: 0.8 };
  const accurate: Record<string, number> = { dull: 1, witty: 0.3, hilarious: 0.1 };
  const answers = Object.keys(fun);
  const funness = custom<TextState>("fun-ness", (one) => fun[one] as number);
  const accuracy = custom<TextState>("accuracy", (one) => accurate[one] as number);
  const best = async (scorer: Scorer<TextState>) =>
    (
      await run(
        bestOfN({ n: 3, scorer }),
        { id: "p", prompt: "q" },
        {
          policy: text(scripted({ replies: answers })),
        },
      )
    ).text;

  test("the order flips with the scorer, and one weight hides it", async () => {
    expect([await best(funness), await best(accuracy)]).toEqual(["hilarious", "dull"]);
    const mixed = (weight: number) => weighted<TextState>([[funness, weight], [accuracy, 1 - weight]]); // biome-ignore format: one line
    // Lines through (0: 1, 0.3, 0.1) and (1: 0.1, 0.7, 0.8): dull and hilarious cross at 9/16, dull and witty at 7/13.
    expect([await best(mixed(0.5)), await best(mixed(0.55)), await best(mixed(0.7))]).toEqual(["dull", "witty", "hilarious"]); // biome-ignore format: one line
  });

  test("none beats another by both: all are on the Pareto front; a worse copy is not", () => {
    const scores = answers.map((one) => [fun[one], accurate[one]]);
    expect(paretoFront(answers, scores)).toEqual(answers);
    expect(paretoFront([...answers, "dull and wrong"], [...scores, [0.1, 0.9]])).toEqual(answers);
  });
});

test("the Pareto front keeps equal ones, leaves out what has no score, and equals the definition", () => {
  const verdict = (correct: boolean): Score => ({ kind: "verdict", correct });
  expect(paretoFront(["a", "b", "c"], [[1, verdict(true)], [1, verdict(true)], [2, undefined]])).toEqual(["a", "b"]); // biome-ignore format: one line
  expect(paretoFront([], [])).toEqual([]);
  const points = Array.from({ length: 60 }, (_, i) => [(i * 37) % 11, (i * 53) % 13, (i * 29) % 7]);
  const front = paretoFront(points, points);
  for (const point of points) {
    const beaten = points.some((o) => o.every((v, k) => v >= (point[k] as number)) && o.join() !== point.join());
    expect(front.includes(point)).toBe(!beaten);
  }
});

test("a weighted sum says what it is made of, maps each part, adds up costs, and fails with a part", async () => {
  const sum = weighted<string>([
    [isWord, 10],
    [length, -0.5, (score) => (score.kind === "reward" ? Math.sqrt(score.value) : 0)],
  ]);
  expect(sum.name).toBe("10·is a word + -0.5·length");
  expect(await judge(sum, "abcd")).toEqual({
    score: { kind: "reward", value: 9, evidence: "is a word: 1; length: 4" },
    cost: cost({ calls: 1 }),
  });
  expect(sum.bound?.({ state: "abcd" } as Node<string>, context)).toEqual(cost({ calls: 1 }));
  await expect(judge(weighted<string>([[length, 1], [broken, 1]]), "a")).rejects.toMatchObject({ code: "invalid-score" }); // biome-ignore format: one line
  const paid: Scorer<string> = { name: "paid", kind: "reward", score: () => Promise.reject(new Failed("timeout", "late", { cost: cost({ calls: 1 }) })) }; // biome-ignore format: one line
  // What the other part has spent is not known here, so the failure does not say what it cost: the worst case is charged.
  await expect(judge(weighted<string>([[isWord, 1], [paid, 1]]), "a")).rejects.toMatchObject({ code: "timeout", cost: undefined }); // biome-ignore format: one line
  expect(() => weighted([])).toThrow("at least one");
  expect(() => weighted([[length, Number.NaN]])).toThrow("the weight of 'length'");
});

describe("a gate", () => {
  test("lets pass, or gives the value of what fails with the gate's evidence, and asks no further", async () => {
    let asked = 0;
    const judged: Scorer<string> = { name: "judge", kind: "probability", score: () => (asked++, { kind: "probability", value: 0.5 }) }; // biome-ignore format: one line
    const both = gated(isWord, judged);
    expect([both.name, both.kind]).toEqual(["is a word then judge", "probability"]);
    expect(await judge(both, "abc")).toMatchObject({ score: { value: 0.5 }, cost: { calls: 1 } });
    expect(await judge(both, "1")).toMatchObject({ score: { value: 0, evidence: "'1' was read" }, cost: { calls: 1 } });
    expect(asked).toBe(1);
  });

  test("needs to know what failing is worth where the scale has no end; verdicts have one", async () => {
    expect(() => gated(isWord, length)).toThrow("without 'otherwise'");
    expect(await judge(gated(isWord, length, { otherwise: -9 }), "1")).toMatchObject({ score: { value: -9 } });
    expect(await judge(gated(isWord, isWord), "1")).toMatchObject({ score: { kind: "verdict", correct: false } });
    expect(() => gated(length, isWord)).toThrow("gives no verdict");
    expect(() => gated(isWord, length, { otherwise: Number.NaN })).toThrow("current value is NaN");
    const likely: Scorer<string> = { name: "judge", kind: "probability", score: () => ({ kind: "probability", value: 0.5 }) }; // biome-ignore format: one line
    expect(() => gated(isWord, likely, { otherwise: -1 })).toThrow("'otherwise' must be a probability");
  });
});

test("lexicographic: verdicts first, in their order, then the last score, whatever its size", async () => {
  const short: Scorer<string> = { name: "short", kind: "verdict", score: ({ state }) => ({ kind: "verdict", correct: state.length < 4 }) }; // biome-ignore format: one line
  const size = custom<string>("size", (one) => (one.length - 3) * 1000);
  const order = lexicographic<string>([isWord, short, size]);
  const states = ["1234567", "12", "123", "abcdef", "a", "abc"];
  const values = await Promise.all(states.map(async (state) => ((await judge(order, state)).score as { value: number }).value)); // biome-ignore format: one line
  expect(values).toEqual(values.toSorted((a, b) => a - b));
  expect(new Set(values).size).toBe(6);
  // No number is great enough to outweigh a verdict, or to be lost.
  const last = custom<string>("last", (one) => Number(one.split(" ")[1] ?? 0));
  const brief: Scorer<string> = { name: "brief", kind: "verdict", score: ({ state }) => ({ kind: "verdict", correct: state.startsWith("a") }) }; // biome-ignore format: one line
  const huge = lexicographic<string>([brief, last]);
  const ranks = ["long -1e308", "long 1", "long 1e17", "a -1e17", "a 1", "a 1e308"].map(async (state) => rankOf((await judge(huge, state)).score)); // biome-ignore format: one line
  const ordered = await Promise.all(ranks);
  expect(ordered).toEqual(ordered.toSorted((a, b) => a - b));
  expect((ordered[3] as number) - (ordered[2] as number)).toBeGreaterThan(0.4);
  expect(() => lexicographic([length, isWord])).toThrow("'length' gives a reward");
});
