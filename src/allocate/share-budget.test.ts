import { expect, test } from "vitest";
import { random } from "../math/random.ts";
import { type BetaBelief, betaSuccessCurve, nextQuestion, shareSamples, successCurve } from "./share-budget.ts";

test("curves: closed forms", () => {
  expect(successCurve(0.5, 3)).toEqual([0, 0.5, 0.75, 0.875]);
  expect(successCurve(0, 2)).toEqual([0, 0, 0]);
  // Uniform: E[(1 − p)^k] = 1 / (k + 1).
  for (const [k, value] of betaSuccessCurve({ a: 1, b: 1 }, 5).entries())
    expect(value).toBeCloseTo(1 - 1 / (k + 1), 14);
  // Out of draws of p.
  const stream = random(2);
  const rates = Array.from({ length: 20_000 }, () => Math.max(stream.uniform(), stream.uniform())); // Beta(2, 1)
  const mean = rates.reduce((sum, p) => sum + 1 - (1 - p) ** 3, 0) / rates.length;
  expect(Math.abs((betaSuccessCurve({ a: 2, b: 1 }, 3)[3] as number) - mean)).toBeLessThan(0.006); // 4 standard errors
});

test("marginal gains: hand-made, and what they gain over an even split", () => {
  // The first sample of each gains 0.9, 0.5, 0.1; the second 0.09, 0.25, 0.09.
  const curves = [0.9, 0.5, 0.1].map((p) => successCurve(p, 8));
  expect(shareSamples(curves, { budget: 4 }).samples).toEqual([1, 3, 0]); // 0.9, 0.5, 0.25, 0.125
  expect(shareSamples(curves, { budget: 5 }).samples).toEqual([1, 3, 1]); // then 0.1 before 0.09
  const shared = shareSamples(curves, { budget: 6 });
  expect(shared.quality).toBeCloseTo(shared.bound, 12); // equal costs: optimal
  const even = curves.reduce((sum, curve) => sum + (curve[2] as number), 0);
  expect(shared.quality).toBeGreaterThan(even);
});

test("a curve that is a line is followed as far as the budget goes", () => {
  expect(shareSamples([[0, 0.1, 0.2, 0.3]], { budget: 2 })).toMatchObject({ samples: [2], quality: 0.2, cost: 2 });
});

test("costs count: a sample of twice the price must gain twice as much", () => {
  const curves = [successCurve(0.5, 8), successCurve(0.5, 8)];
  expect(shareSamples(curves, { budget: 5, costs: [1, 2] }).samples).toEqual([3, 1]); // ½, ¼ each; ¼, ⅛; equal: the earlier
  expect(() => shareSamples(curves, { budget: 5, costs: [1] })).toThrow("one for each question");
  expect(() => shareSamples([[]], { budget: 5 })).toThrow("it begins with the quality of no sample");
});

test("one at a time: as good as the best policy there is, by dynamic programming over all of them", () => {
  const beliefs: BetaBelief[] = [
    { a: 2, b: 1 },
    { a: 0.5, b: 0.5 },
    { a: 1, b: 4 },
  ];
  const chance = (question: number, failures: number): number => {
    const { a, b } = beliefs[question] as BetaBelief;
    return a / (a + b + failures);
  };
  type State = readonly { readonly solved: boolean; readonly failures: number }[];
  const after = (state: State, question: number, solved: boolean): State =>
    state.map((one, i) =>
      i !== question ? one : solved ? { ...one, solved } : { ...one, failures: one.failures + 1 },
    );
  const worth = (state: State, left: number, choose: (state: State) => readonly number[]): number => {
    if (left === 0) return 0;
    const worths = choose(state).map((question) => {
      const p = chance(question, (state[question] as State[number]).failures);
      return (
        p * (1 + worth(after(state, question, true), left - 1, choose)) +
        (1 - p) * worth(after(state, question, false), left - 1, choose)
      );
    });
    return Math.max(0, ...worths);
  };
  const start: State = beliefs.map(() => ({ solved: false, failures: 0 }));
  const open = (state: State) => state.flatMap(({ solved }, i) => (solved ? [] : [i]));
  const ours = (state: State) => {
    const next = nextQuestion(state.map((one, i) => ({ ...one, belief: beliefs[i] as BetaBelief })));
    return next === undefined ? [] : [next];
  };
  for (const budget of [1, 3, 6]) expect(worth(start, budget, ours)).toBeCloseTo(worth(start, budget, open), 12);
  expect(nextQuestion([{ solved: true, failures: 0 }])).toBeUndefined();
  expect(
    nextQuestion([
      { solved: false, failures: 0, cost: 3 },
      { solved: false, failures: 1 },
    ]),
  ).toBe(1); // 1/6 against 1/4
});

test("hard and easy questions mixed: the quality of an even split for three fifths of its samples", () => {
  const stream = random(5);
  const rates = Array.from({ length: 400 }, () => stream.uniform() ** 3); // many hard ones, some easy
  const even = rates.reduce((sum, p) => sum + 1 - (1 - p) ** 16, 0);
  const curves = rates.map((p) => successCurve(p, 64));
  expect(shareSamples(curves, { budget: 0.6 * 16 * 400 }).quality).toBeGreaterThan(even);
});
