import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import {
  checkExtrapolation,
  computeOptimal,
  fitScalingLaw,
  lossAt,
  resampleScalingLaw,
  runsNeeded,
  type ScalingLaw,
  type ScalingPoint,
  tradeOff,
} from "./scaling-fit.ts";

/** The fit of Besiroglu et al. 2024. */
const chinchilla: ScalingLaw = { floor: 1.8172, scales: [482.01, 2085.43], exponents: [0.3478, 0.3658] };

function runs(
  law: ScalingLaw,
  noise: number,
  seed: number,
  [first, second]: readonly [number, number] = [6, 6],
): ScalingPoint[] {
  const stream = random(seed);
  return Array.from({ length: first * second }, (_, i) => {
    const sizes = [10 ** (7.5 + (2.6 * (i % first)) / first), 10 ** (9.3 + (2.4 * Math.floor(i / first)) / second)];
    return { sizes, loss: lossAt(law, sizes) * Math.exp(noise * stream.normal()) };
  });
}

/** The 99% range of a share of `repeats`, when the true one is 95%. */
const near95 = (inside: number, repeats: number) =>
  expect(Math.abs(inside / repeats - 0.95)).toBeLessThan(2.576 * Math.sqrt((0.95 * 0.05) / repeats));
const holds = ({ low, high }: { low: number | undefined; high: number | undefined }, truth: number) =>
  low !== undefined && high !== undefined && low <= truth && truth <= high;

describe("laws", () => {
  test.each([
    ["of one size", { floor: 0.5, scales: [300], exponents: [0.3] }],
    ["of two, as published", chinchilla],
    ["of two, with very different exponents", { floor: 1, scales: [50, 3e8], exponents: [0.15, 0.9] }],
    ["that falls for ever", { floor: 1e-9, scales: [100, 400], exponents: [0.2, 0.25] }],
  ])("planted without noise are found: %s", (_, law) => {
    const points = runs({ ...law, scales: [...law.scales, 0], exponents: [...law.exponents, 1] }, 0, 0).map(
      ({ sizes, loss }) => ({
        sizes: sizes.slice(0, law.scales.length),
        loss,
      }),
    );
    const fit = fitScalingLaw(points);
    if (!fit.value) throw new Error(fit.why);
    expect(fit.converged).toBe(true);
    expect(fit.logResidual).toBeLessThan(1e-7);
    expect(fit.value.floor).toBeCloseTo(law.floor, 4);
    for (const [j, exponent] of law.exponents.entries()) {
      expect(fit.value.exponents[j]).toBeCloseTo(exponent, 4);
      expect((fit.value.scales[j] as number) / (law.scales[j] as number)).toBeCloseTo(1, 2);
    }
  });

  test("all starts agree, the end is flat, and twice the data give the same law", () => {
    const points = runs(chinchilla, 0.01, 5);
    const fit = fitScalingLaw(points);
    if (!fit.value) throw new Error(fit.why);
    expect(fit).toMatchObject({ starts: 25, agreeing: 25, converged: true });
    expect(fit.gradientNorm).toBeLessThan(0.1); // of a sum of losses of some 200
    expect(fit.logResidual).toBeGreaterThan(0.005);
    expect(fit.logResidual).toBeLessThan(0.015);
    const twice = fitScalingLaw([...points, ...points]);
    expect(twice.value?.exponents[0]).toBeCloseTo(fit.value.exponents[0] as number, 4);
  });

  test("outliers hardly move it: one loss in twelve is a third too high", () => {
    const points = runs(chinchilla, 0.003, 8).map(({ sizes, loss }, i) => ({
      sizes,
      loss: i % 12 === 5 ? loss * 1.33 : loss,
    }));
    const { value } = fitScalingLaw(points) as { value: ScalingLaw };
    for (const { sizes } of points) expect(lossAt(value, sizes) / lossAt(chinchilla, sizes)).toBeCloseTo(1, 1.7);
  });

  test("bootstrap intervals cover", () => {
    const repeats = 60;
    let [exponent, floor, future] = [0, 0, 0];
    const far = [3e10, 2e12];
    for (let r = 0; r < repeats; r++) {
      const points = runs(chinchilla, 0.01, 500 + r);
      const sampled = resampleScalingLaw(points, fitScalingLaw(points, { startExponents: [0.2, 0.5] }), {
        resamples: 80,
        seed: r,
      });
      if (
        holds(
          sampled.interval((law) => law.exponents[0] as number),
          0.3478,
        )
      )
        exponent++;
      if (
        holds(
          sampled.interval((law) => law.floor),
          1.8172,
        )
      )
        floor++;
      const next = lossAt(chinchilla, far) * Math.exp(0.01 * random(fold(key(9), r)).normal());
      if (holds(sampled.prediction(far), next)) future++;
      expect(sampled.unconverged).toBe(0);
    }
    near95(exponent, repeats);
    near95(floor, repeats);
    near95(future, repeats);
  });

  test("undefined, with a reason; refused, with the point", () => {
    expect(fitScalingLaw(runs(chinchilla, 0, 0).slice(0, 5))).toMatchObject({
      value: undefined,
      why: "5 points are too few for a law of 5 numbers",
    });
    const flat = runs(chinchilla, 0.01, 0).map(({ sizes: [n = 1], loss }) => ({ sizes: [n, 1e9], loss }));
    const fit = fitScalingLaw(flat);
    expect(fit).toMatchObject({ value: undefined, why: expect.stringMatching(/size 1 has fewer than three values/) });
    expect(resampleScalingLaw(flat, fit).interval((law) => law.floor)).toMatchObject({
      value: undefined,
      why: fit.why,
    });
    expect(() => fitScalingLaw([{ sizes: [1], loss: 0 }])).toThrow("point 0 is 1 with 0");
  });
});

