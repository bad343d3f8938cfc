import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { drawBeta, drawGamma } from "../math/distributions.ts";
import { random } from "../math/random.ts";
import {
  holm,
  mcnemar,
  minimumDetectableEffect,
  pairedDifference,
  pairedPosterior,
  pairedVariance,
  pairs,
  rankIntervals,
  requiredProblems,
  reusableHoldout,
  varianceComponents,
} from "./compare.ts";

/** The least share of `runs` intervals at 95% that must hold the truth; false alarm: 0.1%. */
const leastOf = (runs: number): number => 0.95 - 3 * Math.sqrt((0.95 * 0.05) / runs);

test("pairs are counted by cell", () => {
  const [first, second] = [
    [true, true, false, false, true],
    [true, false, true, false, false],
  ];
  expect(pairs(first, second)).toEqual({ both: 1, onlyFirst: 2, onlySecond: 1, neither: 1 });
  expect(() => pairs([true], [])).toThrow("1 and 0");
});

describe("McNemar's test", () => {
  test("by enumeration of all signs of the discordant problems", () => {
    const choose = (n: number, k: number): number => (k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k);
    for (const [b, c] of [
      [0, 0],
      [3, 3],
      [0, 6],
      [2, 9],
      [10, 4],
      [1, 0],
    ] as const) {
      // biome-ignore format: pairs
      const n = b + c;
      let p = 0; // all outcomes at least as far from n/2
      for (let x = 0; x <= n; x++) if (Math.abs(x - n / 2) >= Math.abs(b - n / 2)) p += choose(n, x) / 2 ** n;
      expect(mcnemar({ onlyFirst: b, onlySecond: c })).toBeCloseTo(p, 12);
    }
  });
  test("rejects at 5% at most in 5%, where both are equally good", () => {
    // Exact: over the number of discordant problems fixed at n, sum the chances of those counts it rejects.
    for (const n of [5, 12, 30]) {
      let size = 0;
      for (let x = 0, chance = 0.5 ** n; x <= n; chance *= (n - x) / (x + 1), x++)
        if (mcnemar({ onlyFirst: x, onlySecond: n - x }) <= 0.05) size += chance;
      expect(size).toBeLessThanOrEqual(0.05);
    }
  });
});

describe("the posterior of a paired difference", () => {
  // (θ₁₀, θ₀₁, rest) ~ Dirichlet(1, 1, c): P(difference > x) = (1 − x)^(c + 1)/2 for x >= 0.
  test.each([
    [{ both: 0, neither: 0 }, 2],
    [{ both: 3, neither: 1 }, 6],
    [{ both: 500, neither: 300 }, 802],
  ])("with no discordant problem and %o its quantiles are in closed form", (rest, c) => {
    const { value, low, high, superior } = pairedPosterior({ ...rest, onlyFirst: 0, onlySecond: 0 });
    expect(high).toBeCloseTo(1 - 0.05 ** (1 / (c + 1)), 8);
    expect(low).toBeCloseTo(-(high as number), 8);
    expect([value, superior]).toEqual([0, expect.closeTo(0.5, 12)]);
  });

  test("agrees with draws from the Dirichlet", () => {
    const stream = random(3);
    const counts = { both: 31, onlyFirst: 9, onlySecond: 2, neither: 18 };
    const { value, low, high, superior } = pairedPosterior(counts);
    const draws = 20_000;
    let [mean, below, above, positive] = [0, 0, 0, 0];
    for (let i = 0; i < draws; i++) {
      const [a, b, c] = [drawGamma(10, stream), drawGamma(3, stream), drawGamma(51, stream)];
      const difference = (a - b) / (a + b + c);
      mean += difference / draws;
      below += Number(difference < (low as number)) / draws;
      above += Number(difference > (high as number)) / draws;
      positive += Number(difference > 0) / draws;
    }
    expect(mean).toBeCloseTo(value as number, 2);
    const tolerance = 4.5 * Math.sqrt((0.025 * 0.975) / draws); // false alarm: 7e-6 each
    expect(Math.abs(below - 0.025)).toBeLessThan(tolerance);
    expect(Math.abs(above - 0.025)).toBeLessThan(tolerance);
    expect(Math.abs(positive - superior)).toBeLessThan(tolerance);
  });

  test("mirrors, and narrows to the normal interval with many problems", () => {
    const one = pairedPosterior({ both: 5, onlyFirst: 6, onlySecond: 2, neither: 7 });
    const other = pairedPosterior({ both: 5, onlyFirst: 2, onlySecond: 6, neither: 7 });
    expect(other.low).toBeCloseTo(-(one.high as number), 9);
    const { low, high } = pairedPosterior({ both: 40_000, onlyFirst: 6000, onlySecond: 4000, neither: 50_000 });
    const half = 1.96 * Math.sqrt((0.1 - 0.02 ** 2) / 1e5);
    expect(low).toBeCloseTo(0.02 - half, 4);
    expect(high).toBeCloseTo(0.02 + half, 4);
    expect(() => pairedPosterior({ both: -1, onlyFirst: 0, onlySecond: 0, neither: 0 })).toThrow("'both'");
  });

  test("averaged over its prior it covers exactly what it says", () => {
    const runs = 60;
    for (const count of [10, 100, 1000]) {
      let inside = 0;
      for (let run = 0; run < runs; run++) {
        const stream = random(fold(key(30 + count), run));
        const weights = Array.from({ length: 4 }, () => drawGamma(1, stream));
        const cells = [0, 0, 0, 0];
        for (let i = 0; i < count; i++) {
          const cell = stream.weighted(weights);
          cells[cell] = (cells[cell] as number) + 1;
        }
        const [both, onlyFirst, onlySecond, neither] = cells as [number, number, number, number];
        const total = weights.reduce((a, b) => a + b);
        const truth = ((weights[1] as number) - (weights[2] as number)) / total;
        const { low, high } = pairedPosterior({ both, onlyFirst, onlySecond, neither });
        inside += Number((low as number) <= truth && truth <= (high as number));
      }
      expect(inside / runs).toBeGreaterThan(leastOf(runs));
    }
  });
});

