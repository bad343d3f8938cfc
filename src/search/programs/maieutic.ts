/**
 * Maieutic prompting: collect explanations why a statement would be true and why it would be false, keep those that the model
 * holds consistently, and let weighted MAX-SAT decide what fits together best.
 *
 * Jung et al. 2022, arXiv:2205.11822. An explanation has logical integrity if the model believes exactly one of it and its
 * negation, asked separately; one that has not is explained in its turn, both ways, down to the given depth. Branches without
 * integrity at their ends are dropped. Clauses: each explanation of integrity as it is believed, with weight
 * |p(E) − p(¬E)| / (p(E) + p(¬E)); each relation that the model sees as an implication. Solved exactly, once with the
 * statement true and once false; the cheaper of the two is the answer.
 *
 * Departures: relations are asked of the same model, not of another one that was trained for inference; between each
 * explanation and what it explains, and between it and the statement, not between all pairs; and the statement is a variable of
 * the same problem, where the authors relate it to the explanations that MAX-SAT left true. As theirs, an explanation
 * that is believed to be false stands as its negation. If nothing speaks for either side, `holds` is undefined, and the
 * last reply has to answer alone.
 *
 * It gains where judgements of explanations err less, or less alike, than a judgement of the statement itself; where
 * both err alike, vote. Cost: three calls for an explanation, at most two for its relations, and the answer.
 */
import type { Clause, MaxSat } from "../../math/max-sat.ts";
import { maxSat } from "../../math/max-sat.ts";
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Problem } from "../../problem.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { all } from "../../search.ts";
import { affordable } from "../../program.ts";
import { checkWhole } from "../../options.ts";
import { conclude, consult, type FailedStep, type ReasoningModule } from "./module.ts";

/** A statement, or its negation. */
export interface Claim {
  readonly statement: string;
  readonly holds: boolean;
}

export interface Relation {
  readonly kind: "entails" | "contradicts" | "neutral";
  /** How much of a relation it is, as a weight beside those of beliefs. @default 1 */
  readonly weight?: number;
}

export interface MaieuticOptions<S> {
  /** What is to be found true or false. */
  readonly statement: (problem: Problem) => string;
  /** Reads a statement that would explain why the claim is so. */
  readonly explain: ReasoningModule<S, Claim, string>;
  /** Reads the probability that the claim is true, as the model sees it. */
  readonly judge: ReasoningModule<S, Claim, number>;
  /** Reads what the first claim says about the second. */
  readonly relate: ReasoningModule<S, { readonly premise: Claim; readonly hypothesis: Claim }, Relation>;
  /** States the outcome as a finished answer; it has to be found otherwise where `holds` is undefined. */
  readonly answer: (holds: boolean | undefined) => Policy<S> | undefined;
  /** Explanations of each kind, by depth; as many depths as entries. @default [3, 1] */
  readonly branch?: readonly number[];
}

export interface Explanation<S> {
  readonly node: Node<S>;
  readonly statement: string;
  /** What it explains; undefined for the statement of the problem. */
  readonly of: Explanation<S> | undefined;
  /** In [-1, 1], and not 0; undefined without logical integrity. */
  readonly belief: number | undefined;
  /** What MAX-SAT made of it; undefined where it was dropped. */
  readonly holds: boolean | undefined;
}

export interface MaieuticOutcome<S> extends Outcome<S> {
  readonly holds: boolean | undefined;
  /** Weight that the other answer would lose beyond what this one does. */
  readonly margin: number;
  readonly explanations: readonly Explanation<S>[];
  readonly failedSteps: readonly FailedStep<S>[];
}

