/**
 * Chain of thought: reason in writing first, then read the answer out of the reasoning.
 *
 * Zero-shot, in two stages: a prompt that asks for steps, and a second one, with the steps in it, that asks for the answer
 * alone (Kojima et al. 2022, arXiv:2205.11916). The idea, with worked examples in the prompt and a single stage, is Wei et
 * al. 2022, arXiv:2201.11903. Where `check` is given, the steps are executed and the outcome says which of them hold; the
 * answer does not depend on it. Cost: two calls. Without reasoning (its call failed) the answer is asked for all the same.
 *
 * Not for models that were trained to reason before they answer: they do it unasked.
 */
import type { Policy } from "../../policy.ts";
import type { Problem } from "../../problem.ts";
import type { Outcome, Search } from "../../search.ts";
import type { StepVerdict } from "../../task.ts";
import { type FailedStep, type ReasoningModule, conclude, consult } from "./module.ts";

export interface ChainOfThoughtOptions<S> {
  /** Asks for steps; what it reads is the reasoning as text. */
  readonly reason: ReasoningModule<S, undefined, string>;
  /** Asks for the answer, given the reasoning; undefined where there is none. The reply is a finished answer. */
  readonly answer: (reasoning: string | undefined) => Policy<S> | undefined;
  /** Executes the steps of the reasoning, as far as they can be. */
  readonly check?: (problem: Problem, reasoning: string) => readonly StepVerdict[];
}

export interface ChainOfThoughtOutcome<S> extends Outcome<S> {
  readonly reasoning: string | undefined;
  /** The steps as they were executed; absent without `check`. */
  readonly steps?: readonly StepVerdict[];
  readonly failedSteps: readonly FailedStep<S>[];
}

export function chainOfThought<S>({
  reason,
  answer,
  check,
}: ChainOfThoughtOptions<S>): Search<S, ChainOfThoughtOutcome<S>> {
  return {
    name: "chain-of-thought",
    options: { modules: [reason.name], checked: check !== undefined },
    *run(root, { problem }) {
      const failedSteps: FailedStep<S>[] = [];
      const { node, value: reasoning } = yield* consult(root, reason, undefined, failedSteps);
      const found = yield* conclude(node, answer(reasoning));
      return {
        answer: found,
        candidates: found ? [found] : [],
        reasoning,
        ...(check && reasoning !== undefined && { steps: check(problem, reasoning) }),
        failedSteps,
      };
    },
  };
}
