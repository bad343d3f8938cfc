import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { drawBeta } from "../math/distributions.ts";
import { random, type Random } from "../math/random.ts";
import { betaPassAtK, coverageAt, extrapolateCoverage, fitBetaSuccess, fitCoverageLaw } from "./coverage-fit.ts";
import { passAtK, type Tally } from "./pass-at-k.ts";
import { checkExtrapolation } from "./scaling-fit.ts";

const attempts = (rate: number, samples: number, stream: Random): Tally => {
  let correct = 0;
  for (let i = 0; i < samples; i++) if (stream.uniform() < rate) correct++;
  return { samples, correct };
};
const betaTallies = (a: number, b: number, problems: number, samples: number, seed: Parameters<typeof random>[0]) => {
  const stream = random(seed);
  return Array.from({ length: problems }, () => attempts(drawBeta(a, b, stream), samples, stream));
};

describe("the closed form", () => {
  test("uniform rates: k / (k + 1); one attempt: a / (a + b)", () => {
    for (const k of [1, 2, 10, 10_000]) expect(betaPassAtK({ a: 1, b: 1 }, k)).toBeCloseTo(k / (k + 1), 11);
    expect(betaPassAtK({ a: 0.3, b: 3 }, 1)).toBeCloseTo(0.3 / 3.3, 13);
    // 1 − (3/3.3)(4/4.3)
    expect(betaPassAtK({ a: 0.3, b: 3 }, 2)).toBeCloseTo(1 - (3 / 3.3) * (4 / 4.3), 13);
  });

  test("simulated coverage matches it", () => {
    const tallies = betaTallies(0.3, 3, 4000, 64, 3);
    for (const k of [1, 4, 16, 64]) {
      const values = tallies.map((tally) => passAtK(tally, k).value as number);
      const mean = values.reduce((x, y) => x + y) / values.length;
      const deviation = Math.sqrt(values.reduce((x, y) => x + (y - mean) ** 2, 0) / values.length);
      expect(Math.abs(mean - betaPassAtK({ a: 0.3, b: 3 }, k))).toBeLessThan(
        (4 * deviation) / Math.sqrt(values.length),
      );
    }
  });
});

describe("the Beta fit", () => {
  test("from two attempts each, by hand: the maximum reproduces the three frequencies", () => {
    // Shares of 0, 1, 2 successes under Beta(1, 1) are equal, and three frequencies determine a and b.
    const fit = fitBetaSuccess(
      [0, 1, 2].map((correct) => ({ samples: 2, correct })),
      [7, 7, 7],
    );
    expect(fit).toMatchObject({ converged: true });
    expect(fit.value?.a).toBeCloseTo(1, 4);
    expect(fit.value?.b).toBeCloseTo(1, 4);
  });

  test.each([
    [0.3, 3],
    [0.5, 2],
    [1, 8],
  ])("k <= 100 foretells k = 10,000 within 3 points: Beta(%d, %d)", (a, b) => {
    const tallies = betaTallies(a, b, 1000, 100, fold(key(40), a * 10));
    const truth = betaPassAtK({ a, b }, 10_000);
    const { value, low, high } = extrapolateCoverage(tallies, 10_000, { resamples: 200 });
    expect(Math.abs((value as number) - truth)).toBeLessThan(0.03);
    expect((high as number) - (low as number)).toBeLessThan(0.06);
  });

  test("its bootstrap interval covers, far beyond the attempts that were made", () => {
    const repeats = 150;
    let inside = 0;
    const truth = betaPassAtK({ a: 0.5, b: 3 }, 1000);
    for (let r = 0; r < repeats; r++) {
      const tallies = betaTallies(0.5, 3, 120, 30, fold(key(12), r));
      const { low, high } = extrapolateCoverage(tallies, 1000, { resamples: 200, seed: r });
      if ((low as number) <= truth && truth <= (high as number)) inside++;
    }
    expect(Math.abs(inside / repeats - 0.95)).toBeLessThan(2.576 * Math.sqrt((0.95 * 0.05) / repeats)); // 1%
  });

  test("where the likelihood has no maximum, it says why", () => {
    const why = (...correct: number[]) => fitBetaSuccess(correct.map((c) => ({ samples: 4, correct: c }))).why;
    expect(why(0, 0, 0)).toMatch(/nothing was solved/);
    expect(why(4, 4)).toMatch(/every attempt succeeded/);
    expect(why(0, 4, 4)).toMatch(/always or never/);
    expect(why(2, 2, 2, 2)).toBe("problems differ no more than equally hard ones would: pass@k = 1 − (1 − 0.500)^k");
    expect(
      fitBetaSuccess([
        { samples: 1, correct: 1 },
        { samples: 1, correct: 0 },
      ]).why,
    ).toMatch(/one attempt/);
    expect(fitBetaSuccess([]).why).toMatch(/no attempts/);
    expect(extrapolateCoverage([{ samples: 5, correct: 0 }], 9)).toMatchObject({
      value: undefined,
      why: expect.any(String),
    });
  });
});

