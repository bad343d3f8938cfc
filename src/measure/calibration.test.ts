import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { normalCdf } from "../math/normal.ts";
import { random } from "../math/random.ts";
import {
  auroc,
  aurc,
  brier,
  expectedCalibrationError,
  logScore,
  reliability,
  riskCoverage,
  selectiveAccuracy,
} from "./calibration.ts";

// Four answers: claims 0.8 and 0.8 (one right), 0.3 and 0.1 (none right).
const confidences = [0.8, 0.8, 0.3, 0.1];
const correct = [true, false, false, false];

describe("calibration", () => {
  test("the table and the error by hand", () => {
    const table = reliability(confidences, correct, { bins: 5 });
    expect(table.map(({ count, accuracy }) => [count, accuracy])).toEqual([
      [1, 0],
      [1, 0],
      [2, 0.5],
    ]);
    expect(table[2]).toMatchObject({ from: 0.8, to: 0.8, confidence: 0.8 });
    expect(table[2]?.low).toBeCloseTo(0.0945, 4); // Wilson of 1 in 2
    // ¼ · 0.1 + ¼ · 0.3 + ½ · 0.3
    expect(expectedCalibrationError(confidences, correct, { bins: 5 }).value).toBeCloseTo(0.25, 14);
    // Two bins of two: |0 − 0.2| and |0.5 − 0.8|, half each.
    expect(expectedCalibrationError(confidences, correct, { bins: 2, binning: "equal-mass" }).value).toBeCloseTo(
      0.25,
      14,
    );
    expect(expectedCalibrationError(confidences, correct, { bins: 1 }).value).toBeCloseTo(0.25, 14); // |1/4 − 1/2|
  });

  test("a confidence of 1 is in the last bin, equal ones are never torn apart", () => {
    expect(reliability([1, 0], [true, false]).map(({ count }) => count)).toEqual([1, 1]);
    expect(
      reliability([0.5, 0.5, 0.5, 0.9], [true, true, false, true], { bins: 4, binning: "equal-mass" }),
    ).toHaveLength(2);
  });

  test("what calibrated confidences show by chance: one coin exactly, many in simulation", () => {
    expect(expectedCalibrationError([0.7], [true]).whenCalibrated).toBeCloseTo(2 * 0.7 * 0.3, 14);
    const repeats = 400;
    const claims = Array.from({ length: 200 }, (_, i) => (i + 0.5) / 200);
    const errors = Array.from({ length: repeats }, (_, r) => {
      const stream = random(fold(key(1), r));
      return expectedCalibrationError(
        claims,
        claims.map((p) => stream.uniform() < p),
      ).value as number;
    });
    const average = errors.reduce((a, b) => a + b) / repeats;
    const deviation = Math.sqrt(errors.reduce((a, b) => a + (b - average) ** 2, 0) / (repeats - 1));
    const { whenCalibrated } = expectedCalibrationError(
      claims,
      claims.map(() => true),
    );
    expect(Math.abs(average - (whenCalibrated as number))).toBeLessThan((4 * deviation) / Math.sqrt(repeats)); // 6e-5
    expect(whenCalibrated).toBeGreaterThan(0.05); // not small: ten bins of 20
  });

  test("the exact law and the normal one meet at a thousand coins", () => {
    const at = (n: number) =>
      (expectedCalibrationError(Array(n).fill(0.45), Array(n).fill(true)).whenCalibrated as number) * Math.sqrt(n);
    expect(at(1000) / at(1001)).toBeCloseTo(1, 3);
  });

  test("the parts of the Brier score by hand, and that they add up", () => {
    const score = brier(confidences, correct, { bins: 5 });
    expect(score.value).toBeCloseTo((0.04 + 0.64 + 0.09 + 0.01) / 4, 14);
    expect(score.reliability).toBeCloseTo(0.25 * 0.01 + 0.25 * 0.09 + 0.5 * 0.09, 14);
    expect(score.resolution).toBeCloseTo(0.5 * 0.0625 + 0.5 * 0.0625, 14);
    expect(score.uncertainty).toBeCloseTo(3 / 16, 14);
    expect(score.withinBins).toBeCloseTo(0, 14);
    const stream = random(4);
    const claims = Array.from({ length: 97 }, () => stream.uniform());
    const labels = claims.map((p) => stream.uniform() < p * p);
    for (const binning of ["equal-width", "equal-mass"] as const) {
      const {
        value,
        reliability = 0,
        resolution = 0,
        uncertainty = 0,
        withinBins = 0,
      } = brier(claims, labels, { bins: 7, binning, resamples: 10 });
      expect(reliability - resolution + uncertainty + withinBins).toBeCloseTo(value as number, 13);
    }
  });

  test("the log score by hand; an impossible thing that happened has no price", () => {
    expect(logScore([0.5, 0.25], [true, false]).value).toBeCloseTo((Math.log(2) + Math.log(4 / 3)) / 2, 14);
    expect(logScore([0.5, 1], [true, false])).toMatchObject({
      value: undefined,
      why: expect.stringMatching(/item 1 was wrong with confidence 1/),
    });
    expect(logScore([1, 0], [true, false]).value).toBe(0);
  });
});

