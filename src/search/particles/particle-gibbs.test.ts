import { expect, test } from "vitest";
import { chiSquareP } from "../../../test/helpers/chi-square.ts";
import { type Chain, play, posterior, randomChain, totalVariation } from "../../../test/helpers/chain.ts";
import type { Scorer } from "../../scorer.ts";
import { particleGibbs, type ParticleGibbsOptions } from "./particle-gibbs.ts";
import { potential, rewardWeight } from "./potential.ts";

const liking = (word: string): number => [...word].reduce((sum, letter) => sum + ({ a: 1, b: -1 }[letter] ?? 0), 0);
const likes: Scorer<string> = {
  name: "likes",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: liking(state) }),
};
const guide = potential(likes, rewardWeight(0.6));
const chain = randomChain(21);

/** Every `thin`th retained answer of one long run. */
function visits(of: Chain, options: ParticleGibbsOptions<string>, iterations: number, thin: number): string[] {
  const { samples } = play(of, particleGibbs({ particles: 3, iterations, potential: guide, ...options }), 6);
  return samples.filter((_, i) => i % thin === thin - 1).map((path) => path.at(-1)?.state as string);
}

/** The p-value of answers against a law; false alarms of each test 0.1%, the seed is fixed. */
function fit(answers: readonly string[], law: ReadonlyMap<string, number>): number {
  const words = [...law.keys()];
  return chiSquareP(
    words.map((word) => answers.filter((answer) => answer === word).length),
    words.map((word) => law.get(word) as number),
  );
}

// With 3 particles a sweep keeps the retained path with probability about 1/3, so that after 4 hardly anything of it is left.
test.each([
  ["resampling at every step", {}],
  ["resampling by need", { threshold: 0.6 }],
  ["two particles", { particles: 2 }],
  ["tempered", { temper: 3 }],
] as const)("with few particles its samples have the target as their law, %s", (_, options) => {
  const { law } = posterior(chain, (word) => 0.6 * liking(word));
  expect(fit(visits(chain, options, 3000, "particles" in options ? 8 : 4), law)).toBeGreaterThan(0.001);
});

test("the product over the steps as target, with a constraint at the end", () => {
  const ends: Scorer<string> = {
    name: "an a in it",
    kind: "verdict",
    score: ({ state }) => ({ kind: "verdict", correct: state.includes("a") }),
  };
  const { law } = posterior(chain, (word) =>
    word.includes("a")
      ? Array.from(word, (_, i) => 0.6 * liking(word.slice(0, i + 1))).reduce((sum, log) => sum + log)
      : -Infinity,
  );
  const possible = new Map([...law].filter(([, p]) => p > 0));
  const answers = visits(chain, { accumulate: "multiply", terminal: potential(ends) }, 3000, 4);
  expect(answers.every((answer) => answer.includes("a"))).toBe(true);
  expect(fit(answers, possible)).toBeGreaterThan(0.001);
});

// A chain whose state is its last letter and its length: the state of a word "xxb" stands for all words of that end.
const steps = 4;
const stay = 0.75;
const markov: Chain = {
  letters: "ab.",
  maxLength: steps,
  law(word) {
    const last = word.at(-1);
    if (word.length === steps) return [0, 0, 1];
    return last === undefined ? [0.5, 0.5, 0] : last === "a" ? [stay, 1 - stay, 0] : [1 - stay, stay, 0];
  },
};
// Potentials of the last letter alone, so that the past of a letter does not matter for its future.
const lastLetter: Scorer<string> = {
  name: "last letter",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: { a: 0.8, b: -0.8 }[state.at(-1) as string] ?? 0 }),
};
const transition = (from: string, to: string): number =>
  Math.log(markov.law(from)["ab.".indexOf(to.at(-1) as string)] as number);

test.each([
  ["multiply", {}],
  ["telescope", {}],
  ["multiply", { temper: 3 }],
  ["telescope", { temper: 3, threshold: 0.9 }],
] as const)("ancestor sampling keeps the law of whole paths, potentials that %s, %o", (accumulate, options) => {
  const search = particleGibbs<string>({
    particles: 3,
    iterations: 3000,
    accumulate,
    potential: potential(lastLetter, rewardWeight(1)),
    transition,
    ...options,
  });
  const { samples } = play(markov, search, 9);
  // After ancestor sampling the path is that of the sample, letter by letter; the tree's words have other beginnings.
  const paths = samples.map((path) => path.map(({ state }) => state.at(-1)).join(""));
  const value = (word: string): number =>
    accumulate === "telescope"
      ? 0 // the end itself has potential 1
      : [...word].reduce((sum, letter) => sum + ({ a: 0.8, b: -0.8 }[letter] ?? 0), 0);
  const { law } = posterior(markov, value);
  const found = new Map<string, number>();
  const thinned = paths.filter((_, i) => i % 2 === 1);
  for (const path of thinned) found.set(path, (found.get(path) ?? 0) + 1 / thinned.length);
  // 16 paths, 1,500 samples: ½ Σ √(2 p (1 - p) / 1500 π) is 0.04 at most for any law, a little more as they are not independent.
  expect(totalVariation(found, law)).toBeLessThan(0.055);
});

test("ancestor sampling renews the beginning of the path, which conditional sampling hardly does", () => {
  const changes = (options: ParticleGibbsOptions<string>): number => {
    const search = particleGibbs<string>({
      particles: 3,
      iterations: 600,
      accumulate: "multiply",
      potential: potential(lastLetter, rewardWeight(1)),
      ...options,
    });
    const firsts = play(markov, search, 2).samples.map(([first]) => first?.id);
    return firsts.filter((id, i) => i > 0 && id !== firsts[i - 1]).length;
  };
  expect(changes({ transition })).toBeGreaterThan(1.3 * changes({}));
});

test("retained steps cost nothing: a sweep of 5 particles asks for 4 first letters after the first one", () => {
  const asked: number[] = [];
  const search = particleGibbs<string>({ particles: 5, iterations: 3 });
  const counted: Chain = { ...chain, proposal: (word) => (word === "" && asked.push(1), chain.law(word)) };
  play(counted, search, 1);
  expect(asked.length).toBe(5 + 4 + 4);
});

test("the outcome: weights of all sweeps, Z of the first, a sample of each", () => {
  const { logZ } = posterior(chain, (word) => 0.6 * liking(word));
  const outcome = play(
    chain,
    particleGibbs({ particles: 200, iterations: 5, potential: guide, canonical: ({ state }) => state }),
    3,
  );
  expect(outcome.samples.length).toBe(5);
  expect(outcome.weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 10);
  expect(Math.abs((outcome.logZ as number) - logZ)).toBeLessThan(0.2); // 4 standard errors of 200 particles
  const { law } = posterior(chain, (word) => 0.6 * liking(word));
  const [mode] = [...law].sort(([, a], [, b]) => b - a)[0] as [string, number];
  expect(outcome.answer?.state).toBe(mode);
});

test("where no answer weighs anything, every sweep starts afresh", () => {
  const never: Scorer<string> = { name: "never", kind: "verdict", score: () => ({ kind: "verdict", correct: false }) };
  const { samples, answer, weights } = play(chain, particleGibbs({ terminal: potential(never), iterations: 3 }), 1);
  expect([samples.length, answer?.done, new Set(weights)]).toEqual([0, true, new Set([0])]);
});

test.each([
  ["particles", 1],
  ["iterations", 0],
  ["threshold", 2],
])("refuses %s = %d by name", (name, value) => {
  expect(() => particleGibbs({ [name]: value })).toThrow(`'${name}'`);
});
