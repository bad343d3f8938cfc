import { describe, expect, test } from "vitest";
import { type Chain, play, posterior, randomChain, totalVariation, wordsOf } from "../../../test/helpers/chain.ts";
import { solve } from "../../../test/helpers/solve.ts";
import { key } from "../../key.ts";
import { multinomial, type ResampleName, resamplers } from "../../math/resampling.ts";
import { scripted } from "../../models/scripted.ts";
import { tabular } from "../../models/tabular.ts";
import { type TextState, text } from "../../policies/text.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { custom } from "../../scorers/custom.ts";
import { likelihood } from "../../scorers/likelihood.ts";
import { sample } from "../sampling/sample.ts";
import type { ParticleOutcome } from "./outcome.ts";
import { entropic, particleFilter, type ParticleFilterOptions } from "./particle-filter.ts";
import {
  likelihoodWeight,
  oddsWeight,
  potential,
  probabilityWeight,
  rewardWeight,
  verdictWeight,
} from "./potential.ts";

/** Likes a's, dislikes that there is a b; what it likes early it may take back. */
const liking = (word: string): number =>
  0.7 * [...word].filter((letter) => letter === "a").length - (word.includes("b") ? 1 : 0);
const likes: Scorer<string> = {
  name: "likes",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: liking(state) }),
};
const evenA = (word: string): boolean => [...word].filter((letter) => letter === "a").length % 2 === 0;
const isEven: Scorer<string> = {
  name: "even",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: evenA(state) }),
};
const guide = potential(likes, rewardWeight(1));
const chain = randomChain(3);
const prefixesOf = (word: string): string[] => Array.from(word, (_, i) => word.slice(0, i + 1));

const lawOf = ({ candidates, weights }: ParticleOutcome<string>): Map<string, number> => {
  const law = new Map<string, number>();
  for (const [i, { state }] of candidates.entries()) law.set(state, (law.get(state) ?? 0) + (weights[i] as number));
  return law;
};

/** Every word's part of Z, and Z itself, within 4 standard errors over seeds: 8 comparisons, false alarms 0.05%; fixed seeds. */
function expectProper(
  options: ParticleFilterOptions<string>,
  logWeight: (word: string) => number,
  {
    runs = 250,
    of = chain,
    fails = () => false,
  }: { runs?: number; of?: Chain; fails?: (seed: number) => boolean } = {},
): void {
  const { law, logZ } = posterior(of, logWeight);
  const sums = new Map<string, [number, number]>([
    ["Z", [0, 0]],
    ...[...law.keys()].map((word): [string, [number, number]] => [word, [0, 0]]),
  ]);
  for (let seed = 0; seed < runs; seed++) {
    const outcome = play(of, particleFilter({ particles: 5, ...options }), seed, fails);
    const z = Math.exp(outcome.logZ ?? Number.NaN);
    const found = lawOf(outcome);
    for (const [word, sum] of sums) {
      const value = word === "Z" ? z : z * (found.get(word) ?? 0);
      sum[0] += value;
      sum[1] += value * value;
    }
  }
  for (const [word, [sum, squares]] of sums) {
    const mean = sum / runs;
    const error = Math.sqrt((squares / runs - mean ** 2) / (runs - 1));
    const expected = Math.exp(logZ) * (word === "Z" ? 1 : (law.get(word) as number));
    expect(Math.abs(mean - expected), `part of '${word}'`).toBeLessThanOrEqual(4 * error + 1e-12);
  }
}

