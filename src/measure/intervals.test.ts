import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { drawBeta } from "../math/distributions.ts";
import { random, type Random } from "../math/random.ts";
import { bootstrap, drawCounts } from "./bootstrap.ts";
import {
  betting,
  bootstrapMean,
  clopperPearson,
  clt,
  confidenceSequence,
  jeffreys,
  proportion,
  wilson,
} from "./intervals.ts";

/** The least share of `runs` intervals at 95% that must hold the truth; false alarm: 0.1%. */
const leastOf = (runs: number): number => 0.95 - 3 * Math.sqrt((0.95 * 0.05) / runs);

/** Draws of a law, for each run from a key of its own; the share of runs whose interval holds the mean. */
function coverage(
  runs: number,
  count: number,
  draw: (stream: Random) => number,
  mean: number,
  interval: (values: number[], run: number) => { low: number | undefined; high: number | undefined },
): number {
  let inside = 0;
  for (let run = 0; run < runs; run++) {
    const stream = random(fold(key(count), run));
    const { low, high } = interval(
      Array.from({ length: count }, () => draw(stream)),
      run,
    );
    inside += Number((low as number) <= mean && mean <= (high as number));
  }
  return inside / runs;
}

test("a proportion has the interval that is asked for; of nothing there is none", () => {
  expect(proportion(7, 10)).toEqual({ value: 0.7, ...wilson(7, 10) });
  expect(proportion(7, 10, { interval: jeffreys, level: 0.8 })).toEqual({
    value: 0.7,
    ...jeffreys(7, 10, { level: 0.8 }),
  });
  expect(proportion(0, 0)).toEqual({ value: undefined, low: undefined, high: undefined, why: "nothing was counted" });
  expect(() => proportion(1, 0)).toThrow(RangeError);
});

describe("clt", () => {
  test("is refused below a few hundred, unless asked for; the standard error is given all the same", () => {
    const values = [0, 1, 1, 1];
    const refused = clt(values);
    expect(refused).toMatchObject({ value: 0.75, low: undefined });
    expect(refused.why).toContain("a normal interval of 4 clusters is too short");
    expect(refused.standardError).toBeCloseTo(Math.sqrt(0.25 / 4), 14); // s² = 0.75/3
    const asked = clt(values, { fewest: 2 });
    expect(asked.low).toBeCloseTo(0.75 - 1.959963984540054 * 0.25, 12);
    expect(clt([]).why).toBe("there are no values");
    expect(clt([1]).why).toBe("one cluster says nothing of how clusters differ");
    expect(() => clt([0, Number.NaN])).toThrow("number 1 is NaN");
  });

  test("clustered: s²/n and the products of all pairs within a cluster over n²", () => {
    const values = [0.1, 0.9, 0.4, 0.4, 0.8, 0.2, 0.7];
    const clusters = ["a", "b", "a", "c", "b", "a", "c"];
    const mean = values.reduce((a, b) => a + b) / 7;
    let expected = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 6 / 7;
    for (const [i, x] of values.entries())
      for (const [j, y] of values.entries())
        if (i !== j && clusters[i] === clusters[j]) expected += ((x - mean) * (y - mean)) / 49;
    expect(clt(values, { clusters }).standardError).toBeCloseTo(Math.sqrt(expected), 14);
    expect(() => clt(values, { clusters: ["a"] })).toThrow("7 values, 1 entries");
  });

  test("of clustered values the plain one covers far too little, the clustered one as it says", () => {
    // 300 texts with 5 questions each; right with the text's own probability.
    const clusters = Array.from({ length: 1500 }, (_, i) => Math.floor(i / 5));
    const runs = 150;
    const cover = (grouped: boolean) => {
      let inside = 0;
      for (let run = 0; run < runs; run++) {
        const stream = random(fold(key(8), run));
        const rates = Array.from({ length: 300 }, () => drawBeta(0.5, 0.5, stream));
        const values = clusters.map((text) => Number(stream.uniform() < (rates[text] as number)));
        const { low, high } = clt(values, grouped ? { clusters } : {});
        inside += Number((low as number) <= 0.5 && 0.5 <= (high as number));
      }
      return inside / runs;
    };
    expect(cover(true)).toBeGreaterThan(leastOf(runs));
    expect(cover(false)).toBeLessThan(0.85);
  });

  test("on few items, or rare ones, it covers far less than it says; what is used instead does not", () => {
    for (const [count, p] of [
      [10, 0.9],
      [30, 0.95],
      [100, 0.98],
    ] as const) {
      // biome-ignore format: pairs
      const draw = (stream: Random) => Number(stream.uniform() < p);
      const sum = (values: number[]) => values.reduce((a, b) => a + b);
      expect(coverage(400, count, draw, p, (values) => clt(values, { fewest: 2 }))).toBeLessThan(0.9);
      expect(coverage(400, count, draw, p, (values) => clopperPearson(sum(values), count))).toBeGreaterThan(
        leastOf(400),
      );
    }
  });
});

