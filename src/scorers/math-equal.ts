/**
 * Whether the final answer of a text is the reference, as mathematics: 1/2 is 0.5 is `\frac{1}{2}`.
 *
 * The answer is taken out (`\boxed{…}`, `#### …`, "the answer is …", else the last number), read as numbers, fractions,
 * expressions, lists, intervals or words, and compared exactly where that is possible; see `math/compare.ts` for what is not.
 * It looks at the result alone: a right number out of wrong steps is correct, and a rounded one is not. What cannot be read is
 * compared as text, and so mostly wrong. Time is linear in the text; it never throws on an answer. Costs no model call.
 */
import type { Scorer } from "../scorer.ts";
import { canonicalOf, sameAnswer } from "./math/compare.ts";
import { finalAnswer } from "./math/extract.ts";
import { parseAnswer } from "./math/parse.ts";

export interface MathEqualOptions {
  /** @default the problem's */
  readonly reference?: string;
}

export function mathEqual<S>({ reference }: MathEqualOptions = {}): Scorer<S> {
  return {
    name: "math-equal",
    kind: "verdict",
    score({ state }, { problem, text }) {
      const known = reference ?? problem.reference;
      if (known === undefined)
        throw new TypeError(`Cannot compare the answer to '${problem.id}' as it has no reference`);
      const answer = finalAnswer(text(state));
      if (answer === undefined) return { kind: "verdict", correct: false, evidence: "No final answer was found" };
      const correct = isSameMath(answer, known);
      const shown = answer.length > 100 ? `${answer.slice(0, 100)}…` : answer;
      return { kind: "verdict", correct, evidence: `The answer '${shown}' is ${correct ? "right" : "wrong"}` };
    },
  };
}

/** Whether two texts state the same final answer. */
export function isSameMath(a: string, b: string): boolean {
  return sameAnswer(parseAnswer(finalAnswer(a) ?? ""), parseAnswer(finalAnswer(b) ?? ""));
}

/**
 * The final answer of a text as one string, the same for the same number however it is written: what votes are counted by.
 * Percentages are fractions, `$` and degrees are left out, other units stay. Undefined where there is no answer.
 */
export function canonicalMath(text: string): string | undefined {
  const answer = finalAnswer(text);
  return answer === undefined ? undefined : canonicalOf(parseAnswer(answer));
}