describe("paired difference of many seeds", () => {
  test("is the mean of the problems' differences, each problem once", () => {
    const { value, why } = pairedDifference([[1, 1, 0], [0]], [[0], [1, 0]]);
    expect(value).toBeCloseTo((2 / 3 - 0.5) / 2, 14);
    expect(why).toContain("a bootstrap of 2 clusters is too short");
    expect(pairedDifference([[1], []], [[1], [0]]).why).toBe("problem 1 was not answered by both");
  });

  test.each([10, 30, 100, 1000])("with %i problems it holds the truth in 95%", (count) => {
    const runs = count > 500 ? 30 : 150;
    let inside = 0;
    for (let run = 0; run < runs; run++) {
      const stream = random(fold(key(50 + count), run));
      const draw = (p: number) => Array.from({ length: 4 }, () => Number(stream.uniform() < p));
      const rates = Array.from({ length: count }, () => drawBeta(0.3, 3, stream)); // hard problems: mean 1/11
      const first = rates.map((p) => draw(p + (1 - p) * 0.1)); // a tenth of what fails is saved
      const second = rates.map(draw);
      const truth = 0.1 * (1 - 1 / 11);
      const { low, high } = pairedDifference(first, second, { within: { low: 0, high: 1 }, resamples: 200, seed: run });
      inside += Number((low as number) <= truth && truth <= (high as number));
    }
    expect(inside / runs).toBeGreaterThan(leastOf(runs));
  });
});

describe("Holm", () => {
  test("by hand, in the order given; what was tried and not shown counts", () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.01], { tried: 12 })).toEqual([0.12]);
    expect(holm([0.5, 0.6])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
    expect(() => holm([0.1, 0.2], { tried: 1 })).toThrow("'tried'");
    expect(() => holm([1.1])).toThrow("each must be in [0, 1]");
  });
  test("of 20 methods that differ in nothing one seems better in most tables, and by Holm in 5% at most", () => {
    const runs = 2000;
    let [naive, corrected] = [0, 0];
    for (let run = 0; run < runs; run++) {
      const stream = random(fold(key(6), run));
      const pValues = Array.from({ length: 20 }, () => stream.uniform());
      naive += Number(pValues.some((p) => p <= 0.05)) / runs;
      corrected += Number(holm(pValues).some((p) => p <= 0.05)) / runs;
    }
    expect(naive).toBeGreaterThan(0.6); // 1 − 0.95²⁰ = 0.64
    expect(corrected).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / runs));
  });
});

