/**
 * Words of estimative probability, as "highly likely", and what follows from them.
 *
 * The numbers are medians of a survey of people, Fagen-Ulmschneider 2015, "Perception of Probability Words", University of Illinois,
 * as Sileo & Moens 2022, arXiv:2211.03358, use them; certain and impossible are theirs. People differ: "highly likely" is 0.90 ± 0.08.
 */
import type { Interval } from "./intervals.ts";

export const estimativeWords: Readonly<Record<string, number>> = {
  certain: 1,
  "almost certain": 0.95,
  "highly likely": 0.9,
  "very good chance": 0.8,
  "we believe": 0.75,
  likely: 0.7,
  probable: 0.7,
  probably: 0.7,
  "better than even": 0.6,
  "about even": 0.5,
  "probably not": 0.25,
  "we doubt": 0.2,
  unlikely: 0.2,
  improbable: 0.1,
  "little chance": 0.1,
  "chances are slight": 0.1,
  "highly unlikely": 0.05,
  "almost no chance": 0.02,
  impossible: 0,
};

// Longer ones first: "highly unlikely" is not "unlikely". "certainly" is "certain".
const anyWord = new RegExp(
  `\\b(${Object.keys(estimativeWords)
    .toSorted((a, b) => b.length - a.length)
    .join("|")})(?:ly)?\\b`,
  "gi",
);

// "Not likely", and "more likely": neither is a word of the table.
const changed = /(?:\b(?:not|more|most|less|least|very|extremely)|n['’]t)\s+$/i;

/**
 * The one word that a text says, in the form of the table; undefined where it says none, several that differ, or one that is
 * denied, compared or made stronger: "very likely" is not in the table.
 */
export function estimativeWordIn(text: string): string | undefined {
  const found = Array.from(text.matchAll(anyWord), (match) => ({
    word: (match[1] as string).toLowerCase(),
    isChanged: changed.test(text.slice(0, match.index)),
  }));
  const [first] = found;
  if (!first || found.some(({ word, isChanged }) => isChanged || word !== first.word)) return undefined;
  return first.word;
}

/**
 * What the probabilities of two events say of events made of them, whatever their dependence: the exact bounds of Fréchet 1935,
 * "Généralisation du théorème des probabilités totales". Each bound is attained by some joint law.
 */
export const eventBounds = {
  not: ({ low, high }: Interval): Interval => ({ low: 1 - high, high: 1 - low }),
  and: (a: Interval, b: Interval): Interval => ({
    low: Math.max(0, a.low + b.low - 1),
    high: Math.min(a.high, b.high),
  }),
  or: (a: Interval, b: Interval): Interval => ({ low: Math.max(a.low, b.low), high: Math.min(1, a.high + b.high) }),
} as const;
