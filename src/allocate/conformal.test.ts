import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { binomialTail } from "./abstain.ts";
import { answerSet, conformalThreshold, pacThreshold } from "./conformal.ts";

const [repeats, n] = [1000, 60];
/** Nonconformities uniform in [0, 1], so that the share of new problems that a threshold covers is the threshold itself. */
const uniforms = (seed: number, count = n) => {
  const stream = random(fold(key(17), seed));
  return Array.from({ length: count }, () => stream.uniform());
};

describe("split conformal", () => {
  test("is an order statistic", () => {
    const nine = [5, 1, 9, 3, 7, 2, 8, 4, 6];
    expect([0.1, 0.2, 0.5, 0.9].map((alpha) => conformalThreshold(nine, { alpha }))).toEqual([9, 8, 5, 1]);
    expect(conformalThreshold(nine, { alpha: 0.09 })).toBe(Infinity);
    expect(conformalThreshold([1, Infinity, Infinity], { alpha: 0.5 })).toBe(Infinity);
    expect(conformalThreshold([], { alpha: 0.5 })).toBe(Infinity);
  });

  test.each([0.1, 0.25, 0.5])("at %d over 1,000 calibrations covers what it promises, and hardly more", (alpha) => {
    // The k-th of n uniform values is Beta(k, n + 1 − k): mean k / (n + 1), which lies in [1 − α, 1 − α + 1/(n + 1)].
    const k = Math.ceil((n + 1) * (1 - alpha));
    const expected = k / (n + 1);
    const covered = Array.from({ length: repeats }, (_, seed) => conformalThreshold(uniforms(seed), { alpha }));
    const mean = covered.reduce((sum, one) => sum + one, 0) / repeats;
    const error = Math.sqrt((expected * (1 - expected)) / (n + 2) / repeats);
    expect(expected).toBeGreaterThanOrEqual(1 - alpha);
    expect(Math.abs(mean - expected)).toBeLessThan(4.5 * error); // false alarm: 7e-6
  });

  test("with weights covers under covariate shift, where without it does not", () => {
    // Old problems: x uniform, nonconformity uniform in [0, x]. New ones have density 2x. Covered at threshold t: the mean of
    // min(t / x, 1) under 2x, which is t² + 2t (1 − t).
    const alpha = 0.2;
    const covers = (t: number) => (t >= 1 ? 1 : t * t + 2 * t * (1 - t));
    let [weighted, plain] = [0, 0];
    for (let seed = 0; seed < repeats; seed++) {
      const xs = uniforms(seed);
      const scores = uniforms(seed + repeats).map((one, i) => one * (xs[i] as number));
      const weights = xs.map((x) => 2 * x);
      const [x = 0] = uniforms(seed + 2 * repeats, 1).map(Math.sqrt); // a new one
      const t = conformalThreshold(scores, { alpha, weights, weight: 2 * x });
      weighted += Math.min(t / x, 1) / repeats;
      plain += covers(conformalThreshold(scores, { alpha })) / repeats;
    }
    const error = Math.sqrt(0.25 / repeats / n); // generous: a threshold varies like an order statistic of n
    expect(weighted).toBeGreaterThan(1 - alpha - 4.5 * error);
    expect(plain).toBeLessThan(1 - alpha - 4.5 * error);
  });
});

describe("PAC sets", () => {
  test.each([
    [0.2, 0.1],
    [0.1, 0.05],
    [0.5, 0.01],
  ])("at error %d miss too much in exactly the share that the binomial says, at most %d", (error, delta) => {
    let misses = -1;
    while (binomialTail(misses + 1, n, error) <= delta) misses++;
    const broken = Array.from(
      { length: repeats },
      (_, seed) => 1 - pacThreshold(uniforms(seed), { error, delta }) > error,
    );
    const expected = binomialTail(misses, n, error); // P(the (n − k)-th of n uniform values < 1 − ε)
    const share = broken.filter(Boolean).length / repeats;
    expect(misses < 0 ? 0 : expected).toBeLessThanOrEqual(delta);
    expect(Math.abs(share - (misses < 0 ? 0 : expected))).toBeLessThanOrEqual(
      4.5 * Math.sqrt((expected * (1 - expected)) / repeats),
    );
  });

  test("too few problems promise nothing: 29 at error 0.1, where log 0.05 / log 0.9 = 28.4", () => {
    const rising = Array.from({ length: 29 }, (_, i) => i);
    expect(pacThreshold(rising.slice(0, 28), { error: 0.1 })).toBe(Infinity);
    expect(pacThreshold(rising, { error: 0.1 })).toBe(28);
    expect(pacThreshold([...rising.slice(1), Infinity], { error: 0.1 })).toBe(Infinity);
    expect(pacThreshold([], { error: 0.1 })).toBe(Infinity);
  });

  test("ask for more than conformal sets at the same level", () => {
    for (let seed = 0; seed < 50; seed++)
      expect(pacThreshold(uniforms(seed), { error: 0.2 })).toBeGreaterThan(
        conformalThreshold(uniforms(seed), { alpha: 0.2 }),
      );
  });
});

test("a set holds what does not exceed the threshold, in the order given", () => {
  const candidates = [
    { answer: "x", nonconformity: 0.4 },
    { answer: "y", nonconformity: 0.9 },
    { answer: "z", nonconformity: 0.1 },
  ];
  expect(answerSet(candidates, 0.4).map(({ answer }) => answer)).toEqual(["x", "z"]);
  expect(answerSet(candidates, Infinity)).toEqual(candidates);
});

test.each([
  ["alpha", () => conformalThreshold([1], { alpha: 0 })],
  ["weights", () => conformalThreshold([1], { alpha: 0.1, weights: [-1] })],
  ["error", () => pacThreshold([1], { error: 1 })],
  ["delta", () => pacThreshold([1], { error: 0.1, delta: 2 })],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
