/**
 * Hint marginalisation: each answer so far is given as a hint, and the law of answers is made anew as Σ p(answer | hint) × law(hint).
 * A right hint is mostly kept and a wrong one is often given up, so the mass moves to the right answer, even where it is not the
 * most frequent one at first.
 *
 * Pal, Chételat, Zhang & Coates 2024, "Hint Marginalization for Improved Reasoning in Large Language Models", arXiv:2412.13292;
 * the single hint is that of progressive hints (arXiv:2304.09797). p(answer | hint) is estimated by `each` answers for every hint
 * and round. As it does not depend on the round, all answers to a hint are counted together, those of earlier rounds too (our
 * choice, as is the equal number for each hint): so the laws tend to the stationary law of the estimated hint matrix, and with
 * ever more answers to that of the true one.
 *
 * A hint whose answers all failed or cannot be read keeps its mass. Ties: the answer that was drawn first. The candidate that
 * stands for an answer is the first that gave it. Confidence: the winner's mass in the last law, not calibrated. Where the budget ends
 * within a round, the law of the round before it stands. Cost: `n` answers, then each × (answers with mass) a round.
 * When not: with a model that repeats whatever is hinted: its hint matrix is the identity, and the vote stays as it was.
 */
import type { Aggregate } from "../../aggregator.ts";
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { drawAnswers } from "../draw.ts";
import { redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

export interface HintMarginalOptions<S> {
  /** The form in which answers are compared, and given as hints; undefined where one cannot be read. */
  readonly canonical: (answer: Node<S>) => string | undefined;
  /** Answers with the hint in the prompt; undefined: the run's own policy. */
  readonly hinted: (hint: string) => Policy<S> | undefined;
  /** Answers without a hint, whose shares are the first law. @default 8 */
  readonly n?: number;
  /** @default 2 */
  readonly rounds?: number;
  /** Answers to each hint in each round. @default 4 */
  readonly each?: number;
  /** Makes the first answers. @default the run's policy */
  readonly policy?: Policy<S>;
}

/** Answers with their mass, which sums to 1, the heaviest first. */
export type AnswerLaw<S> = Aggregate<S>["tally"];

export interface HintMarginalOutcome<S> extends Outcome<S> {
  /** The last law. */
  readonly tally: AnswerLaw<S>;
  /** The first law and that after each round. */
  readonly laws: readonly AnswerLaw<S>[];
}

export function hintMarginal<S>({
  canonical,
  hinted,
  n = 8,
  rounds = 2,
  each = 4,
  policy,
}: HintMarginalOptions<S>): Search<S, HintMarginalOutcome<S>> {
  checkWhole("hint-marginal", "n", n, 1);
  checkWhole("hint-marginal", "rounds", rounds, 1);
  checkWhole("hint-marginal", "each", each, 1);
  return {
    name: "hint-marginal",
    options: { n, rounds, each, policy: policy?.name ?? null },
    *run(root) {
      const candidates = yield* drawAnswers(root, n, policy, (node): Program<S, void> => propose(node));
      const firstOf = new Map<string, Node<S>>();
      const replies = new Map<string, string[]>(); // [hint] answers to it
      const meet = (nodes: readonly Node<S>[]): string[] =>
        nodes.flatMap((node) => {
          const answer = canonical(node);
          if (answer === undefined) return [];
          const known = firstOf.get(answer);
          if (!known || comparePlaces(node.id, known.id) < 0) firstOf.set(answer, node);
          return [answer];
        });
      const lawOf = (mass: ReadonlyMap<string, number>): AnswerLaw<S> =>
        Array.from(mass, ([answer, weight]) => ({ answer, weight, node: firstOf.get(answer) as Node<S> })).sort(
          (a, b) => b.weight - a.weight || comparePlaces(a.node.id, b.node.id),
        );

      const laws = [lawOf(shared(meet(candidates)))];
      for (let round = 0; round < rounds; round++) {
        const law = laws.at(-1) as AnswerLaw<S>;
        const { results, spent } = yield* allAffordable(
          law.flatMap(({ answer }) => Array.from({ length: each }, () => redraw(root, hinted(answer)))),
        );
        candidates.push(...results.filter((node) => node !== undefined));
        if (spent) break;
        const mass = new Map<string, number>();
        for (const [i, { answer: hint, weight }] of law.entries()) {
          const now = meet(results.slice(i * each, (i + 1) * each).filter((node) => node !== undefined));
          const all = [...(replies.get(hint) ?? []), ...now];
          replies.set(hint, all);
          for (const [answer, share] of shared(all.length > 0 ? all : [hint]))
            mass.set(answer, (mass.get(answer) ?? 0) + weight * share);
        }
        laws.push(lawOf(mass));
        const leader = laws.at(-1)?.[0];
        if (leader) yield* propose(leader.node, 1 + round);
      }
      const tally = laws.at(-1) as AnswerLaw<S>;
      const [winner] = tally;
      return {
        answer: winner?.node ?? candidates[0],
        candidates,
        tally,
        laws,
        ...(winner && { confidence: Math.min(1, winner.weight) }), // a sum of shares may round above 1
      };
    },
  };
}

/** The share of each. */
function shared(answers: readonly string[]): Map<string, number> {
  const shares = new Map<string, number>();
  for (const answer of answers) shares.set(answer, (shares.get(answer) ?? 0) + 1 / answers.length);
  return shares;
}
