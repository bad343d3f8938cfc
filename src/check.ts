/**
 * How the answer to a problem out of a file is judged, as data: it goes into journals and stores with its problem, and
 * `checkerOf` makes the judge of it. A task knows its own problems and needs none of this.
 */
import type { Problem } from "./problem.ts";

export type Check =
  /** The stated answer is the reference, letter by letter but for spaces. */
  | { readonly kind: "exact" }
  /** The stated answer is the reference, as a number. */
  | { readonly kind: "number" }
  /** The stated answer is the reference, as mathematics. */
  | { readonly kind: "math" }
  /** The letter of the chosen option is the reference. */
  | { readonly kind: "choice"; readonly letters: string }
  /** The reference occurs somewhere in the answer, in whole words. */
  | { readonly kind: "contains" }
  /** The pattern matches somewhere in the answer. */
  | { readonly kind: "regex"; readonly pattern: string }
  /** The last grid of digits in the answer is the reference, cell by cell. */
  | { readonly kind: "grid" }
  /** The stated expression uses each of the numbers once and has this value, exactly. */
  | { readonly kind: "expression"; readonly numbers: readonly number[]; readonly value: number }
  /** The Python program passes its tests in a sandbox. */
  | {
      readonly kind: "program";
      readonly function: string;
      /** Asserts that call the function by its name, or a function `check(candidate)`. */
      readonly tests: string;
      /** Runs before the tests. */
      readonly setup?: string;
      /** What the program begins with: an answer may go on from it, or define the function anew. */
      readonly begin?: string;
    };

/** Of a problem out of a file; undefined where nobody knows a right answer. */
export function checkOf({ data }: Pick<Problem, "data">): Check | undefined {
  const isCheck = typeof data === "object" && data !== null && "kind" in data;
  return isCheck ? (data as Check) : undefined;
}