describe("what follows from a law", () => {
  test("the compute-optimal sizes are the least of the loss along the budget", () => {
    const [n, d] = computeOptimal(chinchilla, 1e21);
    expect(6 * n * d).toBeCloseTo(1e21, -8);
    for (const factor of [0.99, 1.01])
      expect(lossAt(chinchilla, [n * factor, d / factor])).toBeGreaterThan(lossAt(chinchilla, [n, d]));
    // Besiroglu et al.: N grows like C^0.513.
    expect(Math.log10(computeOptimal(chinchilla, 1e22)[0] / n)).toBeCloseTo(0.513, 3);
  });

  test("an interval that is fifty times too narrow would need 2500 times the runs", () => {
    const own = { value: 0.51, low: 0.49, high: 0.54 };
    const { value, warning } = runsNeeded(own, { low: 0.454, high: 0.455 }, { runs: 240 }) as {
      value: number;
      warning: string;
    };
    expect(value).toBeCloseTo(600_000, -1);
    expect(warning).toMatch(/about 600000 runs, and there are 240/);
    expect(runsNeeded(own, { low: 0.5, high: 0.53 }, { runs: 240 })).toMatchObject({ warning: undefined });
  });

  test("held-out points: a law that goes on holds, one that stops does not, and it says so", () => {
    const points = runs(chinchilla, 0.005, 30);
    const sampled = resampleScalingLaw(points, fitScalingLaw(points), { resamples: 200 });
    const stream = random(31);
    const held = [1e10, 2e10, 4e10, 8e10].map((n) => {
      const sizes = [n, 40 * n];
      return {
        predicted: sampled.prediction(sizes),
        observed: lossAt(chinchilla, sizes) * Math.exp(0.005 * stream.normal()),
      };
    });
    expect(checkExtrapolation(held)).toMatchObject({ points: 4, outside: 0, holds: true, why: undefined });
    const stuck = held.map(({ predicted }) => ({ predicted, observed: 2.25 }));
    expect(checkExtrapolation(stuck)).toMatchObject({
      holds: false,
      why: expect.stringMatching(/of 4 held-out points lie outside/),
    });
  });

  test("how many may lie outside", () => {
    const verdict = (outside: number, points: number) =>
      checkExtrapolation(
        Array.from({ length: points }, (_, i) => ({
          predicted: { value: 1, low: 0.9, high: 1.1 },
          observed: i < outside ? 2 : 1,
        })),
      ).holds;
    // P(at least one of one) = 0.05; of two 0.0975; at least two of five 0.0226; three of twenty 0.0755, four 0.0159.
    expect([verdict(0, 1), verdict(1, 1), verdict(1, 2), verdict(2, 5), verdict(3, 20), verdict(4, 20)]).toEqual([
      true,
      false,
      true,
      false,
      true,
      false,
    ]);
    expect(checkExtrapolation([])).toMatchObject({ holds: false, worstLogError: undefined, why: expect.any(String) });
    const { worstLogError } = checkExtrapolation([{ predicted: { value: 2, low: 1, high: 3 }, observed: 1 }]);
    expect(worstLogError).toBeCloseTo(Math.log(2), 14);
  });
});

describe("trade-off lines", () => {
  test("three points by hand: log test 0, 1, 3 at log train 0, 1, 2", () => {
    const line = tradeOff([0, 1, 3].map((y, x) => ({ train: 10 ** x, test: 10 ** y, performance: 1500 })));
    expect(line.value).toBeCloseTo(1.5, 12);
    expect(line.residual).toBeCloseTo(Math.sqrt(1 / 6), 12);
    // ±t(0.975; 1) · √(1/6 / 2) = 12.7062 · 0.288675
    expect((line.high as number) - 1.5).toBeCloseTo(3.66797, 4);
    expect(line.intercept).toBeCloseTo(-1 / 6, 12);
  });

  test("a plane without noise is found, and its slope covers with noise", () => {
    const points = (noise: number, seed: number) => {
      const stream = random(seed);
      return Array.from({ length: 12 }, (_, i) => {
        const [x, performance] = [12 + (i % 4), -1500 + 500 * Math.floor(i / 4) + 37 * (i % 3)];
        return {
          train: 10 ** x,
          test: 10 ** (29 - 1.2 * x + 0.004 * performance + noise * stream.normal()),
          performance,
        };
      });
    };
    const exact = tradeOff(points(0, 0));
    expect(exact.value).toBeCloseTo(-1.2, 10);
    expect(exact.perPerformance).toBeCloseTo(0.004, 12);
    expect(exact.intercept).toBeCloseTo(29, 8);
    const repeats = 1000;
    let inside = 0;
    for (let r = 0; r < repeats; r++) if (holds(tradeOff(points(0.3, r + 1)), -1.2)) inside++;
    near95(inside, repeats);
  });

  test("undefined, with a reason", () => {
    expect(tradeOff([{ train: 1, test: 1, performance: 0 }])).toMatchObject({
      value: undefined,
      why: expect.stringMatching(/too few/),
    });
    const bound = [1, 2, 3, 4, 5].map((x) => ({ train: 10 ** x, test: 10 ** x, performance: x }));
    expect(tradeOff(bound)).toMatchObject({
      value: undefined,
      why: expect.stringMatching(/does not vary at a fixed performance/),
    });
  });
});