describe("auroc", () => {
  test("by hand, with a tie", () => {
    const { value, low, high } = auroc([0.9, 0.8, 0.8, 0.3], [true, true, false, false]);
    expect(value).toBe(3.5 / 4);
    // Shares won: 1 and 0.75 of the right ones, 0.75 and 1 of the wrong ones; variances 1/32 each, so se² = 1/64 + 1/64.
    const half = (1.959963984540054 * Math.sqrt(1 / 32)) / (0.875 * 0.125);
    expect(Math.log((high as number) / (1 - (high as number)))).toBeCloseTo(Math.log(7) + half, 12);
    expect(Math.log((low as number) / (1 - (low as number)))).toBeCloseTo(Math.log(7) - half, 12);
  });

  test("it is the share of pairs, whatever the ties, and knows nothing but the order", () => {
    const stream = random(2);
    for (let trial = 0; trial < 20; trial++) {
      const scores = Array.from({ length: 30 }, () => stream.integer(6));
      const labels = scores.map((score) => stream.integer(8) < score + 1);
      let [won, pairs] = [0, 0];
      for (const [i, a] of scores.entries())
        for (const [j, b] of scores.entries())
          if (labels[i] && !labels[j]) {
            won += a > b ? 1 : a === b ? 0.5 : 0;
            pairs++;
          }
      expect(auroc(scores, labels).value).toBeCloseTo(won / pairs, 12);
      expect(
        auroc(
          scores.map((s) => Math.exp(s)),
          labels,
        ),
      ).toEqual(auroc(scores, labels));
    }
  });

  test("covers: two normal populations, AUROC = Φ(d/√2)", () => {
    const repeats = 1000;
    for (const [d, n] of [
      [1, 100],
      [2, 60],
    ] as const) {
      const truth = normalCdf(d / Math.SQRT2);
      let [inside, missing] = [0, 0];
      for (let r = 0; r < repeats; r++) {
        const stream = random(fold(fold(key(7), n), r));
        const labels = Array.from({ length: 2 * n }, (_, i) => i < n);
        const { low, high } = auroc(
          labels.map((label) => stream.normal() + (label ? d : 0)),
          labels,
        );
        if (low === undefined) missing++;
        else if (low <= truth && truth <= high) inside++;
      }
      expect(missing).toBe(0);
      expect(Math.abs(inside / repeats - 0.95)).toBeLessThan(2.576 * Math.sqrt((0.95 * 0.05) / repeats)); // 1%
    }
  });

  test("undefined, with a reason", () => {
    expect(auroc([0.1, 0.2], [true, true])).toMatchObject({ value: undefined, why: expect.stringMatching(/no wrong/) });
    expect(auroc([3, 4, 1, 2], [true, true, false, false])).toMatchObject({
      value: 1,
      low: undefined,
      why: expect.stringMatching(/perfectly/),
    });
  });
});

describe("selective answering", () => {
  test("the curve and its area by hand", () => {
    expect(riskCoverage(confidences, correct)).toEqual([
      { threshold: 0.8, coverage: 0.5, risk: 0.5 },
      { threshold: 0.3, coverage: 0.75, risk: 2 / 3 },
      { threshold: 0.1, coverage: 1, risk: 0.75 },
    ]);
    // Within the tie the expected error is ½ of each step: (½ + ½ + ⅔ + ¾) / 4. The oracle: 0, ½, ⅔, ¾.
    const area = aurc(confidences, correct, { resamples: 50 });
    expect(area.value).toBeCloseTo((0.5 + 0.5 + 2 / 3 + 0.75) / 4, 14);
    expect(area.excess).toBeCloseTo(0.125, 14);
  });

  test("a constant confidence has the error rate, an oracle no excess", () => {
    const labels = [true, false, true, true, false];
    expect(
      aurc(
        labels.map(() => 0.5),
        labels,
        { resamples: 50 },
      ).value,
    ).toBeCloseTo(0.4, 14);
    expect(aurc(labels.map(Number), labels.map(Boolean), { resamples: 50 }).excess).toBeCloseTo(0, 14);
  });

  test("accuracy at coverage takes whole ties, and says what it took", () => {
    expect(selectiveAccuracy(confidences, correct, { coverage: 0.25 })).toMatchObject({
      value: 0.5,
      coverage: 0.5,
      threshold: 0.8,
    });
    expect(selectiveAccuracy(confidences, correct, { coverage: 1 })).toMatchObject({ value: 0.25, coverage: 1 });
    expect(selectiveAccuracy([], [], { coverage: 0.5 })).toMatchObject({ value: undefined, why: expect.any(String) });
  });

  test("covers: calibrated uniform confidences, accuracy above t is (1 + t) / 2, its area of risk 1/4", () => {
    const repeats = 150;
    let [accurate, area] = [0, 0];
    for (let r = 0; r < repeats; r++) {
      const stream = random(fold(key(21), r));
      const claims = Array.from({ length: 120 }, () => stream.uniform());
      const labels = claims.map((p) => stream.uniform() < p);
      const half = selectiveAccuracy(claims, labels, { coverage: 0.5 });
      if ((half.low as number) <= 0.75 && 0.75 <= (half.high as number)) accurate++;
      // Risk at coverage c is c / 2 in the limit; the mean over c is 1/4.
      const { low, high } = aurc(claims, labels, { resamples: 400, seed: r });
      if ((low as number) <= 0.25 && 0.25 <= (high as number)) area++;
    }
    const away = 2.576 * Math.sqrt((0.95 * 0.05) / repeats);
    expect(Math.abs(accurate / repeats - 0.95)).toBeLessThan(away);
    expect(Math.abs(area / repeats - 0.95)).toBeLessThan(away);
  });
});

test("what cannot be judged is refused", () => {
  expect(() => brier([0.5], [])).toThrow("one entry for each: 1 confidences, 0 entries");
  expect(() => brier([1.5], [true])).toThrow("must be in [0, 1]: one is 1.5");
  expect(() => auroc([Number.NaN], [true])).toThrow(RangeError);
  expect(expectedCalibrationError([], [])).toMatchObject({ value: undefined, why: "there are no items" });
});
