/**
 * A checker as a scorer. That of a task executes every step again and believes nothing that the model says: exact, no false
 * positives and no false negatives. That of a problem out of a file is what `checkerOf` says of its kind, and knows the
 * reference: a search that it guides shows what could be found, not what would be chosen without it. Costs no model call.
 */
import type { Score, Scorer } from "../scorer.ts";
import type { Checker, Verdict } from "../task.ts";

export function verifier<S>(checker: Checker): Scorer<S> {
  return {
    name: `verifier:${checker.name}`,
    kind: "verdict",
    score({ state }, { problem, text }) {
      const verdict = checker.check(problem, text(state));
      return verdict instanceof Promise ? verdict.then(scoreOf) : scoreOf(verdict);
    },
  };
}

const scoreOf = ({ correct, evidence }: Verdict): Score => ({ kind: "verdict", correct, evidence });
