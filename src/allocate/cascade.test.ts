import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { type Random, random } from "../math/random.ts";
import { tabular } from "../models/tabular.ts";
import { text } from "../policies/text.ts";
import { run } from "../run.ts";
import { custom } from "../scorers/custom.ts";
import type { TextState } from "../policies/text.ts";
import { cascade, type CascadeStep, evaluateCascade, fitCascade, type StageRecord } from "./cascade.ts";

/** Stages of growing accuracy and price, scores that know something, some of them equal. */
function problem(stream: Random, prices: readonly number[]): StageRecord[] {
  const ease = stream.uniform();
  return prices.map((price, i) => {
    const right = stream.uniform() < ease + (1 - ease) * (0.3 * i);
    return {
      score: Math.round(10 * (0.5 * stream.uniform() + (right ? 0.4 : 0))) / 10,
      right,
      cost: price * (0.5 + stream.uniform()),
    };
  });
}
const problems = (n: number, seed: number, prices: readonly number[]) => {
  const stream = random(fold(key(31), seed));
  return Array.from({ length: n }, () => problem(stream, prices));
};

/** Every list of stages with every threshold that some score reaches. */
function everyCascade(records: readonly (readonly StageRecord[])[]): CascadeStep[][] {
  const stages = records[0]?.length ?? 0;
  const from = (first: number): CascadeStep[][] =>
    Array.from({ length: stages - first }, (_, i) => first + i).flatMap((stage): CascadeStep[][] => [
      [{ stage, threshold: Number.NEGATIVE_INFINITY }],
      ...[...new Set(records.map((record) => record[stage]?.score ?? 0))].flatMap((threshold) =>
        from(stage + 1).map((rest) => [{ stage, threshold }, ...rest]),
      ),
    ]);
  return from(0);
}

describe("fitting", () => {
  test.each([
    [2, 12],
    [3, 10],
  ])("%d stages on %d problems: as accurate and as cheap as the best of all", (stages, n) => {
    const prices = [1, 10, 100].slice(0, stages);
    for (let seed = 0; seed < 25; seed++) {
      const records = problems(n, seed, prices);
      for (const budget of [0.2, 2, 8, 40, 200]) {
        const figures = everyCascade(records)
          .map((steps) => evaluateCascade(records, steps))
          .filter(({ cost }) => cost <= budget);
        const accuracy = Math.max(...figures.map((one) => one.accuracy));
        const cost = Math.min(...figures.filter((one) => one.accuracy === accuracy).map((one) => one.cost));
        const found = fitCascade(records, { budget });
        if (figures.length === 0) expect(found).toBeUndefined();
        else {
          expect(found?.accuracy).toBe(accuracy);
          expect(found?.cost).toBeCloseTo(cost, 9);
          const again = evaluateCascade(records, found?.steps ?? []);
          expect([again.accuracy, again.cost]).toEqual([accuracy, expect.closeTo(found?.cost ?? 0, 9)]);
        }
      }
    }
  });

  test("with prices 1, 10 and 100 it is on other problems as good as the dearest model, at under half the cost", () => {
    const prices = [1, 10, 100];
    const [learned, held] = [problems(120, 100, prices), problems(4000, 101, prices)];
    const dearest = evaluateCascade(held, [{ stage: 2, threshold: Number.NEGATIVE_INFINITY }]);
    const fitted = fitCascade(learned, { budget: 45 });
    const figures = evaluateCascade(held, fitted?.steps ?? []);
    expect(figures.cost).toBeLessThan(dearest.cost / 2);
    expect(figures.accuracy).toBeGreaterThan(dearest.accuracy);
    const coarse = fitCascade(learned, { budget: 45, levels: 3 });
    expect(coarse?.accuracy).toBeLessThanOrEqual(fitted?.accuracy ?? 0);
    expect(coarse?.cost).toBeLessThanOrEqual(45);
  });

  test("the bound on the expected cost holds in at least 95% of 1,000 data sets", () => {
    const prices = [1, 10];
    const steps = fitCascade(problems(200, 7, prices), { budget: 5 })?.steps ?? [];
    const truth = evaluateCascade(problems(200_000, 8, prices), steps).cost;
    let broken = 0;
    for (let seed = 0; seed < 1000; seed++) {
      const { costAtMost = 0 } = evaluateCascade(problems(50, 1000 + seed, prices), steps, { worst: 1.5 * 11 });
      if (costAtMost < truth) broken++;
    }
    expect(broken / 1000).toBeLessThan(0.05);
  });
});

