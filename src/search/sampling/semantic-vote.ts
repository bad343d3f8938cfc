/**
 * A vote of meanings: draws answers, asks a judge which of them say the same, and counts meanings in place of texts.
 *
 * For answers that have no canonical form. Each answer is compared with the first of every meaning so far, and joins the first that it
 * equals, or is a meaning of its own: Kuhn, Gal & Farquhar 2023, arXiv:2302.09664, algorithm 1. Answers equal to the last token are
 * not asked about. A pair that could not be judged counts as different, as does every further one once the budget is spent.
 * With `semanticEntropy` of `ponderosa/aggregators` this is their estimator; with `majority` a self-consistency of free text.
 *
 * Cost: n answers, at most n(n − 1)/2 comparisons. What is equal to the judge need not be transitive: the order of drawing decides.
 */
import type { Aggregate, Aggregator } from "../../aggregator.ts";
import type { Node } from "../../node.ts";
import { checkWhole } from "../../options.ts";
import type { Policy } from "../../policy.ts";
import type { Comparison } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { drawAnswers } from "../draw.ts";
import { judgePair } from "../pair.ts";

export interface SemanticVoteOptions<S> {
  /** 1 where both say the same, 0 where they do not; from ½ on they are one meaning. `entailment(model)`, say. */
  readonly same: Comparison<S>;
  /** Makes one answer of many, given what each of them means. */
  readonly aggregator: (meaning: (node: Node<S>) => string | undefined) => Aggregator<S>;
  /** Number of answers. @default 10, as in the paper */
  readonly n?: number;
  readonly policy?: Policy<S>;
}

export interface SemanticVoteOutcome<S> extends Outcome<S> {
  /** Meanings by their first answer's id, heaviest first. */
  readonly tally: Aggregate<S>["tally"];
}

export function semanticVote<S>({
  same,
  aggregator,
  n = 10,
  policy,
}: SemanticVoteOptions<S>): Search<S, SemanticVoteOutcome<S>> {
  checkWhole("semantic vote", "n", n, 1);
  return {
    name: "semantic-vote",
    options: { n, same: same.name, aggregator: aggregator(() => undefined).name, policy: policy?.name ?? null },
    *run(root) {
      const candidates = yield* drawAnswers(root, n, policy, (node): Program<S, void> => propose(node));
      const firsts: Node<S>[] = [];
      const meanings = new Map<string, string>(); // [text of the state] id of the first answer that means the same
      for (const node of candidates) {
        const text = JSON.stringify(node.state);
        if (meanings.has(text)) continue;
        let meaning: Node<S> | undefined;
        for (const first of firsts) {
          const judged = yield* judgePair(root, same, node, first);
          if (!judged || rankOf(judged) < 0.5) continue;
          meaning = first;
          break;
        }
        if (!meaning) firsts.push(node);
        meanings.set(text, (meaning ?? node).id);
      }
      const meaningOf = ({ state }: Node<S>): string | undefined => meanings.get(JSON.stringify(state));
      const { answer = candidates[0], confidence, tally } = aggregator(meaningOf).aggregate(candidates);
      return { answer, candidates, tally, ...(confidence === undefined ? {} : { confidence }) };
    },
  };
}
