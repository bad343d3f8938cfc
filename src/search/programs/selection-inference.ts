/**
 * Selection-inference: alternate between selecting statements that belong together and inferring one new statement from
 * these alone; the new one joins the others. So every step of the trace says what it rests upon and can be checked.
 *
 * Creswell, Shanahan & Higgins 2022, arXiv:2205.09712: two modules, a fixed number of steps, inference that sees nothing but the
 * selection. Here it halts earlier where `halt` recognises the question as answered, and a last reply makes an answer of the
 * trace. A selection or an inference that cannot be read, or says what is known already, is a failed step; it counts as a
 * step. If each step is right with probability q, independently, and none can be missed, the answer of a problem of depth d
 * is right with probability q^d. Cost: two calls a step and one for the answer, one after the other.
 *
 * It goes forward from what is known: where much follows that has nothing to do with the question, backward chaining
 * needs fewer calls.
 */
import type { Policy } from "../../policy.ts";
import type { Problem } from "../../problem.ts";
import type { Outcome, Search } from "../../search.ts";
import { checkWhole } from "../../options.ts";
import { conclude, consult, type FailedStep, type ReasoningModule } from "./module.ts";

export interface SelectionInferenceOptions<S> {
  /** What is known at first. */
  readonly statements: (problem: Problem) => readonly string[];
  /** Reads the places of some statements, counted from 0; none where nothing new follows, which ends the steps. */
  readonly select: ReasoningModule<S, readonly string[], readonly number[]>;
  /** Reads one statement that follows from those selected. */
  readonly infer: ReasoningModule<S, readonly string[], string>;
  /** Whether the question is answered by what is known; never, by default. */
  readonly halt?: (statements: readonly string[], problem: Problem) => boolean;
  /** Asks for the answer, given all statements, the inferred ones last. The reply is a finished answer. */
  readonly answer: (statements: readonly string[], steps: readonly InferenceStep[]) => Policy<S> | undefined;
  /** Steps at most. @default 5 */
  readonly steps?: number;
}

export interface InferenceStep {
  /** Places among the statements known by then: those given, then those inferred by earlier steps. */
  readonly from: readonly number[];
  readonly inferred: string;
}

export interface SelectionInferenceOutcome<S> extends Outcome<S> {
  /** The steps that worked, in order. */
  readonly steps: readonly InferenceStep[];
  readonly failedSteps: readonly FailedStep<S>[];
  readonly ended: "halted" | "nothing-follows" | "out-of-steps";
}

export function selectionInference<S>({
  statements: known,
  select,
  infer,
  halt = () => false,
  answer,
  steps: most = 5,
}: SelectionInferenceOptions<S>): Search<S, SelectionInferenceOutcome<S>> {
  checkWhole("selection-inference", "steps", most, 1);
  return {
    name: "selection-inference",
    options: { modules: [select.name, infer.name], steps: most },
    *run(root, { problem }) {
      const failedSteps: FailedStep<S>[] = [];
      const steps: InferenceStep[] = [];
      let statements = known(problem);
      let node = root;
      let ended: SelectionInferenceOutcome<S>["ended"] = "out-of-steps";
      for (let step = 0; step < most && !halt(statements, problem); step++) {
        const selected = yield* consult(node, select, statements, failedSteps);
        node = selected.node;
        if (!selected.value) continue;
        if (selected.value.length === 0) {
          ended = "nothing-follows";
          break;
        }
        const from = selected.value.filter((place) => statements[place] !== undefined);
        if (from.length === 0) {
          failedSteps.push({ module: select.name, node, why: "what was selected is not there" });
          continue;
        }
        const inferred = yield* consult(
          node,
          infer,
          from.map((place) => statements[place] as string),
          failedSteps,
        );
        node = inferred.node;
        if (inferred.value === undefined) continue;
        if (statements.includes(inferred.value)) {
          failedSteps.push({ module: infer.name, node, why: "what was inferred is known already" });
          continue;
        }
        steps.push({ from, inferred: inferred.value });
        statements = [...statements, inferred.value];
      }
      if (halt(statements, problem)) ended = "halted";
      const found = yield* conclude(node, answer(statements, steps));
      return { answer: found, candidates: found ? [found] : [], steps, failedSteps, ended };
    },
  };
}