describe("power", () => {
  test("by hand; effect and number of problems are inverse", () => {
    // (1.95996 + 0.84162)² · 0.2 / 0.05² = 627.9
    expect(requiredProblems(0.05, { variance: 0.2 })).toEqual({ value: 628 });
    expect(minimumDetectableEffect(628, { variance: 0.2 }).value).toBeCloseTo(0.05, 4);
    expect(requiredProblems(0, { variance: 0.2 }).why).toBe("no number of problems finds a difference of 0");
    expect(minimumDetectableEffect(0, { variance: 0.2 }).value).toBeUndefined();
    expect(pairedVariance({ between: 0.1, first: 0.2, second: 0.3 }, [2, 3])).toBeCloseTo(0.3, 14);
  });

  test("the components of a made world come back, and the planned number of problems finds the effect in 80%", () => {
    const world = (count: number, seeds: number, seed: number) => {
      const stream = random(seed);
      const rates = Array.from({ length: count }, () => 0.4 + 0.4 * stream.uniform());
      const draw = (p: number) => Array.from({ length: seeds }, () => Number(stream.uniform() < p));
      return [rates.map((p) => draw(p + 0.1)), rates.map(draw)] as const;
    };
    const components = varianceComponents(...world(4000, 4, 1));
    expect(components.between).toBeLessThan(0.01); // 0: the effect is the same everywhere
    // E p(1 − p) for p uniform on [0.4, 0.8]: 0.6 − (0.36 + 0.16/12)
    expect((components as { second: number }).second).toBeCloseTo(0.6 - 0.36 - 0.16 / 12, 2);
    expect(varianceComponents([[1]], [[0]]).why).toBe("one problem says nothing of how problems differ");

    if (components.between === undefined) throw new Error(components.why);
    const { value: problems } = requiredProblems(0.1, { variance: pairedVariance(components, 4) });
    const runs = 300;
    let found = 0;
    for (let run = 0; run < runs; run++) {
      const [first, second] = world(problems as number, 4, 100 + run);
      const { low } = pairedDifference(first, second, { resamples: 300, seed: run, fewest: 30 });
      found += Number((low as number) > 0);
    }
    expect(Math.abs(found / runs - 0.8)).toBeLessThan(4 * Math.sqrt(0.16 / runs));
  });
});

describe("ranks", () => {
  test("far apart they are certain, alike they are open", () => {
    const stream = random(2);
    const row = (p: number) => Array.from({ length: 400 }, () => Number(stream.uniform() < p));
    const { ranks } = rankIntervals([row(0.5), row(0.9), row(0.5), row(0.1)]);
    expect(ranks?.map(({ low, high }) => [low, high])).toEqual([[2, 3], [1, 1], [2, 3], [4, 4]]); // biome-ignore format: pairs
    expect(ranks?.[1]?.rank).toBe(1);
    expect(rankIntervals([[1], [0]]).why).toBe("ranks need at least 2 problems, there are 1");
    expect(() => rankIntervals([[1, 0], [0]])).toThrow("the same problems");
  });

  test("the same difference everywhere is sure only where signs alone would be", () => {
    const table = (problems: number) => [Array(problems).fill(1), Array(problems).fill(0)] as number[][];
    expect(rankIntervals(table(5)).ranks?.map(({ low, high }) => [low, high])).toEqual([
      [1, 2],
      [1, 2],
    ]); // 2^-4 > 5%
    expect(rankIntervals(table(6)).ranks?.map(({ low, high }) => [low, high])).toEqual([[1, 1], [2, 2]]); // biome-ignore format: pairs
  });

  test.each([
    [10, [0.5, 0.5, 0.5, 0.5, 0.5]],
    [30, [0.7, 0.55, 0.55, 0.55, 0.4]],
    [100, [0.7, 0.55, 0.55, 0.55, 0.4]],
    [1000, [0.06, 0.06, 0.06, 0.02]],
  ])("of %i problems all intervals at once hold the true ranks in 95%, with ties among %j", (problems, rates) => {
    const runs = problems > 500 ? 30 : 150;
    let inside = 0;
    for (let run = 0; run < runs; run++) {
      const stream = random(fold(key(problems), run));
      const hardness = Array.from({ length: problems }, () => 0.04 * (stream.uniform() - 0.5));
      const scores = rates.map((rate) => hardness.map((h) => Number(stream.uniform() < rate + h)));
      const { ranks = [] } = rankIntervals(scores, { resamples: 200, seed: run });
      // A tie can take any of its places: the interval must reach all of them.
      const holds = ranks.every(({ low, high }, i) => {
        const above = rates.filter((rate) => rate > (rates[i] as number)).length;
        const below = rates.filter((rate) => rate < (rates[i] as number)).length;
        return low <= 1 + above && high >= rates.length - below;
      });
      inside += Number(holds);
    }
    expect(inside / runs).toBeGreaterThan(leastOf(runs));
  });
});

