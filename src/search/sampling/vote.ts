/**
 * Vote: draw n answers, let an aggregator make one of them. With `majority` this is self-consistency.
 *
 * Wang et al. 2022, arXiv:2203.11171: sample chains of thought, keep the most frequent answer. Needs no scorer, only answers
 * that can be compared; where each text is different (proofs, programs) every answer has one vote and the first wins.
 * The leader so far is known at any moment, counted after each of 16 votes and then after ever more. Cost: n answers, and
 * n scores where a `scorer` is given: with `weightedVote` this is best-of-N weighted.
 */
import type { Aggregate, Aggregator } from "../../aggregator.ts";
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose, score } from "../../search.ts";
import { drawAnswers } from "../draw.ts";
import { checkWhole } from "../../options.ts";

export interface VoteOptions<S> {
  readonly aggregator: Aggregator<S>;
  /** Number of answers. @default 16 */
  readonly n?: number;
  readonly policy?: Policy<S>;
  /** Scores each answer, for aggregators that weigh by scores. @default none */
  readonly scorer?: Scorer<S>;
}

export interface VoteOutcome<S> extends Outcome<S> {
  readonly tally: Aggregate<S>["tally"];
}

export function vote<S>({ aggregator, n = 16, policy, scorer }: VoteOptions<S>): Search<S, VoteOutcome<S>> {
  checkWhole("vote", "n", n, 1);
  return {
    name: "vote",
    options: {
      n,
      aggregator: aggregator.name,
      policy: policy?.name ?? null,
      ...(scorer && { scorer: scorer.name }),
    },
    *run(root) {
      const voters: Node<S>[] = [];
      let nextCount = 1;
      const candidates = yield* drawAnswers(root, n, policy, function* (node): Program<S, void> {
        if (scorer) yield* score([node], { by: scorer });
        voters.push(node);
        if (voters.length < nextCount) return;
        nextCount += Math.ceil(voters.length / 16); // each vote counts all, so not after every one of thousands
        const { answer = node } = aggregator.aggregate(voters);
        yield* propose(answer, voters.length); // each new vote makes a better informed leader
      });
      const { answer = candidates[0], confidence, tally } = aggregator.aggregate(candidates);
      return { answer, candidates, tally, ...(confidence === undefined ? {} : { confidence }) };
    },
  };
}