describe("the exponentiated power law", () => {
  test("planted ones are found, also from a noisy curve", () => {
    const ks = [1, 3, 10, 30, 100];
    for (const law of [
      { a: -2.3, b: -0.4 },
      { a: -0.5, b: -0.9 },
      { a: -6, b: -0.15 },
    ]) {
      const fit = fitCoverageLaw(ks.map((k) => ({ k, value: coverageAt(law, k) })));
      expect(fit).toMatchObject({ converged: true });
      expect(fit.value?.a).toBeCloseTo(law.a, 6);
      expect(fit.value?.b).toBeCloseTo(law.b, 6);
    }
    const stream = random(6);
    const noisy = fitCoverageLaw(
      ks.map((k) => ({ k, value: coverageAt({ a: -2, b: -0.4 }, k) + 0.003 * stream.normal() })),
    );
    expect(noisy.value?.b).toBeCloseTo(-0.4, 1);
    expect((noisy as { residual: number }).residual).toBeLessThan(0.006);
  });

  test("on Beta rates it is off further out where the Beta fit is not", () => {
    const tallies = betaTallies(1, 8, 1000, 100, 77);
    const truth = betaPassAtK({ a: 1, b: 8 }, 10_000);
    const beta = extrapolateCoverage(tallies, 10_000, { resamples: 100 });
    const power = extrapolateCoverage(tallies, 10_000, { law: "power-law", resamples: 100 });
    expect(Math.abs((beta.value as number) - truth)).toBeLessThan(0.001);
    expect(Math.abs((power.value as number) - truth)).toBeLessThan(0.03);
    expect(power.high).toBeLessThan(truth); // the interval knows of the sampling only
  });

  test("some problems are never solved: the Beta fit promises too much, and held-out attempts say so", () => {
    const stream = random(14);
    // Half of the problems are hopeless, the rest easy: no Beta law.
    const rates = Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? 0 : 0.05 + 0.3 * stream.uniform()));
    const seen = rates.map((rate) => attempts(rate, 20, stream));
    const later = rates.map((rate) => attempts(rate, 1000, stream));
    const held = [100, 1000].map((k) => ({
      predicted: extrapolateCoverage(seen, k, { resamples: 200 }),
      observed: later.reduce((sum, tally) => sum + (passAtK(tally, k).value as number), 0) / later.length,
    }));
    expect(held[1]?.observed).toBeCloseTo(0.5, 2);
    expect(checkExtrapolation(held)).toMatchObject({ outside: 2, holds: false });
  });

  test("undefined, with a reason", () => {
    expect(
      fitCoverageLaw([
        { k: 1, value: 0 },
        { k: 8, value: 0.2 },
      ]),
    ).toMatchObject({ value: undefined, why: expect.stringMatching(/fewer than two k/) });
    expect(extrapolateCoverage([{ samples: 1, correct: 1 }], 5, { law: "power-law" })).toMatchObject({
      value: undefined,
      why: expect.any(String),
    });
    expect(() => fitCoverageLaw([{ k: 0, value: 0.5 }])).toThrow("point 0 is 0.5 at 0");
  });
});
