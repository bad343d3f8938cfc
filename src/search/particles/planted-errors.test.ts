/**
 * A scorer that errs, in equal calls: a beam follows it, a particle filter follows it by chance. The scorer knows the
 * probability of a right end exactly, but for a share of the partial answers, of which it is as sure as it is wrong.
 */
import { expect, test } from "vitest";
import { type Chain, play, wordsOf } from "../../../test/helpers/chain.ts";
import { fold, key, seedOf } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Scorer } from "../../scorer.ts";
import { beam } from "../beam/beam.ts";
import { particleFilter } from "./particle-filter.ts";
import { potential, probabilityWeight } from "./potential.ts";

/** Words of four letters; one in thirty-two is right. Beginnings differ in how many right ends they have. */
function riddle(
  seed: number,
  errors: number,
): { chain: Chain; scorer: Scorer<string>; isRight: (word: string) => boolean } {
  const chance = (what: string): number => random(fold(key(seed), what)).uniform();
  const chain: Chain = {
    letters: "abcd.",
    maxLength: 4,
    law: (word) => (word.length === 4 ? [0, 0, 0, 0, 1] : [0.25, 0.25, 0.25, 0.25, 0]),
  };
  const isRight = (word: string): boolean => word.endsWith(".") && chance(word) < chance(word[0] as string) ** 2 / 10;
  const values = new Map<string, number>();
  const value = (word: string): number => {
    const known = values.get(word) ?? wordsOf(chain, word).reduce((sum, [end, p]) => sum + (isRight(end) ? p : 0), 0);
    values.set(word, known);
    return known;
  };
  const scorer: Scorer<string> = {
    name: "erring",
    kind: "probability",
    score({ state, done }) {
      const errs = !done && seedOf(fold(key(seed), `error ${state}`)) % 1000 < 1000 * errors;
      const truth = done ? Number(isRight(state)) : value(state);
      return { kind: "probability", value: errs ? (truth === 0 ? 0.5 : 0.001) : Math.max(truth, done ? 0 : 0.001) };
    },
  };
  return { chain, scorer, isRight };
}

/** Share of riddles solved, each method with 16 steps and 16 scores a level. */
function solved(errors: number, riddles: number): { filtered: number; beamed: number } {
  let [filtered, beamed] = [0, 0];
  for (let seed = 0; seed < riddles; seed++) {
    const { chain, scorer, isRight } = riddle(seed, errors);
    const filter = particleFilter<string>({
      particles: 16,
      potential: potential(scorer, probabilityWeight),
      temper: 4,
    });
    if (isRight(play(chain, filter, seed).answer?.state ?? "")) filtered++;
    const search = beam<string>({ width: 4, branch: 4, draw: "top", scorer });
    if (isRight(play(chain, search, seed).answer?.state ?? "")) beamed++;
  }
  return { filtered: filtered / riddles, beamed: beamed / riddles };
}

// The difference of the two losses is 0.2 and its standard error 0.05; all is seeded.
test("a beam is better by a scorer that is right; with errors planted the filter loses less, and is better", () => {
  const right = solved(0, 200);
  const erring = solved(0.3, 200);
  expect(right.beamed).toBeGreaterThan(right.filtered);
  expect(right.filtered - erring.filtered).toBeLessThan(right.beamed - erring.beamed);
  expect(erring.filtered).toBeGreaterThan(erring.beamed);
});