describe("the weights are proper", () => {
  test.each(Object.keys(resamplers) as ResampleName[])("resampling always, %s", (name) => {
    expectProper({ potential: guide, resample: resamplers[name], threshold: 1 }, liking);
  });

  const product = (word: string) => prefixesOf(word).reduce((sum, prefix) => sum + liking(prefix), 0);
  const last = (word: string) => (evenA(word) ? 0 : -Infinity);
  const cases: Record<string, [ParticleFilterOptions<string>, (word: string) => number]> = {
    "no potential": [{}, () => 0],
    "never resampling": [{ potential: guide, threshold: 0 }, liking],
    "resampling by need": [{ potential: guide, threshold: 0.7 }, liking],
    multiplying: [{ potential: guide, accumulate: "multiply", threshold: 1 }, product],
    tempered: [{ potential: guide, temper: 4, threshold: 1 }, liking],
    "tempered by a function, up and down": [
      { potential: guide, temper: (step) => [0, 2, -1][step % 3] as number, threshold: 1 },
      liking,
    ],
    "multiplying and tempered": [{ potential: guide, accumulate: "multiply", temper: 3, threshold: 0.9 }, product],
    annealed: [{ potential: guide, anneal: entropic({ maxSteps: 8, threshold: 1, early: 1 }), threshold: 1 }, liking],
    "a terminal potential": [
      { potential: guide, terminal: potential(isEven), threshold: 1 },
      (word) => liking(word) + last(word),
    ],
    "a terminal potential alone": [{ terminal: potential(isEven), threshold: 1 }, last],
    "a look ahead that is taken back": [
      { potential: guide, lookahead: true, terminal: potential(isEven), threshold: 1 },
      last,
    ],
    "a wrong look ahead, with nothing at the end": [{ potential: guide, lookahead: true, threshold: 1 }, () => 0],
    "cut answers weigh 0": [
      { potential: guide, isCut: (word) => word.length > 2, threshold: 1 },
      (word) => (word.length > 2 ? -Infinity : liking(word)),
    ],
    "no more than two steps": [
      { potential: guide, maxSteps: 2, threshold: 1 },
      (word) => (word.length > 2 ? -Infinity : liking(word)),
    ],
    "one particle": [{ particles: 1, potential: guide }, liking],
  };
  test.each(Object.entries(cases))("%s", (_, [options, logWeight]) => expectProper(options, logWeight));

  test("drawn from another law than the model's, and corrected", () => {
    const skewed: Chain = { ...chain, proposal: (word) => (word.length >= 2 ? chain.law(word) : [0.2, 0.5, 0.3]) };
    expectProper({ potential: guide, correct: true, threshold: 0.7 }, liking, { of: skewed });
    expectProper({ correct: true, threshold: 1 }, () => 0, { of: skewed });
    // Not corrected, the target is the law that is drawn from.
    const drawn = { ...chain, law: skewed.proposal as Chain["law"] };
    const { logZ } = posterior(drawn, liking);
    const runs = Array.from({ length: 400 }, (_, seed) =>
      Math.exp(play(skewed, particleFilter({ particles: 6, potential: guide }), seed).logZ as number),
    );
    const mean = runs.reduce((sum, z) => sum + z) / runs.length;
    const error = Math.sqrt(runs.reduce((sum, z) => sum + (z - mean) ** 2, 0)) / runs.length;
    expect(Math.abs(mean - Math.exp(logZ))).toBeLessThan(4 * error);
  });

  // p(x)^2 / Z: not what half the temperature at each letter draws, but as a proposal that is near to it.
  test("the model's law to a power, from its own draws and from draws at a lower temperature", () => {
    const half = (word: string): number[] => {
      const squares = chain.law(word).map((p) => p * p);
      return squares.map((square) => square / squares.reduce((sum, one) => sum + one));
    };
    const logs = new Map(wordsOf(chain).map(([word, p]) => [word, Math.log(p)]));
    const squared = potential(likelihood<string>(), likelihoodWeight(1));
    const logOf = (word: string) => logs.get(word) as number;
    expectProper({ potential: squared, threshold: 0.7 }, logOf);
    expectProper({ potential: squared, threshold: 0.7, correct: true }, logOf, { of: { ...chain, proposal: half } });
    const byLetter = new Map(wordsOf({ ...chain, law: half }));
    expect(totalVariation(byLetter, posterior(chain, logOf).law)).toBeGreaterThan(0.05);
  });

  test("replies that fail by chance take particles away, not weight", () => {
    let lost = 0;
    const fails = (seed: number) => seed % 10 === 0;
    expectProper({ particles: 12, potential: guide, threshold: 1 }, liking, { fails });
    for (let seed = 0; seed < 20; seed++) lost += play(chain, particleFilter({ potential: guide }), seed, fails).lost;
    expect(lost).toBeGreaterThan(20);
  });

  test("weighing finished answers again and again is not", () => {
    const again = {
      potential: guide,
      accumulate: "multiply",
      threshold: 1,
      resample: multinomial,
      reweighFinished: true,
    } as const;
    expect(() => expectProper(again, product)).toThrow("part of");
  });
});

