/**
 * A task's own checker as a scorer: every step is executed again, nothing the model says is believed.
 * Exact: no false positives and no false negatives. Costs no model call.
 */
import type { Scorer } from "../scorer.ts";
import type { Task } from "../task.ts";

export function verifier<S>(task: Task): Scorer<S> {
  return {
    name: `verifier:${task.name}`,
    kind: "verdict",
    score({ state }, { problem, text }) {
      const { correct, evidence } = task.check(problem, text(state));
      return { kind: "verdict", correct, evidence };
    },
  };
}