describe("running", () => {
  const letter = (at: string) =>
    tabular({
      id: `only ${at}`,
      alphabet: "abc.",
      maxLength: 1,
      conditional: () => [..."abc."].map((one) => Number(one === at)),
    });
  const policy = (at: string) => text(letter(at));
  const likes = (liked: string) => custom<TextState>(`likes ${liked}`, (answer) => (answer === liked ? 1 : 0));
  const question = { id: "q", prompt: "" };

  test.each([
    ["a", "a", 0, 1],
    ["b", "b", 1, 2],
    ["c", "c", 2, 3],
    ["x", "c", 2, 3],
  ])("where the scorer likes %s, the answer is %s of stage %d", async (liked, answer, stage, calls) => {
    const scorer = likes(liked);
    const search = cascade<TextState>({
      stages: [{ policy: policy("a"), accept: 1 }, { policy: policy("b"), scorer, accept: 1 }, { policy: policy("c") }],
    });
    const result = await run(search, question, { policy: policy("a"), scorer, seed: 1 });
    expect([result.text, result.outcome?.stage, result.outcome?.accepted, result.spent.calls]).toEqual([
      answer,
      stage,
      true,
      calls,
    ]);
  });

  test("one of its own policy agrees with the records of its stages, problem by problem", async () => {
    const coin = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.5, 0.5, 0] });
    const scorer = likes("a");
    const search = cascade<TextState>({ stages: [{ scorer, accept: 1 }, {}] });
    const ends = await Promise.all(
      Array.from({ length: 60 }, (_, seed) => run(search, question, { policy: text(coin), seed })),
    );
    for (const { nodes, outcome, text: answer } of ends) {
      const drawn = nodes.filter(({ done }) => done).map(({ state }) => state.text);
      expect(drawn.length).toBe(drawn[0] === "a" ? 1 : 2);
      expect([outcome?.stage, answer]).toEqual(drawn[0] === "a" ? [0, "a"] : [1, drawn[1]]);
    }
  });

  test("a failed stage is passed over, and a spent budget leaves the last that was refused", async () => {
    const search = cascade<TextState>({
      stages: [{ policy: policy("a"), scorer: likes("b"), accept: 1 }, { policy: policy("b") }],
    });
    const poor = await run(search, question, { policy: policy("a"), seed: 1, budget: { calls: 1 } });
    expect([poor.text, poor.stopped.why, poor.outcome?.accepted]).toEqual(["a", "budget-spent", false]);
    const unscored = custom<TextState>("nothing", () => Number.NaN);
    const next = cascade<TextState>({ stages: [{ scorer: unscored, accept: 0 }, { policy: policy("b") }] });
    expect((await run(next, question, { policy: policy("a"), seed: 1 })).text).toBe("b");
  });
});

test.each([
  ["stages", () => cascade({ stages: [] })],
  ["accept", () => cascade({ stages: [{}, {}] })],
  ["budget", () => fitCascade([[{ score: 1, right: true, cost: 1 }]], { budget: -1 })],
  ["levels", () => fitCascade([[{ score: 1, right: true, cost: 1 }]], { budget: 1, levels: 0 })],
  ["records", () => fitCascade([[{ score: 1, right: true, cost: -1 }]], { budget: 1 })],
])("refuses wrong %s by name", (name, make) => {
  expect(make).toThrow(name);
});
