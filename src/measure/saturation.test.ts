import { expect, test } from "vitest";
import { random } from "../math/random.ts";
import { bestAttempts, resample, resamplingCeiling } from "./saturation.ts";

const verifier = { tpr: 0.9, fpr: 0.2 };

test("the ceiling by hand, and its ends", () => {
  // 0.3 · 0.9 / (0.27 + 0.7 · 0.2)
  expect(resamplingCeiling(0.3, verifier).value).toBeCloseTo(0.27 / 0.41, 14);
  expect(resamplingCeiling(0.3, { tpr: 1, fpr: 0 }).value).toBe(1);
  expect(resamplingCeiling(0.3, { tpr: 0.5, fpr: 0.5 }).value).toBeCloseTo(0.3, 14); // a coin chooses nothing
  expect(resamplingCeiling(0, { tpr: 1, fpr: 0 })).toMatchObject({ value: undefined, why: "nothing is ever accepted" });
});

test("one attempt by hand; many tend to the ceiling and never pass it", () => {
  const once = resample([0.3], 1, { ...verifier, costOfWrong: 0.5 });
  expect(once.right).toBeCloseTo(0.27, 14);
  expect(once.wrong).toBeCloseTo(0.14, 14);
  expect(once.none).toBeCloseTo(0.59, 14);
  expect(once.utility).toBeCloseTo(0.2, 14);
  const many = resample([0.3], 1e6, verifier);
  expect(many.right).toBeCloseTo(0.27 / 0.41, 12);
  expect(many.none).toBeCloseTo(0, 12);
});

test("simulated resampling does what the formula says", () => {
  const stream = random(12);
  const rates = [0.05, 0.3, 0.8];
  for (const attempts of [1, 3, 10]) {
    const expected = resample(rates, attempts, verifier);
    const repeats = 30_000;
    let [right, wrong] = [0, 0];
    for (let r = 0; r < repeats; r++) {
      const rate = rates[r % 3] as number;
      for (let i = 0; i < attempts; i++) {
        const correct = stream.uniform() < rate;
        if (stream.uniform() >= (correct ? verifier.tpr : verifier.fpr)) continue;
        if (correct) right++;
        else wrong++;
        break;
      }
    }
    // Each is within four standard errors (the problems alternate, which only helps): 6e-5 a time.
    expect(Math.abs(right / repeats - expected.right)).toBeLessThan(4 * Math.sqrt(0.25 / repeats));
    expect(Math.abs(wrong / repeats - expected.wrong)).toBeLessThan(4 * Math.sqrt(0.25 / repeats));
  }
});

test("the best number of attempts: an easy problem and a hopeless one", () => {
  // Attempt K + 1 gains (0.45 · 0.45^K − 0.1 · 0.9^K) / 2, which is positive while 0.5^K > 2/9: K = 0, 1, 2.
  const options = { tpr: 1, fpr: 0.1, costOfWrong: 1 };
  expect(bestAttempts([0.5, 0], options).attempts).toBe(3);
  expect(bestAttempts([0.5, 0], { ...options, costOfWrong: 0, most: 20 }).attempts).toBe(20); // wrong answers for free
  expect(bestAttempts([0.01], { tpr: 0.5, fpr: 0.5, costOfWrong: 1 })).toMatchObject({
    attempts: 0,
    utility: 0,
    none: 1,
  });
});

test("what is no rate is refused", () => {
  expect(() => resamplingCeiling(1.2, verifier)).toThrow("'p' must be in [0, 1]: current value is 1.2");
  expect(() => resample([], 3, verifier)).toThrow(RangeError);
});