describe("known answers", () => {
  // Four answers: the distance of 2,000 independent draws has a mean of ½ Σ √(2 p (1 - p) / 2000 π) = 0.014 and a standard
  // deviation of 0.006; that of the mean of three runs 0.008 and 0.004. The standard error of log Z is 0.006.
  test("at 2,000 particles the weighted answers are within a total variation of 0.02 of the enumerated law", () => {
    const small = randomChain(5, "a.", 3);
    const { law, logZ } = posterior(small, (word) => 0.3 * liking(word));
    const mean = new Map<string, number>();
    for (let seed = 0; seed < 3; seed++) {
      const options = { particles: 2000, potential: potential(likes, rewardWeight(0.3)) };
      const outcome = play(small, particleFilter(options), seed);
      expect(Math.abs((outcome.logZ as number) - logZ)).toBeLessThan(0.025);
      const found = lawOf(outcome);
      expect(totalVariation(found, law)).toBeLessThan(0.038);
      for (const [word, weight] of found) mean.set(word, (mean.get(word) ?? 0) + weight / 3);
    }
    expect(totalVariation(mean, law)).toBeLessThan(0.02);
  });

  test("with the exact probability of a right end as its look ahead, every particle is right", () => {
    const right = (word: string) => wordsOf(chain, word).reduce((sum, [end, p]) => sum + (evenA(end) ? p : 0), 0);
    const oracle: Scorer<string> = {
      name: "oracle",
      kind: "probability",
      score: ({ state, done }) => ({ kind: "probability", value: done ? Number(evenA(state)) : right(state) }),
    };
    const { law, logZ } = posterior(chain, (word) => (evenA(word) ? 0 : -Infinity));
    const outcome = play(
      chain,
      particleFilter({
        particles: 1000,
        potential: potential(oracle, probabilityWeight),
        terminal: potential(isEven),
        lookahead: true,
        threshold: 1,
      }),
      1,
    );
    expect(outcome.candidates.every(({ state }) => evenA(state))).toBe(true);
    expect(totalVariation(lawOf(outcome), law)).toBeLessThan(0.06); // 4 answers, 1,000 draws: ½ Σ √(p (1 - p) / 1000) = 0.027
    expect(Math.abs((outcome.logZ as number) - logZ)).toBeLessThan(0.12); // 4 standard errors
  });

  test("one particle is plain sampling: the same letters from the same seed", () => {
    for (let seed = 0; seed < 20; seed++) {
      const alone = play(chain, particleFilter({ particles: 1, potential: guide }), seed);
      const drawn = play(chain, particleFilter({ particles: 1 }), seed);
      expect(alone.answer?.state).toBe(drawn.answer?.state);
      expect(alone.weights).toEqual([1]);
      expect(alone.logZ).toBeCloseTo(liking(alone.answer?.state as string), 12);
    }
    const { answer } = play(chain, sample<string>(), 1);
    expect(answer?.done).toBe(true);
  });

  test("finished particles are neither extended nor scored again", () => {
    const asked = new Map<string, number>();
    const counting: Scorer<string> = {
      ...likes,
      score(node, request) {
        asked.set(node.id, (asked.get(node.id) ?? 0) + 1);
        return likes.score(node, request);
      },
    };
    play(chain, particleFilter({ particles: 30, potential: potential(counting, rewardWeight(1)), threshold: 1 }), 1);
    expect(Math.max(...asked.values())).toBe(1);
  });

  test("on a language model: weights beside candidates, the heaviest answer, its mass as confidence", async () => {
    const model = tabular({ alphabet: "ab.", maxLength: 2, conditional: () => [0.3, 0.3, 0.4] });
    const scorer = custom<TextState>("a's", (text) => text.split("a").length - 1);
    const { outcome, text } = await solve(
      model,
      particleFilter<TextState>({
        particles: 500,
        potential: potential(scorer, rewardWeight(2)),
        canonical: ({ state }) => state.text,
      }),
    );
    // Z = 0.4 (1 + .3e² + .3) + .09 (e⁴ + 2e² + 1); of it "aa" has .09 e⁴ = 4.91 / 7.75
    expect(text).toBe("aa");
    expect(Math.abs((outcome?.confidence as number) - 0.634)).toBeLessThan(0.1); // 4 standard errors: 4 √(p (1 - p) / 400)
    expect(outcome?.weights.length).toBe(outcome?.candidates.length);
    expect(outcome?.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
    expect([...(outcome?.weights ?? [])].sort((a, b) => b - a)).toEqual(outcome?.weights);
    expect(outcome?.steps.length).toBe(3);
  });
});

describe("endings", () => {
  const never: Scorer<string> = { name: "never", kind: "verdict", score: () => ({ kind: "verdict", correct: false }) };

  test("where nothing weighs anything, Z is 0, and an answer is there without a confidence", () => {
    const outcome = play(chain, particleFilter({ terminal: potential(never), canonical: ({ state }) => state }), 1);
    expect(outcome.logZ).toBe(-Infinity);
    expect(outcome.answer?.done).toBe(true);
    expect(outcome.confidence).toBeUndefined();
    expect(new Set(outcome.weights)).toEqual(new Set([0]));
  });

  test("and it is the same one, whichever particle ends first", async () => {
    const answerAfter = async (delayOf: (seed: number) => number) => {
      const model = scripted({
        replies: ({ text: begun, seed }) =>
          begun === "" ? { text: `${seed % 97}\n` } : { text: "end", delayMs: delayOf(seed) },
      });
      const wrong: Scorer<TextState> = {
        name: "wrong",
        kind: "verdict",
        score: () => ({ kind: "verdict", correct: false }),
      };
      const search = particleFilter<TextState>({ particles: 6, threshold: 0, terminal: potential(wrong) });
      const result = await run(search, { id: "q", prompt: "" }, { policy: text(model, { step: "line" }), seed: 3 });
      return result.answer?.id;
    };
    expect(await answerAfter((seed) => seed % 13)).toBe(await answerAfter((seed) => 13 - (seed % 13)));
  });

  test("particles of weight 0 are not extended", () => {
    const outcome = play(chain, particleFilter({ potential: potential(never), threshold: 0 }), 1);
    expect([outcome.steps.length, outcome.logZ]).toEqual([1, -Infinity]);
  });

  test("where all fails there is no answer and no estimate", () => {
    const outcome = play(chain, particleFilter({ potential: guide }), 1, () => true);
    expect([outcome.answer, outcome.logZ, outcome.lost]).toEqual([undefined, undefined, 16]);
  });

  test("a spent budget leaves what was finished", async () => {
    const model = tabular({ alphabet: "ab.", maxLength: 5, conditional: () => [0.4, 0.3, 0.3] });
    const { outcome, stopped, answer } = await solve(model, particleFilter<TextState>(), { budget: { calls: 20 } });
    expect([stopped.why, answer?.done]).toEqual(["budget-spent", true]);
    expect(outcome?.lost).toBeGreaterThan(0);
    const none = await solve(model, particleFilter<TextState>(), { budget: { calls: 0 } });
    expect([none.stopped.why, none.answer]).toEqual(["budget-spent", undefined]);
  });

  test("without log-probabilities a correction says so", () => {
    const mute: Chain = { ...chain, proposal: (word) => chain.law(word).map(() => Number.NaN) };
    const blind = { ...mute, proposal: chain.law };
    expect(() => play(blind, particleFilter({ correct: true }), 1)).not.toThrow();
    const potentialOfNothing = potential<string>(
      { ...likes, score: () => ({ kind: "reward", value: 1e308 }) },
      rewardWeight(1e10),
    );
    expect(() => play(chain, particleFilter({ potential: potentialOfNothing }), 1)).toThrow("Cannot weigh");
  });
});

describe("settings", () => {
  test("maps to log-weights", () => {
    expect([verdictWeight.logWeight(1), verdictWeight.logWeight(0)]).toEqual([0, -Infinity]);
    expect(probabilityWeight.logWeight(0.25)).toBeCloseTo(Math.log(0.25), 15);
    expect(oddsWeight.logWeight(0.75)).toBeCloseTo(Math.log(3), 12);
    expect(oddsWeight.logWeight(1)).toBeCloseTo(-oddsWeight.logWeight(0), 6);
    expect([rewardWeight(2).logWeight(-3), likelihoodWeight().logWeight(-3)]).toEqual([-6, -3]);
  });

  test("a scale is never guessed", () => {
    expect(() => potential(likes)).toThrow("no map to log-weights");
    expect(() => potential(likes, probabilityWeight)).toThrow("takes a probability, and the scorer gives a reward");
    expect(() => rewardWeight(Number.NaN)).toThrow("finite number");
  });

  test("as data they tell two searches apart", () => {
    const { options } = particleFilter({ potential: guide, temper: 3, anneal: entropic({ maxSteps: 9 }) });
    expect(options).toMatchObject({
      potential: "1 × reward of likes",
      temper: 3,
      resample: "systematic",
      anneal: "entropic(9, 0.5, 0.5)",
    });
    expect(JSON.parse(JSON.stringify(options))).toEqual(options);
  });

  test("entropic annealing: warm while few particles are effective and the end is far", () => {
    const anneal = entropic({ maxSteps: 10 });
    expect(anneal({ step: 3, effective: 0.3, entropy: 0.5 })).toBeCloseTo(1 / (0.5 + 0.5 * 0.3), 12);
    expect(anneal({ step: 3, effective: 0.6, entropy: 0.5 })).toBe(1);
    expect(anneal({ step: 5, effective: 0.3, entropy: 0.5 })).toBe(1);
  });

  test.each([
    ["particles", 0],
    ["threshold", 1.5],
    ["threshold", Number.NaN],
    ["maxSteps", 0],
    ["temper", -1],
    ["lookahead", true],
    ["reweighFinished", true],
  ])("refuses %s = %o by name", (name, value) => {
    expect(() => particleFilter({ [name]: value })).toThrow(`'${name}'`);
  });
});

test("keys: the population of one seed is that of the same seed again, and of no other", () => {
  const states = (seed: number) =>
    play(chain, particleFilter({ potential: guide, threshold: 1 }), seed).candidates.map(({ state }) => state);
  expect(states(4)).toEqual(states(4));
  expect(states(4)).not.toEqual(states(5));
  expect(key(4)).not.toEqual(key(5));
});
