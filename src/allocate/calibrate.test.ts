import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { type CalibrationMap, histogram, isotonic, platt, temperature } from "./calibrate.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const logit = (p: number) => Math.log(p / (1 - p));

/** Right with probability σ(z), z normal; what is seen is `seen(z)`. */
function items(n: number, seed: number, seen: (z: number) => number) {
  const stream = random(fold(key(23), seed));
  const z = Array.from({ length: n }, () => 1.5 * stream.normal());
  return { scores: z.map(seen), correct: z.map((one) => stream.uniform() < sigmoid(one)) };
}
const logLoss = (probabilities: readonly number[], correct: readonly boolean[]) =>
  probabilities.reduce((sum, p, i) => sum - Math.log(correct[i] ? p : 1 - p), 0) / correct.length;

describe("temperature", () => {
  test("finds the temperature by which the confidence is too sure", () => {
    const { scores, correct } = items(4000, 1, (z) => sigmoid(3 * z));
    const map = temperature(scores, correct);
    const { temperature: found } = map.parameters as { temperature: number };
    // 1 / T has standard error 1 / √(Σ p (1 − p) logit²).
    const information = scores.reduce((sum, one) => {
      const p = sigmoid(logit(one) / 3);
      return sum + p * (1 - p) * logit(one) ** 2;
    }, 0);
    expect(Math.abs(1 / found - 1 / 3)).toBeLessThan(4.5 / Math.sqrt(information)); // false alarm: 7e-6
    const gradient = scores.reduce((sum, one, i) => sum + (map.at(one) - Number(correct[i])) * logit(one), 0);
    expect(Math.abs(gradient)).toBeLessThan(1e-3);
  });

  test("of one confidence is its share of right answers, exactly", () => {
    const map = temperature([0.9, 0.9, 0.9, 0.9, 0.9], [true, true, true, false, false]);
    expect(map.at(0.9)).toBeCloseTo(3 / 5, 7);
    expect([map.at(0.5), map.at(0.1)]).toEqual([0.5, expect.closeTo(2 / 5, 7)]);
  });

  test("where more confidence means less chance all are even; certainties stay finite", () => {
    expect(temperature([0.9, 0.8, 0.2], [false, false, true]).at(0.99)).toBe(0.5);
    const sure = temperature([1, 1, 0, 1], [true, true, false, false]);
    expect(sure.at(1)).toBeGreaterThan(0.5);
    expect(sure.at(1)).toBeLessThan(1);
  });
});

test("Platt: with two scores the fit is the mean target of each, exactly", () => {
  // Three at 0, one of them right; four at 1, three right. n₊ = 4, n₋ = 3: targets 5/6 and 1/5.
  const map = platt([0, 0, 0, 1, 1, 1, 1], [true, false, false, true, true, true, false]);
  expect(map.at(0)).toBeCloseTo((5 / 6 + 2 / 5) / 3, 7);
  expect(map.at(1)).toBeCloseTo((3 * (5 / 6) + 1 / 5) / 4, 7);
  const far = platt(
    [0, 0, 0, 1, 1, 1, 1].map((one) => 1e6 + 1e-3 * one),
    [true, false, false, true, true, true, false],
  );
  expect(far.at(1e6 + 1e-3)).toBeCloseTo(map.at(1), 6);
  const separated = platt([1, 2, 3, 4], [false, false, true, true]);
  expect(separated.at(4)).toBeGreaterThan(0.5);
  expect(separated.at(4)).toBeLessThan(1);
  expect(platt([2, 2], [true, false]).at(5)).toBeCloseTo(0.5, 9);
});

describe("isotonic", () => {
  test("by hand: right, wrong and right, wrong pool", () => {
    const map = isotonic([1, 2, 3, 4, 5, 6], [false, true, false, true, true, true]);
    // Pools: {1}: 0, kept to 1/8; {2, 3}: 1/2; {4, 5, 6}: 1, kept to 7/8.
    expect([1, 2, 2.5, 3, 4, 6].map((score) => map.at(score))).toEqual([1 / 8, 1 / 2, 1 / 2, 1 / 2, 7 / 8, 7 / 8]);
    expect([0, 1.5, 3.5, 99].map((score) => map.at(score))).toEqual([1 / 8, 5 / 16, 11 / 16, 7 / 8]);
  });

  test("is the max-min formula", () => {
    for (let seed = 0; seed < 40; seed++) {
      const stream = random(fold(key(5), seed));
      const scores = Array.from({ length: 25 }, () => stream.integer(15));
      const correct = scores.map((one) => stream.uniform() < one / 15);
      const levels = [...new Set(scores)].sort((a, b) => a - b);
      const share = (from: number, to: number) => {
        const within = correct.filter(
          (_, i) =>
            (scores[i] as number) >= (levels[from] as number) && (scores[i] as number) <= (levels[to] as number),
        );
        return within.filter(Boolean).length / within.length;
      };
      const map = isotonic(scores, correct);
      for (const i of levels.keys()) {
        const value = Math.max(
          ...levels.slice(0, i + 1).map((_, j) => Math.min(...levels.slice(i).map((_, k) => share(j, i + k)))),
        );
        expect(map.at(levels[i] as number)).toBeCloseTo(Math.min(Math.max(value, 1 / 27), 26 / 27), 12);
      }
    }
  });
});

test("histogram: the share of each bin, equal scores together", () => {
  const map = histogram([1, 2, 3, 4, 5, 6, 7, 8], [false, true, false, false, true, true, true, true], { bins: 2 });
  expect([0, 1, 4, 4.9, 5, 9].map((score) => map.at(score))).toEqual([1 / 4, 1 / 4, 1 / 4, 1 / 4, 9 / 10, 9 / 10]);
  const tied = histogram([1, 1, 1, 1, 1, 2], [true, true, false, false, false, true], { bins: 3 });
  expect([tied.at(1), tied.at(2)]).toEqual([2 / 5, 7 / 8]);
});

describe("on other data than it was fitted to", () => {
  const overconfident = (z: number) => sigmoid(3 * z);
  const [fit, held] = [items(2000, 2, overconfident), items(4000, 3, overconfident)];
  const raw = logLoss(held.scores, held.correct);
  const best = logLoss(
    held.scores.map((one) => sigmoid(logit(one) / 3)),
    held.correct,
  );
  test.each<[string, (scores: readonly number[], correct: readonly boolean[]) => CalibrationMap, number]>([
    ["temperature", temperature, 0.002],
    ["platt", (scores, correct) => platt(scores.map(logit), correct), 0.002],
    ["isotonic", isotonic, 0.02],
    ["histogram", histogram, 0.02],
  ])("%s nearly reaches the log loss of the truth", (name, make, most) => {
    const map = make(fit.scores, fit.correct);
    const mapped = held.scores.map((one) => map.at(name === "platt" ? logit(one) : one));
    expect(logLoss(mapped, held.correct)).toBeLessThan(raw - 0.2);
    expect(logLoss(mapped, held.correct)).toBeLessThan(best + most);
  });
});

test.each([
  ["confidences", () => temperature([], [])],
  ["confidences", () => temperature([1.5], [true])],
  ["scores", () => platt([1], [true, false])],
  ["scores", () => isotonic([Number.NaN], [true])],
  ["bins", () => histogram([1], [true], { bins: 0 })],
])("refuses wrong %s by name", (name, make) => {
  expect(make).toThrow(name);
});
