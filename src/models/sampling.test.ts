import { expect, test } from "vitest";
import fc from "fast-check";
import { random } from "../math/random.ts";
import type { Sampling } from "../model.ts";
import { argmax, checkSampling, draw, transform } from "./sampling.ts";

const logs = (...probabilities: number[]): number[] => probabilities.map(Math.log);
const law = (probabilities: number[], sampling: Sampling): number[] =>
  [...transform(logs(...probabilities), sampling)].map((logQ) => Math.exp(logQ));

test("nothing asked for is the law itself, to the last bit", () => {
  const logProbs = logs(0.1, 0.2, 0.7);
  expect([...transform(logProbs, {})]).toEqual(logProbs);
  expect([...transform(logProbs, { topK: 3, topP: 1, minP: 0, temperature: 1 })]).toEqual(logProbs);
});

test.each<[Sampling, number[]]>([
  [{ temperature: 0 }, [0, 1, 0, 0]], // of two at 0.4 the lower id
  [{ temperature: 0.5 }, [0.01 / 0.34, 0.16 / 0.34, 0.16 / 0.34, 0.01 / 0.34]], // squares
  [{ temperature: 2 }, [0.1, 0.4, 0.4, 0.1].map((p) => Math.sqrt(p) / (2 * Math.sqrt(0.1) + 2 * Math.sqrt(0.4)))],
  [{ topK: 1 }, [0, 1, 0, 0]],
  [{ topK: 3 }, [1 / 9, 4 / 9, 4 / 9, 0]], // of two at 0.1 the lower id
  [{ topP: 0 }, [0, 1, 0, 0]], // never nothing
  [{ topP: 0.4 }, [0, 1, 0, 0]],
  [{ topP: 0.41 }, [0, 0.5, 0.5, 0]],
  [{ topP: 0.85 }, [1 / 9, 4 / 9, 4 / 9, 0]],
  [{ minP: 0.25 - 1e-9 }, [0.1, 0.4, 0.4, 0.1]],
  [{ minP: 0.26 }, [0, 0.5, 0.5, 0]],
  [{ topK: 3, topP: 0.88 }, [0, 0.5, 0.5, 0]], // 8/9 of what top-k left is 0.888..
  [{ minP: 0.26, temperature: 0.5 }, [0, 0.5, 0.5, 0]], // min-p looks at the law before temperature
  [{ minP: 0.2, temperature: 0.1 }, [0.1, 0.4, 0.4, 0.1].map((p) => p ** 10 / (2 * 0.1 ** 10 + 2 * 0.4 ** 10))],
])("%o of 0.1 0.4 0.4 0.1", (sampling, expected) => {
  law([0.1, 0.4, 0.4, 0.1], sampling).forEach((q, i) => expect(q).toBeCloseTo(expected[i] as number, 12));
});

test("a very low temperature neither overflows nor leaves the best token", () => {
  expect(law([0.1, 0.6, 0.3], { temperature: 1e-9 })).toEqual([0, 1, 0]);
});

const anyLaw = fc
  .array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 })
  .filter((weights) => weights.some((w) => w > 1e-3))
  .map((weights) => weights.map((w) => w / weights.reduce((a, b) => a + b)));
const anySampling = fc.record({
  temperature: fc.constantFrom(0, 0.3, 1, 1.7),
  topK: fc.integer({ min: 1, max: 50 }),
  topP: fc.double({ min: 0, max: 1, noNaN: true }),
  minP: fc.double({ min: 0, max: 1, noNaN: true }),
});

test("whatever is asked for is a law that holds the most probable token and keeps the order", () => {
  fc.assert(
    fc.property(anyLaw, anySampling, (probabilities, sampling) => {
      const q = law(probabilities, sampling);
      expect(q.reduce((a, b) => a + b)).toBeCloseTo(1, 9);
      expect(q[argmax(probabilities.map(Math.log))]).toBeGreaterThan(0); // two that differ in the last bit have one logarithm
      expect(q.filter((x) => x > 0).length).toBeLessThanOrEqual(sampling.topK);
      // What is kept is at least as probable as what is cut.
      const kept = probabilities.filter((_, i) => (q[i] as number) > 0);
      const cut = probabilities.filter((_, i) => q[i] === 0 && probabilities[i] !== 0);
      if (sampling.temperature > 0 && cut.length > 0)
        expect(Math.min(...kept)).toBeGreaterThanOrEqual(Math.max(...cut) * (1 - 1e-12));
    }),
    {
      examples: [
        [[0.33331131032023364, 0.3333443448398831, 0.3333443448398832], { temperature: 0, topK: 1, topP: 0, minP: 0 }],
      ],
    },
  );
});

test("top-p without its shortcut: the shortest list in order of probability that reaches it", () => {
  fc.assert(
    fc.property(anyLaw, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (probabilities, topP) => {
      const sorted = probabilities.toSorted((a, b) => b - a);
      let sum = 0;
      let count = 0;
      while (sum < topP && count < sorted.length) sum += sorted[count++] as number;
      if (Math.abs(sum - topP) < 1e-9 || Math.abs(sum - (sorted[count - 1] as number) - topP) < 1e-9) return; // rounding decides
      expect(law(probabilities, { topP }).filter((q) => q > 0).length).toBe(
        Math.min(count, probabilities.filter((p) => p > 0).length),
      );
    }),
  );
});

test.each<Sampling>([
  {},
  { temperature: 0.7 },
  { topK: 4, temperature: 1.5 },
  { topP: 0.8 },
  { minP: 0.1, temperature: 2 },
])("draws follow the law of %o", (sampling) => {
  const logQ = transform(logs(0.3, 0.02, 0.25, 0.03, 0.2, 0.05, 0.15), sampling);
  const stream = random(7);
  const draws = 20_000;
  const counts = new Array<number>(logQ.length).fill(0);
  for (let i = 0; i < draws; i++) (counts[draw(logQ, stream)] as number)++;
  let chiSquare = 0;
  logQ.forEach((logProb, i) => {
    const expected = draws * Math.exp(logProb);
    if (expected === 0) expect(counts[i]).toBe(0);
    else chiSquare += ((counts[i] as number) - expected) ** 2 / expected;
  });
  expect(chiSquare).toBeLessThan(38.3); // at most 6 degrees of freedom: one false alarm in a million
});

test.each([{ temperature: -1 }, { temperature: NaN }, { topK: 0 }, { topK: 1.5 }, { topP: 1.1 }, { minP: -0.1 }])(
  "%o is refused",
  (sampling) => {
    expect(() => checkSampling(sampling)).toThrow(RangeError);
  },
);
