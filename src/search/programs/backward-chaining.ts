/**
 * Backward chaining: go from the question to the facts. Is the goal a fact? If not, which rules speak about it, what do
 * they require, and can that be proved?
 *
 * LAMBADA: Kazemi et al. 2022, arXiv:2212.13894, with its four modules: fact check, rule selection, goal decomposition,
 * sign agreement (a rule may conclude the opposite of the goal, which is then disproved). Depth first; rules with a shorter
 * text first, as they tend to require less, which costs no call (ties: the order of selection). A sub-goal counts only if
 * it is proved; the first rule all of whose sub-goals are decides. What was proved or disproved is not asked again, so that
 * a proof may be found that is deeper than `depth`; a goal that waits for itself is unknown. A reply that cannot be read is
 * a failed step: a fact check is then unknown, a rule is left out. With exact modules the verdict is exact for proofs of at
 * most `depth` rules on top of one another, provided that no literal and its opposite both follow.
 *
 * Cost: at most 1 call for a goal, 1 for its rules, 2 for each rule that is tried, and so on for its sub-goals: exponential in
 * the depth in the worst case, linear in it where one rule speaks about each goal.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Problem } from "../../problem.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { checkWhole } from "../../options.ts";
import { conclude, consult, type FailedStep, type ReasoningModule } from "./module.ts";

export type GoalVerdict = "proved" | "disproved" | "unknown";

/** One goal that was decided: by a fact, or by a rule whose sub-goals come before it in the proof. */
export interface ProofStep {
  readonly goal: string;
  readonly verdict: "proved" | "disproved";
  /** The rule's place, counted from 0; absent where a fact decided. */
  readonly rule?: number;
  readonly subgoals: readonly string[];
}

export interface Theory {
  readonly facts: readonly string[];
  readonly rules: readonly string[];
  readonly goal: string;
}

export interface BackwardChainingOptions<S> {
  readonly theory: (problem: Problem) => Theory;
  readonly checkFact: ReasoningModule<S, { readonly goal: string; readonly facts: readonly string[] }, GoalVerdict>;
  /** Reads the places of the rules, counted from 0, that conclude the goal or its opposite. */
  readonly selectRules: ReasoningModule<
    S,
    { readonly goal: string; readonly rules: readonly string[] },
    readonly number[]
  >;
  /** Reads what the rule requires. */
  readonly decompose: ReasoningModule<S, { readonly goal: string; readonly rule: string }, readonly string[]>;
  /** Reads whether the rule concludes the goal, and not its opposite. */
  readonly agree: ReasoningModule<S, { readonly goal: string; readonly rule: string }, boolean>;
  /** States the verdict as a finished answer. */
  readonly answer: (verdict: GoalVerdict, proof: readonly ProofStep[]) => Policy<S> | undefined;
  /** Rules on top of one another. @default 6 */
  readonly depth?: number;
}

export interface BackwardChainingOutcome<S> extends Outcome<S> {
  readonly verdict: GoalVerdict;
  /** Sub-goals before the goals that need them; empty where the goal is unknown. */
  readonly proof: readonly ProofStep[];
  readonly failedSteps: readonly FailedStep<S>[];
}

export function backwardChaining<S>({
  theory,
  checkFact,
  selectRules,
  decompose,
  agree,
  answer,
  depth: mostDepth = 6,
}: BackwardChainingOptions<S>): Search<S, BackwardChainingOutcome<S>> {
  checkWhole("backward-chaining", "depth", mostDepth, 0);
  return {
    name: "backward-chaining",
    options: { modules: [checkFact, selectRules, decompose, agree].map(({ name }) => name), depth: mostDepth },
    *run(root, { problem }) {
      const { facts, rules, goal: question } = theory(problem);
      const failedSteps: FailedStep<S>[] = [];
      const decided = new Map<string, ProofStep>();

      function* prove(from: Node<S>, goal: string, depth: number, waiting: readonly string[]): Program<S, Proved<S>> {
        const known = decided.get(goal);
        if (known) return { node: from, verdict: known.verdict };
        const decide = (node: Node<S>, step: Omit<ProofStep, "goal">): Proved<S> => {
          decided.set(goal, { goal, ...step });
          return { node, verdict: step.verdict };
        };
        const fact = yield* consult(from, checkFact, { goal, facts }, failedSteps);
        if (fact.value === "proved" || fact.value === "disproved")
          return decide(fact.node, { verdict: fact.value, subgoals: [] });
        if (depth === 0) return { node: fact.node, verdict: "unknown" };

        const selected = yield* consult(fact.node, selectRules, { goal, rules }, failedSteps);
        const places = [...new Set(selected.value)].filter((place) => rules[place] !== undefined);
        for (const place of places.sort((a, b) => lengthOf(a) - lengthOf(b))) {
          const rule = rules[place] as string;
          const parts = yield* consult(selected.node, decompose, { goal, rule }, failedSteps);
          if (!parts.value) continue;
          const subgoals = parts.value;
          if (!(yield* proveAll(parts.node, subgoals, depth - 1, [...waiting, goal]))) continue;
          const sign = yield* consult(parts.node, agree, { goal, rule }, failedSteps);
          if (sign.value === undefined) continue;
          return decide(sign.node, { verdict: sign.value ? "proved" : "disproved", rule: place, subgoals });
        }
        return { node: selected.node, verdict: "unknown" };
      }

      function* proveAll(
        from: Node<S>,
        goals: readonly string[],
        depth: number,
        waiting: readonly string[],
      ): Program<S, boolean> {
        let node = from;
        for (const goal of goals) {
          if (waiting.includes(goal)) return false;
          const proved = yield* prove(node, goal, depth, waiting);
          if (proved.verdict !== "proved") return false;
          node = proved.node;
        }
        return true;
      }

      const lengthOf = (place: number): number => (rules[place] as string).length;
      const { node, verdict } = yield* prove(root, question, mostDepth, []);
      const proof = proofOf(question, decided);
      const found = yield* conclude(node, answer(verdict, proof));
      return { answer: found, candidates: found ? [found] : [], verdict, proof, failedSteps };
    },
  };
}

interface Proved<S> {
  /** Where the verdict was reached. */
  readonly node: Node<S>;
  readonly verdict: GoalVerdict;
}

/** What the goal's verdict rests upon, and it last; each goal once. */
function proofOf(question: string, decided: ReadonlyMap<string, ProofStep>): ProofStep[] {
  const proof = new Map<string, ProofStep>();
  const visit = (goal: string): void => {
    const step = decided.get(goal);
    if (!step || proof.has(goal)) return;
    for (const subgoal of step.subgoals) visit(subgoal);
    proof.set(goal, step);
  };
  visit(question);
  return [...proof.values()];
}
