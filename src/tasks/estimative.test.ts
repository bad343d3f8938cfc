import { expect, test } from "vitest";
import { key, split } from "../key.ts";
import { estimativeWords } from "../math/estimative-words.ts";
import type { Problem } from "../problem.ts";
import type { Verdict } from "../task.ts";
import { estimative } from "./estimative.ts";

const check = (problem: Problem, answer: string) => estimative.check(problem, answer) as Verdict;
const ask = (a: string, b: string, asked: string): Problem => ({ id: "p", prompt: "", data: { a, b, asked } });

test("whoever answers from the bounds scores 1; whoever ignores them does not", () => {
  const problems = split(key(1), 300).map((place) => estimative.make(place));
  const words = Object.keys(estimativeWords);
  const nearest = (problem: Problem) => {
    const { low, high } = estimative.bounds(problem);
    const away = (word: string) => Math.max(0, low - (estimativeWords[word] ?? 0), (estimativeWords[word] ?? 0) - high);
    return words.toSorted((a, b) => away(a) - away(b))[0] as string;
  };
  expect(problems.filter((problem) => check(problem, nearest(problem)).correct)).toHaveLength(300);
  const repeating = problems.filter((problem) => check(problem, (problem.data as { a: string }).a).correct);
  expect(repeating.length).toBeLessThan(200);
  expect(new Set(problems.map(({ id }) => id)).size).toBeGreaterThan(200);
});

test("contradictions are caught, and said", () => {
  const both = ask("likely", "impossible", "both A and B are true");
  expect(check(both, "likely")).toMatchObject({
    correct: false,
    evidence: '"likely" is 0.7: a contradiction, it is between 0.00 and 0.00',
  });
  expect(check(both, "It is impossible.").correct).toBe(true);
  const either = ask("likely", "about even", "A or B is true, or both");
  for (const word of ["likely", "highly likely", "certain"]) expect(check(either, word).correct).toBe(true);
  expect(check(either, "about even").correct).toBe(false);
  // No word is 0.3: the nearest to 1 − 0.7 is right.
  const denial = ask("likely", "likely", "A is false");
  expect(check(denial, "probably not").correct).toBe(true);
  expect(check(denial, "unlikely").correct).toBe(false);
  expect(check(denial, "likely or unlikely").evidence).toContain("more than one");
  expect(estimative.canonical(denial, "Probably not")).toBe("probably not");
});
