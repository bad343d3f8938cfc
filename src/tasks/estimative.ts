/**
 * Reasoning with words of probability: "A is likely. B is impossible. How probable is it that A and B?" An answer is one word of
 * the table of `math/estimative-words.ts`.
 *
 * After Sileo & Moens 2022, arXiv:2211.03358, §3.2, who compose words by the rules of independent events; nothing says that the events
 * here are independent, so an answer is right where its probability lies within the exact bounds, or where no word lies nearer to
 * them. What lies outside is a contradiction, and the verdict says which bound it breaks. Whoever answers from the bounds scores 1.
 */
import type { Key } from "../key.ts";
import { estimativeWordIn, estimativeWords, eventBounds } from "../math/estimative-words.ts";
import type { Interval } from "../math/intervals.ts";
import { random } from "../math/random.ts";
import type { Json, Problem } from "../problem.ts";
import type { Checker, Verdict } from "../task.ts";

/** What is asked for, in words, and its bounds. */
const questions = {
  "A is false": (a: Interval) => eventBounds.not(a),
  "both A and B are true": eventBounds.and,
  "A or B is true, or both": eventBounds.or,
  "A is true and B is false": (a: Interval, b: Interval) => eventBounds.and(a, eventBounds.not(b)),
} as const;

type Asked = keyof typeof questions;

export interface EstimativeChecker extends Checker {
  /** The same key gives the same problem. */
  make(key: Key): Problem;
  /** The exact bounds of what is asked for. */
  bounds(problem: Problem): Interval;
}

const words = Object.keys(estimativeWords);

export const estimative: EstimativeChecker = {
  name: "estimative",
  make(key) {
    const stream = random(key);
    const [a, b] = [stream.pick(words), stream.pick(words)];
    const asked = stream.pick(Object.keys(questions) as Asked[]);
    const prompt = [
      `How probable A is, in a word: ${a}. How probable B is: ${b}.`,
      `How probable is it that ${asked}? Answer with one of: ${words.join(", ")}.`,
    ].join("\n");
    return { id: `${a}, ${b}: ${asked}`, prompt, task: "estimative", data: { a, b, asked } };
  },
  bounds(problem) {
    const { a, b, asked } = stated(problem.data);
    return questions[asked](exactly(a), exactly(b));
  },
  check(problem, answer): Verdict {
    const word = estimativeWordIn(answer);
    if (word === undefined) return { correct: false, evidence: "no word of probability, or more than one", steps: [] };
    const bounds = estimative.bounds(problem);
    const distance = distanceOf(word, bounds);
    const nearest = Math.min(...words.map((one) => distanceOf(one, bounds)));
    const between = `between ${bounds.low.toFixed(2)} and ${bounds.high.toFixed(2)}`;
    const correct = distance <= nearest + 1e-12;
    const evidence = `"${word}" is ${estimativeWords[word]}: ${correct ? "" : "a contradiction, "}it is ${between}`;
    return { correct, evidence, steps: [{ text: answer, valid: correct }] };
  },
  canonical: (_, answer) => estimativeWordIn(answer),
};

const exactly = (word: string): Interval => {
  const p = estimativeWords[word] as number;
  return { low: p, high: p };
};

function distanceOf(word: string, { low, high }: Interval): number {
  const p = estimativeWords[word] as number;
  return Math.max(0, low - p, p - high);
}

/** @throws TypeError where the problem is of another task */
function stated(data: Json | undefined): { a: string; b: string; asked: Asked } {
  const { a, b, asked } = (data ?? {}) as Record<string, string>;
  if (a !== undefined && b !== undefined && asked !== undefined && a in estimativeWords && asked in questions)
    return { a, b, asked: asked as Asked };
  throw new TypeError("Cannot check words of probability as the problem's data are not of 'estimative'");
}
