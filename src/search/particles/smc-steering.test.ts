import { describe, expect, test } from "vitest";
import { play, posterior, randomChain, totalVariation, wordsOf } from "../../../test/helpers/chain.ts";
import type { Scorer } from "../../scorer.ts";
import type { ParticleOutcome } from "./outcome.ts";
import { potential, rewardWeight } from "./potential.ts";
import { smcSteering, type SmcSteeringOptions } from "./smc-steering.ts";

const liking = (word: string): number =>
  [...word].filter((letter) => letter === "a").length - (word.includes("b") ? 1 : 0);
const likes: Scorer<string> = {
  name: "likes",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: liking(state) }),
};
const guide = potential(likes, rewardWeight(0.7));
const chain = randomChain(4, "ab.", 3);
const { law, logZ } = posterior(chain, (word) => 0.7 * liking(word));
const same = (word: string): string => word;
const lawOf = ({ candidates, weights }: ParticleOutcome<string>) =>
  new Map(candidates.map(({ state }, i) => [state, weights[i] as number]));

test("with all steps listed and room for all answers it is exact enumeration", () => {
  const outcome = play(chain, smcSteering({ particles: 15, factor: 3, draw: "top", potential: guide }), 1);
  expect(outcome.logZ).toBeCloseTo(logZ, 12);
  expect(totalVariation(lawOf(outcome), law)).toBeLessThan(1e-12);
  expect(outcome.candidates.length).toBe(wordsOf(chain).length);
  expect(outcome.lost).toBe(0);
});

// 16 comparisons at 4 standard errors: false alarms 0.1%; the seeds are fixed.
describe("weights are right on average", () => {
  const cases: Record<string, SmcSteeringOptions<string>> = {
    listed: { draw: "top", particles: 3 },
    "listed, one particle": { draw: "top", particles: 1 },
    drawn: { particles: 3, factor: 2 },
    "drawn and merged": { particles: 3, factor: 3, distinct: same },
    "drawn, the potential multiplied in": { particles: 3, accumulate: "multiply", distinct: same },
    "listed, a look ahead taken back": { draw: "top", particles: 3, lookahead: true },
  };
  test.each(Object.entries(cases))("%s", (_, options) => {
    const target = posterior(chain, (word) =>
      options.lookahead
        ? 0
        : options.accumulate === "multiply"
          ? Array.from(word, (_, i) => 0.7 * liking(word.slice(0, i + 1))).reduce((sum, log) => sum + log)
          : 0.7 * liking(word),
    );
    const runs = 300;
    const sums = new Map(["Z", ...target.law.keys()].map((word) => [word, [0, 0] as [number, number]]));
    for (let seed = 0; seed < runs; seed++) {
      const outcome = play(chain, smcSteering({ potential: guide, ...options }), seed);
      const z = Math.exp(outcome.logZ as number);
      const weights = new Map<string, number>();
      for (const [i, { state }] of outcome.candidates.entries())
        weights.set(state, (weights.get(state) ?? 0) + (outcome.weights[i] as number));
      for (const [word, sum] of sums) {
        const value = word === "Z" ? z : z * (weights.get(word) ?? 0);
        sum[0] += value;
        sum[1] += value * value;
      }
    }
    for (const [word, [sum, squares]] of sums) {
      const mean = sum / runs;
      const error = Math.sqrt((squares / runs - mean ** 2) / (runs - 1));
      const expected = Math.exp(target.logZ) * (word === "Z" ? 1 : (target.law.get(word) as number));
      expect(Math.abs(mean - expected), `part of '${word}'`).toBeLessThanOrEqual(4 * error + 1e-12);
    }
  });
});

test("no answer is there twice where equal ones are merged, and no more than there are particles", () => {
  for (let seed = 0; seed < 20; seed++) {
    const { candidates, weights, steps } = play(
      chain,
      smcSteering({ particles: 5, distinct: same, potential: guide }),
      seed,
    );
    expect(new Set(candidates.map(({ state }) => state)).size).toBe(candidates.length);
    expect(candidates.length).toBeLessThanOrEqual(5);
    expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect(steps.some(({ resampled }) => resampled)).toBe(true);
  }
});

test("a constraint that nothing keeps to: Z is 0, and the answer one that was seen", () => {
  const never: Scorer<string> = { name: "never", kind: "verdict", score: () => ({ kind: "verdict", correct: false }) };
  const outcome = play(chain, smcSteering({ terminal: potential(never) }), 1);
  expect([outcome.logZ, outcome.candidates.length, outcome.answer?.done]).toEqual([-Infinity, 0, true]);
});

test("replies that fail leave their weight to the others", () => {
  const runs = Array.from({ length: 300 }, (_, seed) =>
    play(chain, smcSteering({ particles: 6, potential: guide }), seed, (one) => one % 10 === 0),
  );
  const z = runs.map((run) => Math.exp(run.logZ as number));
  const mean = z.reduce((sum, one) => sum + one) / z.length;
  const error = Math.sqrt(z.reduce((sum, one) => sum + (one - mean) ** 2, 0)) / z.length;
  expect(Math.abs(mean - Math.exp(logZ))).toBeLessThan(4 * error);
  expect(runs.reduce((sum, run) => sum + run.lost, 0)).toBeGreaterThan(300);
});

test.each([
  ["particles", { particles: 0 }],
  ["factor", { factor: 0 }],
  ["correct", { draw: "top", correct: true }],
] as const)("refuses what makes no sense of %s", (name, options) => {
  expect(() => smcSteering(options)).toThrow(`'${name}'`);
});
