import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { majority } from "../aggregators/majority.ts";
import { logBeta } from "../math/special.ts";
import { drawBeta } from "../math/distributions.ts";
import { random } from "../math/random.ts";
import type { Node } from "../node.ts";
import {
  bestOfK,
  type Candidate,
  curve,
  majAtK,
  passAtK,
  passHatK,
  ranked,
  type Tally,
  tally,
  votes,
} from "./pass-at-k.ts";

/** All ordered draws of k of the items. */
function* draws<T>(items: readonly T[], k: number): Generator<T[]> {
  if (k === 0) yield [];
  else
    for (const [i, item] of items.entries())
      for (const rest of draws([...items.slice(0, i), ...items.slice(i + 1)], k - 1)) yield [item, ...rest];
}

function average<T>(items: readonly T[], k: number, of: (drawn: readonly T[]) => number): number {
  let [sum, count] = [0, 0];
  for (const drawn of draws(items, k)) {
    sum += of(drawn);
    count++;
  }
  return sum / count;
}

const pool = (samples: number, correct: number): Candidate[] =>
  Array.from({ length: samples }, (_, i) => ({ correct: i < correct }));

describe("pass@k and pass^k", () => {
  test("by hand: 2 right of 4", () => {
    expect(passAtK({ samples: 4, correct: 2 }, 2).value).toBeCloseTo(1 - 1 / 6, 15);
    expect(passHatK({ samples: 4, correct: 2 }, 2).value).toBeCloseTo(1 / 6, 15);
    expect(passAtK({ samples: 4, correct: 0 }, 3)).toEqual({ value: 0 });
    expect(passAtK({ samples: 4, correct: 2 }, 3)).toEqual({ value: 1 });
    expect(passAtK({ samples: 4, correct: 1 }, 1).value).toBe(0.25);
  });

  test("they are averages over all subsets", () => {
    for (const [samples, correct, k] of [
      [6, 2, 3],
      [5, 4, 2],
      [6, 3, 5],
      [6, 1, 6],
    ] as const) {
      // biome-ignore format: triples
      const items = pool(samples, correct);
      const any = average(items, k, (drawn) => Number(drawn.some((one) => one.correct)));
      const all = average(items, k, (drawn) => Number(drawn.every((one) => one.correct)));
      expect(passAtK(tally(items), k).value).toBeCloseTo(any, 12);
      expect(passHatK(tally(items), k).value).toBeCloseTo(all, 12);
    }
  });

  test("stable where binomial coefficients overflow", () => {
    // C(10⁶ − 1, k)/C(10⁶, k) = 1 − k/10⁶
    expect(passAtK({ samples: 1e6, correct: 1 }, 250_000).value).toBeCloseTo(0.25, 12);
    expect(passAtK({ samples: 10_000, correct: 5000 }, 5000).value).toBe(1);
    expect(passHatK({ samples: 1e6, correct: 1e6 - 1 }, 250_000).value).toBeCloseTo(0.75, 12);
  });

  test("more k than samples is undefined, and says so; nonsense is refused", () => {
    expect(passAtK({ samples: 3, correct: 1 }, 4)).toEqual({
      value: undefined,
      why: "pass@k with k = 4 needs as many samples, there are 3",
    });
    expect(passAtK({ samples: 0, correct: 0 }, 1).value).toBeUndefined();
    expect(() => passAtK({ samples: 3, correct: 4 }, 1)).toThrow("'correct' must be a whole number in [0, 3]");
    expect(() => passAtK({ samples: 3, correct: 1 }, 0)).toThrow("'k'");
  });
});

const candidate = fc.record({
  correct: fc.boolean(),
  score: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  answer: fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }),
});
const pools = fc.array(candidate, { minLength: 1, maxLength: 6 });

describe("best of k", () => {
  const firstBest = (drawn: readonly Candidate[]): number => {
    const best = drawn.reduce((a, b) => ((b.score ?? -1) > (a.score ?? -1) ? b : a));
    return Number(best.correct);
  };
  test("is the average over all draws, ties to the earliest, the unscored last", () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 1, max: 6 }), (items, k) => {
        fc.pre(k <= items.length);
        expect(bestOfK(ranked(items), k).value).toBeCloseTo(average(items, k, firstBest), 10);
      }),
      { seed: 1, numRuns: 60 },
    );
  });
  test("by hand: a verifier that likes a wrong one most gets worse with k", () => {
    const items = [3, 2, 1, 0].map((score) => ({ score, correct: score < 3 }));
    expect([1, 2, 3, 4].map((k) => bestOfK(ranked(items), k).value)).toEqual([0.75, 0.5, 0.25, 0]);
  });
  test("of a pool too small there is none", () => {
    expect(bestOfK(ranked([]), 1).why).toBe("best-of-k with k = 1 needs as many samples, there are 0");
    // NaN is no score: the other one wins whenever it is there.
    const items = [
      { correct: true, score: Number.NaN },
      { correct: false, score: -9 },
    ];
    expect([1, 2].map((k) => bestOfK(ranked(items), k).value)).toEqual([0.5, 0]);
  });
});