describe("the reusable held-out set", () => {
  test("answers with the training mean while they agree, and with a noisy held-out mean where they do not", () => {
    const holdout = reusableHoldout({ threshold: 0.1, noise: 1e-4, budget: 1, seed: 1 });
    expect(holdout.ask(0.6, 0.58)).toEqual({ value: 0.6 });
    expect(holdout.left).toBe(1);
    expect(holdout.ask(0.9, 0.5).value).toBeCloseTo(0.5, 2);
    expect(holdout.ask(0.6, 0.58).why).toBe("the held-out set has told as often as its budget allows");
  });

  test("a classifier built on pure noise: the naive held-out accuracy is far above a half, the guarded one is not", () => {
    // Dwork et al. 2015, their experiment without signal, smaller: keep features whose sign agrees on both sets, then vote.
    const [problems, features, runs] = [4000, 1000, 2];
    const scale = 1 / Math.sqrt(problems);
    let [naive, guarded, leaked] = [0, 0, 0];
    for (let run = 0; run < runs; run++) {
      const stream = random(fold(key(15), run));
      // Labels are noise, so whether a feature agrees with the label is noise too: ±1 for each problem.
      const signs = (): Int8Array => {
        let word = 0;
        return Int8Array.from({ length: problems }, (_, i) => {
          word = i % 32 === 0 ? stream.integer(2 ** 32) : word >>> 1;
          return word & 1 ? 1 : -1;
        });
      };
      const columns = Array.from({ length: features }, () => [signs(), signs()] as const);
      const meanOf = (values: Int8Array): number => values.reduce((sum, x) => sum + x, 0) / problems;
      const build = (told: (training: number, heldOut: number) => number) => {
        const votes = [new Float64Array(problems), new Float64Array(problems)] as const;
        for (const [training, heldOut] of columns) {
          // Kept: what looks strong in training and is confirmed by what is told of the held-out set.
          const seen = meanOf(training);
          if (Math.abs(seen) < scale || told(seen, meanOf(heldOut)) * Math.sign(seen) < scale) continue;
          for (let i = 0; i < problems; i++) {
            votes[0][i] = (votes[0][i] as number) + Math.sign(seen) * (training[i] as number);
            votes[1][i] = (votes[1][i] as number) + Math.sign(seen) * (heldOut[i] as number);
          }
        }
        const accuracy = (all: Float64Array) =>
          all.reduce((sum, x) => sum + (x > 0 ? 1 : x === 0 ? 0.5 : 0), 0) / problems;
        return { training: accuracy(votes[0]), heldOut: accuracy(votes[1]) };
      };
      naive += build((_, heldOut) => heldOut).heldOut / runs;
      const holdout = reusableHoldout({ threshold: 4 * scale, noise: scale / 4, seed: run });
      const built = build((training, heldOut) => holdout.ask(training, heldOut).value as number);
      leaked += built.heldOut / runs;
      guarded += (holdout.ask(built.training, built.heldOut).value as number) / runs;
    }
    expect(naive).toBeGreaterThan(0.55);
    expect(Math.abs(leaked - 0.5)).toBeLessThan(0.02); // the classifier's own held-out accuracy, without noise
    expect(Math.abs(guarded - 0.5)).toBeLessThan(0.02); // as it is told
  });
});
