import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { pacThreshold } from "./conformal.ts";
import { type LabelShiftData, labelShiftThreshold, labelWeights } from "./label-shift.ts";

/** Two labels; the second is hard: its nonconformities are half as great again, all exponential. Old: 70% easy, new: 40%. */
const [before, after] = [
  [0.7, 0.3],
  [0.4, 0.6],
];
const scale = [1, 1.5] as const;
const predictedRight = 0.9;

function sample(n: number, m: number, seed: number): LabelShiftData & { nonconformities: number[] } {
  const stream = random(fold(key(8), seed));
  const draw = (law: readonly number[]) => {
    const label = stream.weighted(law);
    return { label, prediction: stream.uniform() < predictedRight ? label : 1 - label };
  };
  const old = Array.from({ length: n }, () => draw(before as number[]));
  return {
    classes: 2,
    labels: old.map(({ label }) => label),
    predictions: old.map(({ prediction }) => prediction),
    newPredictions: Array.from({ length: m }, () => draw(after as number[]).prediction),
    nonconformities: old.map(({ label }) => -(scale[label] as number) * Math.log(1 - stream.uniform())),
  };
}
const trueWeights = before?.map((p, label) => (after?.[label] as number) / p) ?? [];
/** The share of new problems whose right answer has a nonconformity above the threshold. */
const missed = (threshold: number, law: readonly number[] = after as number[]) =>
  law.reduce((sum, p, label) => sum + p * Math.exp(-threshold / (scale[label] as number)), 0);

describe("over 1,000 shifted data sets", () => {
  const [error, delta, repeats] = [0.15, 0.1, 1000];
  const sets = Array.from({ length: repeats }, (_, seed) => sample(2000, 2000, seed));
  const thresholds = sets.map((set, seed) =>
    labelShiftThreshold(set.nonconformities, set, { error, delta, key: key(seed) }),
  );

  test("the promise is broken in at most a share δ of them; sets that know no shift break it nearly always", () => {
    const broken = thresholds.filter((threshold) => missed(threshold) > error).length / repeats;
    expect(broken).toBeLessThan(delta + 4.5 * Math.sqrt((delta * (1 - delta)) / repeats)); // false alarm: 3e-6
    const blind = sets.map(({ nonconformities }) => pacThreshold(nonconformities, { error, delta }));
    expect(blind.filter((threshold) => missed(threshold) > error).length / repeats).toBeGreaterThan(0.95);
  });

  test("and sets are smaller than the worst case makes them", () => {
    // The worst that weights can do: every error as heavy as the heaviest label.
    const worst = sets.map((set) => {
      const most = Math.max(...labelWeights(set, { delta: delta / 2 }).map(({ high }) => high));
      return pacThreshold(set.nonconformities, { error: error / most, delta: delta / 2 });
    });
    const smaller = thresholds.filter((threshold, i) => threshold < (worst[i] as number)).length;
    expect(smaller / repeats).toBeGreaterThan(0.9);
    const mean = (values: readonly number[]) => values.reduce((sum, one) => sum + one, 0) / values.length;
    expect(mean(thresholds)).toBeLessThan(mean(worst) - 0.1);
  });

  test("the intervals hold the true weights all at once", () => {
    const held = sets.filter((set) =>
      labelWeights(set, { delta }).every(
        ({ low, high }, label) => low <= (trueWeights[label] as number) && (trueWeights[label] as number) <= high,
      ),
    );
    expect(held.length / repeats).toBeGreaterThan(1 - delta);
  });
});

test("with much data the intervals close in on the weights", () => {
  for (const [label, { low, high }] of labelWeights(sample(60_000, 60_000, 1), { delta: 0.05 }).entries()) {
    expect(high - low).toBeLessThan(0.6);
    expect((low + high) / 2).toBeCloseTo(trueWeights[label] as number, 1);
  }
});

test("too few data bound nothing, and promise nothing", () => {
  const few = sample(8, 8, 1);
  expect(labelWeights(few, { delta: 0.05 }).map(({ high }) => high)).toEqual([Infinity, Infinity]);
  expect(labelShiftThreshold(few.nonconformities, few, { error: 0.1, key: key(1) })).toBe(Infinity);
});

test("refuses what is no label by name", () => {
  const set = { classes: 2, labels: [0, 2], predictions: [0, 1], newPredictions: [1] };
  expect(() => labelWeights(set, { delta: 0.1 })).toThrow("below 2");
  expect(() => labelWeights({ ...set, labels: [0] }, { delta: 0.1 })).toThrow("'labels'");
  const options = { error: 0.1, delta: 1.05, key: key(1) };
  expect(() => labelShiftThreshold([1, 1], { ...set, labels: [0, 1] }, options)).toThrow("'delta' must be in (0, 1)");
  expect(() => labelShiftThreshold([1], { ...set, labels: [0, 1] }, { error: 0.1, key: key(1) })).toThrow(
    "'nonconformities'",
  );
});
