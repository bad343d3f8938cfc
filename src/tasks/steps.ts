/** What the tasks share: answers are lines, each line a step, and a step either leads to the next state or says why not. */
import { fold, type Key, key } from "../key.ts";
import type { Split, StepVerdict } from "../task.ts";

/** The state after a step, or what is wrong with the step, in words. */
export type Stepped<S> = { readonly state: S } | { readonly why: string };

export interface Walk<S> {
  /** One per line, up to and including the first invalid one. */
  readonly steps: readonly StepVerdict[];
  /** The state after the last valid step. */
  readonly state: S;
  /** Every line was a valid step. */
  readonly valid: boolean;
}

/** No step of any task is longer; what is longer is refused unread. */
export const longestStep = 200;

/** Executes an answer line by line and stops at the first line that is wrong, so that the cost is linear in the answer. */
export function walk<S>(start: S, answer: string, step: (state: S, line: string) => Stepped<S>): Walk<S> {
  const steps: StepVerdict[] = [];
  let state = start;
  for (let from = 0; from < answer.length; ) {
    const newline = answer.indexOf("\n", from);
    const to = newline < 0 ? answer.length : newline;
    const text = answer.slice(from, to);
    from = to + 1;
    const next =
      text.length > longestStep
        ? { why: `a step has at most ${longestStep} characters, this line has ${text.length}` }
        : step(state, text);
    if ("why" in next) {
      steps.push({ text, valid: false, why: next.why });
      return { steps, state, valid: false };
    }
    steps.push({ text, valid: true });
    state = next.state;
  }
  return { steps, state, valid: true };
}

/** Whether the text is whole lines; only these can be asked about. */
export function whole(steps: string): boolean {
  return steps === "" || steps.endsWith("\n");
}

/** `list` without one occurrence of each of `items`; undefined where one is not there. */
export function without<T>(list: readonly T[], items: readonly T[]): T[] | undefined {
  const rest = [...list];
  for (const item of items) {
    const at = rest.indexOf(item);
    if (at < 0) return undefined;
    rest.splice(at, 1);
  }
  return rest;
}

/** Whether two lists hold the same items, in any order. */
export function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && without(a, b) !== undefined;
}

const place: Key = fold(key(0), "split");

/** One problem in twenty is `test`: by a hash of what is asked, so that no seed can move a problem to the other side. */
export function splitOf(canonicalProblem: string): Split {
  return fold(place, canonicalProblem)[1] % 20 === 0 ? "test" : "train";
}

/** @throws RangeError where the level is not one of the task's. */
export function levelOf<L>(levels: Readonly<Record<string, L>>, task: string, name: string): L {
  if (!Object.hasOwn(levels, name))
    throw new RangeError(
      `Cannot make a problem of ${task} as 'level' must be one of ${Object.keys(levels).join(", ")}: current value is ${JSON.stringify(name)}`,
    );
  return levels[name] as L;
}

/** Draws until the problem is of the split; `draw` returns undefined where an attempt came to nothing. */
export function until<P>(split: Split, canonicalOf: (problem: P) => string, draw: () => P | undefined): P {
  for (;;) {
    const problem = draw();
    if (problem !== undefined && splitOf(canonicalOf(problem)) === split) return problem;
  }
}
