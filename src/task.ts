/**
 * A task makes problems without end and knows exactly which answers are right.
 *
 * An answer is text in steps, one a line; a checker re-executes every step and never trusts the model's arithmetic.
 * Problems are divided into `train` and `test` by a hash of what is asked, so that nothing learned on one is asked in
 * the other, whatever the seeds.
 */
import type { Key } from "./key.ts";
import type { Problem } from "./problem.ts";

export interface StepVerdict {
  readonly text: string;
  readonly valid: boolean;
  /** What is wrong, in words; absent where the step is valid. */
  readonly why?: string;
}

export interface Verdict {
  readonly correct: boolean;
  /** What was found, in one line. */
  readonly evidence: string;
  /** One per line of the answer, up to and including the first invalid one. */
  readonly steps: readonly StepVerdict[];
}

export type Split = "train" | "test";

/** Knows which answers are right: a task does, and so does a file of questions with their references. */
export interface Checker {
  readonly name: string;
  /** Where programs are run or a model is asked, the verdict comes later. */
  check(problem: Problem, answer: string): Verdict | Promise<Verdict>;
  /** What votes are counted for; undefined where the answer states no result. */
  canonical(problem: Problem, answer: string): string | undefined;
}

export interface Task extends Checker {
  /** What is asked and what an answer looks like, in one line. */
  readonly title: string;
  /** Difficulty: name → what makes it so. `base` is always there. */
  readonly levels: Readonly<Record<string, string>>;
  /** A problem of the given level and split; the same key gives the same problem. */
  make(key: Key, options?: { readonly level?: string; readonly split?: Split }): Problem;
  /** The problem that a prompt states. @throws SyntaxError with what is wrong and what a prompt looks like. */
  parse(prompt: string): Problem;
  check(problem: Problem, answer: string): Verdict;
  /** A right answer, by exact search; undefined where there is none. The key chooses among right answers. */
  solve(problem: Problem, key: Key): string | undefined;
  /** Whether these whole steps are valid and can still be completed to a right answer: exact. */
  solvable(problem: Problem, steps: string): boolean;
}

/**
 * Whether the final answer is right, however it was reached: what votes are for, and how answers are counted where a problem
 * has one right answer. Where it has many, every step must be right.
 */
export function isRightAnswer(task: Task, problem: Problem, answer: string): boolean {
  if (problem.reference === undefined) return task.check(problem, answer).correct;
  return task.canonical(problem, answer) === problem.reference;
}