describe("the bootstrap", () => {
  test("counts are multinomial: each unit once on average, with variance 1 − 1/n", () => {
    const counts = new Int32Array(5);
    const [sums, squares] = [new Float64Array(5), new Float64Array(5)];
    for (let r = 0; r < 8000; r++) {
      drawCounts(counts, 3, r);
      expect(counts.reduce((a, b) => a + b)).toBe(5);
      for (let i = 0; i < 5; i++) {
        sums[i] = (sums[i] as number) + (counts[i] as number);
        squares[i] = (squares[i] as number) + (counts[i] as number) ** 2;
      }
    }
    for (let i = 0; i < 5; i++) {
      const mean = (sums[i] as number) / 8000;
      expect(Math.abs(mean - 1)).toBeLessThan(4.5 * Math.sqrt(0.8 / 8000)); // false alarm: 7e-6 each
      expect(Math.abs((squares[i] as number) / 8000 - mean ** 2 - 0.8)).toBeLessThan(0.08);
    }
  });

  test("of a mean it is what the general one gives, and near the normal one where that holds", () => {
    const stream = random(4);
    const values = Array.from({ length: 400 }, () => stream.uniform());
    const mean = (counts: ArrayLike<number>) => {
      let [sum, size] = [0, 0];
      for (const [i, x] of values.entries()) {
        sum += (counts[i] as number) * x;
        size += counts[i] as number;
      }
      return sum / size;
    };
    const fast = bootstrapMean(values, { seed: 9 });
    const general = bootstrap(400, mean, { seed: 9 });
    expect(fast.low).toBeCloseTo(general.low as number, 3); // their jackknives differ: by single units, by groups of two
    expect(fast.high).toBeCloseTo(general.high as number, 3);
    const normal = clt(values);
    expect(Math.abs((fast.low as number) - (normal.low as number))).toBeLessThan(0.003);
  });

  test("whole clusters are drawn: copies of a value bring nothing", () => {
    const stream = random(5);
    const values = Array.from({ length: 120 }, () => stream.uniform());
    const clusters = values.map((_, i) => i);
    const once = bootstrapMean(values, { clusters });
    const thrice = bootstrapMean([...values, ...values, ...values], {
      clusters: [...clusters, ...clusters, ...clusters],
    });
    expect(thrice.low).toBeCloseTo(once.low as number, 12);
    expect(thrice.high).toBeCloseTo(once.high as number, 12);
  });

  test("is refused for few values, and for equal ones; within bounds betting stands in", () => {
    const same = Array.from({ length: 200 }, () => 1);
    expect(bootstrapMean(same).why).toContain("all 200 clusters have the same mean");
    expect(bootstrapMean([0.2, 0.4]).why).toContain("a bootstrap of 2 clusters is too short");
    const within = { low: 0, high: 1 };
    expect(bootstrapMean(same, { within })).toEqual({ value: 1, ...betting(same) });
    expect(bootstrapMean([0.2, 0.4], { within })).toMatchObject(betting([0.2, 0.4]));
    expect(bootstrapMean([]).why).toBe("there are no values");
    expect(bootstrap(3, () => undefined).why).toBe("the statistic is undefined on these units");
    expect(() => bootstrapMean([3, 3], { within })).toThrow("values must lie in [0, 1]");
  });

  const laws: [string, (stream: Random) => number, number][] = [
    ["Beta(2, 2)", (stream) => drawBeta(2, 2, stream), 0.5],
    ["Beta(0.2, 5)", (stream) => drawBeta(0.2, 5, stream), 0.2 / 5.2],
    ["right in 99%", (stream) => Number(stream.uniform() < 0.99), 0.99],
  ];
  test.each(laws)("means of %s within [0, 1] are covered from 10 values to 1000", (_, draw, mean) => {
    for (const count of [10, 30, 100, 1000]) {
      const runs = count > 500 ? 30 : 150;
      const interval = (values: number[], seed: number) =>
        bootstrapMean(values, { within: { low: 0, high: 1 }, resamples: 200, seed });
      expect(coverage(runs, count, draw, mean, interval)).toBeGreaterThan(leastOf(runs));
    }
  });

  test("where it is refused it would fall short", () => {
    const interval = (values: number[], seed: number) => bootstrapMean(values, { fewest: 2, resamples: 200, seed });
    expect(coverage(400, 10, (stream) => drawBeta(0.2, 5, stream), 0.2 / 5.2, interval)).toBeLessThan(0.85);
  });
});