describe("maj@k", () => {
  const { aggregate } = majority<Candidate>({ canonical: ({ state }) => state.answer });
  const vote = (drawn: readonly Candidate[]): number => {
    const nodes = drawn.map((state, i) => ({ id: `0.${i}.0#0`, state }) as unknown as Node<Candidate>);
    return Number((aggregate(nodes).answer ?? nodes[0])?.state.correct);
  };
  test("is the average of the votes of all draws", () => {
    fc.assert(
      fc.property(pools, fc.integer({ min: 1, max: 6 }), (items, k) => {
        fc.pre(k <= items.length);
        expect(majAtK(votes(items), k).value).toBeCloseTo(average(items, k, vote), 10);
      }),
      { seed: 2, numRuns: 60 },
    );
  });
  test("drawn subsets agree with the exact average within their standard error", () => {
    const stream = random(5);
    const items = Array.from({ length: 60 }, () => {
      const answer = `${Math.floor(stream.uniform() ** 2 * 12)}`;
      return { answer, correct: answer === "0" };
    });
    for (const k of [3, 10, 25]) {
      const exact = majAtK(votes(items), k);
      const drawn = majAtK(votes(items), k, { work: 0, draws: 4000 });
      expect(exact.standardError).toBe(0);
      expect(Math.abs((drawn.value as number) - (exact.value as number))).toBeLessThan(
        4.5 * (drawn.standardError as number), // false alarm: 7e-6 each
      );
    }
  });
  test("coverage grows where the majority has long been wrong", () => {
    // 20% right, 30% of one wrong answer: the vote ends at 0, any-of-k at 1.
    const items = Array.from({ length: 100 }, (_, i) => ({
      answer: i < 20 ? "right" : i < 50 ? "wrong" : `${i}`,
      correct: i < 20,
    }));
    const [one, many] = [majAtK(votes(items), 1), majAtK(votes(items), 90)];
    expect(one.value).toBeCloseTo(0.2, 10);
    expect(many.value).toBeLessThan(0.001);
    expect(passAtK(tally(items), 90).value).toBeCloseTo(1, 12);
  });
});

describe("curves", () => {
  test("are means over problems; k beyond the smallest pool has none", () => {
    const problems = [
      { samples: 4, correct: 2 },
      { samples: 2, correct: 0 },
    ];
    const [one, three] = curve(problems, passAtK, [1, 3]);
    expect(one).toMatchObject({ k: 1, value: 0.25 });
    expect(three).toEqual({
      k: 3,
      value: undefined,
      low: undefined,
      high: undefined,
      why: "problem 1: pass@k with k = 3 needs as many samples, there are 2",
    });
    expect(curve([], passAtK, [1])[0]?.why).toBe("there are no values");
    expect(curve(problems, passAtK, [])).toEqual([]);
  });

  // Success rates from Beta(a, b): E pass@k = 1 − B(a, b + k)/B(a, b), E pass^k = B(a + k, b)/B(a, b).
  test.each([
    [10, 0.5, 1.5],
    [30, 0.5, 1.5],
    [100, 0.2, 5],
    [1000, 0.2, 5],
  ])("of %i problems with Beta(%f, %f) rates hold the truth in 95%", (count, a, b) => {
    const runs = count > 500 ? 60 : 200;
    const ks = [1, 4, 16];
    const inside = ks.map(() => 0);
    for (let run = 0; run < runs; run++) {
      const stream = random(fold(key(20 + count), run));
      const problems: Tally[] = Array.from({ length: count }, () => {
        const p = drawBeta(a, b, stream);
        let correct = 0;
        for (let i = 0; i < 16; i++) correct += Number(stream.uniform() < p);
        return { samples: 16, correct };
      });
      for (const [i, { low, high }] of curve(problems, passAtK, ks, { resamples: 400, seed: run }).entries()) {
        const truth = 1 - Math.exp(logBeta(a, b + (ks[i] as number)) - logBeta(a, b));
        inside[i] = (inside[i] as number) + Number((low as number) <= truth && truth <= (high as number));
      }
    }
    const least = 0.95 - 3 * Math.sqrt((0.95 * 0.05) / runs); // false alarm: 0.1% each
    for (const covered of inside) expect(covered / runs).toBeGreaterThan(least);
  });
});