export function maieutic<S>({
  statement: statementOf,
  explain,
  judge,
  relate,
  answer,
  branch = [3, 1],
}: MaieuticOptions<S>): Search<S, MaieuticOutcome<S>> {
  checkWhole("maieutic", "branch.length", branch.length, 1, 10);
  for (const count of branch) checkWhole("maieutic", "branch", count, 1, 100);
  return {
    name: "maieutic",
    options: { modules: [explain.name, judge.name, relate.name], branch: [...branch] },
    *run(root, { problem }) {
      const statement = statementOf(problem);
      const failedSteps: FailedStep<S>[] = [];
      const grown: Growing<S>[] = [];
      const implications: Implication<S>[] = [];

      function* explained(from: Node<S>, of: Growing<S> | undefined, depth: number): Program<S, void> {
        const claims = [true, false].flatMap((holds) =>
          Array.from({ length: branch[depth] ?? 0 }, (): Claim => ({ statement: of?.statement ?? statement, holds })),
        );
        yield* all(
          claims.map(function* (claim): Program<S, void> {
            const { node, value } = yield* consult(from, explain, claim, failedSteps);
            if (value === undefined) return;
            const one: Growing<S> = { node, statement: value, of, belief: undefined, holds: undefined };
            grown.push(one);
            const [yes, no] = yield* all([true, false].map((holds) => judged(node, { statement: value, holds })));
            one.belief = beliefOf(yes, no);
            if (one.belief === undefined) yield* explained(node, one, depth + 1);
          }),
        );
      }

      function* judged(from: Node<S>, claim: Claim): Program<S, number | undefined> {
        return (yield* consult(from, judge, claim, failedSteps)).value;
      }

      function* related(from: Growing<S>, to: Growing<S> | undefined): Program<S, void> {
        const premise = { statement: from.statement, holds: (from.belief ?? 1) > 0 };
        const hypothesis = { statement: to?.statement ?? statement, holds: (to?.belief ?? 1) > 0 };
        const { value } = yield* consult(from.node, relate, { premise, hypothesis }, failedSteps);
        if (value && value.kind !== "neutral")
          implications.push({ from, to, entails: value.kind === "entails", weight: value.weight ?? 1 });
      }

      // Where the budget ends it, what there is may suffice, and stating an answer may cost nothing.
      const { spent } = yield* affordable(explained(root, undefined, 0));
      if (spent && grown.length === 0) throw spent;
      // Replies come in any order; clauses and results are in order of place.
      const explanations = grown.sort((a, b) => comparePlaces(a.node.id, b.node.id));
      const kept = explanations.filter((one) => isKept(one, explanations));
      yield* affordable(
        all(kept.flatMap((one) => [...(one.of ? [related(one, one.of)] : []), related(one, undefined)])),
      );

      const { holds, margin, values } = decide(kept, implications);
      for (const [i, one] of kept.entries()) one.holds = values?.[i];
      const found = yield* conclude(root, answer(holds));
      failedSteps.sort((a, b) => comparePlaces(a.node.id, b.node.id) || (a.module < b.module ? -1 : 1));
      return { answer: found, candidates: found ? [found] : [], holds, margin, explanations, failedSteps };
    },
  };
}

/** An explanation while it is found out what it is worth. */
type Growing<S> = {
  -readonly [K in keyof Explanation<S>]: K extends "of" ? Growing<S> | undefined : Explanation<S>[K];
};

interface Implication<S> {
  readonly from: Growing<S>;
  /** Undefined: the statement. */
  readonly to: Growing<S> | undefined;
  readonly entails: boolean;
  readonly weight: number;
}

/** Undefined without logical integrity: both sides are believed, or neither. */
function beliefOf(yes: number | undefined, no: number | undefined): number | undefined {
  if (yes === undefined || no === undefined) return undefined;
  const integral = (yes > 0.5 && no < 0.5) || (yes < 0.5 && no > 0.5);
  return integral ? (yes - no) / (yes + no) : undefined;
}

/** Of integrity itself, or explained by something that is kept. */
function isKept<S>(one: Growing<S>, all: readonly Growing<S>[]): boolean {
  return one.belief !== undefined || all.some((other) => other.of === one && isKept(other, all));
}

function decide<S>(
  kept: readonly Growing<S>[],
  implications: readonly Implication<S>[],
): { holds: boolean | undefined; margin: number; values: readonly boolean[] | undefined } {
  const question = kept.length + 1; // literals count from 1
  // The literal that says of an explanation what is believed of it.
  const literalOf = (one: Growing<S> | undefined): number =>
    one ? (kept.indexOf(one) + 1) * ((one.belief ?? 1) > 0 ? 1 : -1) : question;
  const beliefs = kept.flatMap((one): Clause[] =>
    one.belief === undefined ? [] : [{ literals: [literalOf(one)], weight: Math.abs(one.belief) }],
  );
  const relations = [...implications]
    .sort(
      (a, b) => literalOrder(literalOf(a.from), literalOf(b.from)) || literalOrder(literalOf(a.to), literalOf(b.to)),
    )
    .map(
      ({ from, to, entails, weight }): Clause => ({
        literals: [-literalOf(from), entails ? literalOf(to) : -literalOf(to)],
        weight,
      }),
    );
  const given = (holds: boolean): MaxSat =>
    maxSat(
      kept.length,
      [...beliefs, ...relations].flatMap((clause) => {
        const satisfied = clause.literals.includes(holds ? question : -question);
        return satisfied
          ? []
          : [{ ...clause, literals: clause.literals.filter((literal) => Math.abs(literal) !== question) }];
      }),
    );
  const [ifTrue, ifFalse] = [given(true), given(false)];
  const margin = Math.abs(ifTrue.lost - ifFalse.lost);
  if (margin < 1e-9) return { holds: undefined, margin: 0, values: undefined };
  const holds = ifTrue.lost < ifFalse.lost;
  return { holds, margin, values: (holds ? ifTrue : ifFalse).values };
}

const literalOrder = (a: number, b: number): number => Math.abs(a) - Math.abs(b);
