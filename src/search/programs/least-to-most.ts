/**
 * Least-to-most: have the question split into smaller ones, answer these one after the other, each with the earlier answers
 * before it, and the question itself last.
 *
 * Zhou et al. 2022, arXiv:2205.10625: decomposition, then sequential solving. Their prompts show worked examples; here
 * the prompts are the caller's. A sub-question whose reply fails is left out of what the later ones are told. If the
 * decomposition cannot be read, the question is answered at once, and `ended` says so. More than `most` sub-questions are
 * cut to the first ones. Cost: 2 + number of sub-questions, none of them in parallel.
 *
 * Not for questions whose parts do not build upon one another: sampling several answers and voting costs the same.
 */
import type { Policy } from "../../policy.ts";
import type { Outcome, Search } from "../../search.ts";
import { checkWhole } from "../../options.ts";
import { conclude, consult, type FailedStep, type ReasoningModule } from "./module.ts";

export interface Answered {
  readonly question: string;
  readonly answer: string;
}

export interface LeastToMostOptions<S> {
  /** What it reads is the list of sub-questions, the easiest first, without the question itself. */
  readonly decompose: ReasoningModule<S, undefined, readonly string[]>;
  readonly solve: ReasoningModule<S, { readonly question: string; readonly earlier: readonly Answered[] }, string>;
  /** Asks the question itself, given the sub-questions and their answers. The reply is a finished answer. */
  readonly answer: (earlier: readonly Answered[]) => Policy<S> | undefined;
  /** Sub-questions that are asked. @default 8 */
  readonly most?: number;
}

export interface LeastToMostOutcome<S> extends Outcome<S> {
  readonly answered: readonly Answered[];
  readonly failedSteps: readonly FailedStep<S>[];
  readonly ended: "by-parts" | "not-decomposed";
}

export function leastToMost<S>({
  decompose,
  solve,
  answer,
  most = 8,
}: LeastToMostOptions<S>): Search<S, LeastToMostOutcome<S>> {
  checkWhole("least-to-most", "most", most, 1);
  return {
    name: "least-to-most",
    options: { modules: [decompose.name, solve.name], most },
    *run(root) {
      const failedSteps: FailedStep<S>[] = [];
      const answered: Answered[] = [];
      const parts = yield* consult(root, decompose, undefined, failedSteps);
      let { node } = parts;
      for (const question of parts.value?.slice(0, most) ?? []) {
        const solved = yield* consult(node, solve, { question, earlier: [...answered] }, failedSteps);
        node = solved.node;
        if (solved.value !== undefined) answered.push({ question, answer: solved.value });
      }
      const found = yield* conclude(node, answer(answered));
      return {
        answer: found,
        candidates: found ? [found] : [],
        answered,
        failedSteps,
        ended: parts.value ? "by-parts" : "not-decomposed",
      };
    },
  };
}