describe("betting", () => {
  test("by hand: of n zeros the upper end is where the mean wealth Σ ((1 + c m/(1 − m))^n)/8 is 40", () => {
    const { low, high } = betting(new Float64Array(12));
    expect(low).toBe(0);
    let wealth = 0;
    for (let i = 0; i < 8; i++) wealth += (1 + high / (1 - high) / (1 + Math.exp(3 - i))) ** 12 / 8;
    expect(wealth).toBeCloseTo(40, 6);
  });

  test("scales and mirrors with its bounds, whatever the order", () => {
    const values = [0.2, 0.9, 0.4, 0.4, 0.7];
    const { low, high } = betting(values);
    const turned = betting(values.map((x) => 3 - 2 * x).reverse(), { within: { low: 1, high: 3 } });
    expect(turned.low).toBeCloseTo(3 - 2 * high, 9);
    expect(turned.high).toBeCloseTo(3 - 2 * low, 9);
  });

  test("exact: over all sequences of 10 coins the interval leaves out the truth in at most 5%, looked at after each", () => {
    for (const p of [0.05, 0.3, 0.5]) {
      let out = 0;
      for (let bits = 0; bits < 1024; bits++) {
        const coins = Array.from({ length: 10 }, (_, i) => (bits >> i) & 1);
        const left = [4, 7, 10].some((n) => {
          const { low, high } = cached(coins.slice(0, n));
          return !(low <= p && p <= high);
        });
        if (left) out += coins.reduce((product, x) => product * (x ? p : 1 - p), 1);
      }
      expect(out).toBeLessThanOrEqual(0.05);
    }
  });
});

const known = new Map<string, { low: number; high: number }>();
/** Only the counts matter. */
function cached(coins: readonly number[]): { low: number; high: number } {
  const name = `${coins.reduce((a, b) => a + b, 0)} of ${coins.length}`;
  const interval = known.get(name) ?? betting(coins);
  known.set(name, interval);
  return interval;
}

describe("confidence sequence", () => {
  test("by hand: none of n under the uniform mixture, 1 − (α/(n + 1))^(1/n)", () => {
    const { low, high } = confidenceSequence(0, 20, { prior: [1, 1] });
    expect(low).toBe(0);
    expect(high).toBeCloseTo(1 - (0.05 / 21) ** (1 / 20), 12);
    expect(confidenceSequence(0, 0).why).toBe("there are no values yet");
  });

  test("the mixture is a martingale: over all sequences of 8 its mean at the true p is 1, and it exceeds 20 in at most 5%", () => {
    const p = 0.3;
    let out = 0;
    for (let bits = 0; bits < 256; bits++) {
      let [sum, probability, left] = [0, 1, false];
      for (let i = 0; i < 8; i++) {
        const x = (bits >> i) & 1;
        sum += x;
        probability *= x ? p : 1 - p;
        const { low, high } = confidenceSequence(sum, i + 1);
        left ||= !((low as number) <= p && p <= (high as number));
      }
      if (left) out += probability;
    }
    expect(out).toBeLessThanOrEqual(0.05);
  });

  test.each([0.5, 0.05, 0.99])(
    "p = %f looked at after each of 1000: the sequence holds it, Wilson's interval does not",
    (p) => {
      const runs = 100;
      let [held, wilsonHeld] = [0, 0];
      for (let run = 0; run < runs; run++) {
        const stream = random(fold(key(12), run));
        let [sum, inside, wilsonInside] = [0, true, true];
        for (let n = 1; n <= 1000; n++) {
          sum += Number(stream.uniform() < p);
          if (n % 5 > 0 && n > 50) continue; // looked at less often, to save time
          const { low, high } = confidenceSequence(sum, n);
          inside &&= (low as number) <= p && p <= (high as number);
          const fixed = wilson(sum, n);
          wilsonInside &&= fixed.low <= p && p <= fixed.high;
        }
        held += Number(inside);
        wilsonHeld += Number(wilsonInside);
      }
      expect(held / runs).toBeGreaterThan(leastOf(runs));
      expect(wilsonHeld / runs).toBeLessThan(0.8);
    },
  );

  test("holds for any values within bounds", () => {
    const interval = (values: number[]) =>
      confidenceSequence(2 * values.reduce((a, b) => a + b) - values.length, values.length, {
        within: { low: -1, high: 1 },
      });
    for (const count of [10, 100])
      expect(coverage(200, count, (stream) => drawBeta(0.5, 2, stream), 2 * 0.2 - 1, interval)).toBeGreaterThan(
        leastOf(200),
      );
  });
});
