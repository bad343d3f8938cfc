/**
 * Adaptive consistency: draw answers in rounds and stop when the vote is decided, rather than after a fixed number.
 *
 * After each round a criterion looks at all votes so far (`stopping.ts`); at the latest it ends after `most` draws. Easy problems,
 * where all agree, then cost four draws by the default criterion, and hard ones as much as before.
 * Aggarwal, Madaan, Yang & Mausam 2023, arXiv:2305.11860, with `betaCriterion` (their default) or `dirichletCriterion` and one
 * draw a round; at most 40 draws, as in their experiments. Li et al. 2024, arXiv:2401.10480, with `agreement`.
 *
 * A round is drawn side by side, so a batch of b takes the time of one answer and overshoots by at most b − 1 draws. The
 * answer is the aggregator's of all that were drawn, as in both papers; ties are the aggregator's. Draws that failed count
 * towards `most` and cast no vote.
 *
 * **What a stop that depends on the data biases**: the draws end where the leader happens to be ahead, so its share of the
 * votes, which is the confidence of a majority vote, is too high on average. The outcome is marked `biased`: do not estimate an
 * accuracy or a pass@k out of such draws, and calibrate the confidence on runs with the same stop.
 * Cost: at most `most` answers. Not worth it where a vote of fixed size is asked in one parallel call whose time alone counts.
 */
import type { Aggregate, Aggregator } from "../aggregator.ts";
import type { Node } from "../node.ts";
import type { Policy } from "../policy.ts";
import type { Outcome, Search } from "../search.ts";
import { propose } from "../search.ts";
import { checkWhole } from "../options.ts";
import { drawRound } from "./draw.ts";
import { betaCriterion, type Criterion } from "./stopping.ts";

export interface AdaptiveConsistencyOptions<S> {
  /** Counts the votes: one for each answer, as `majority`. */
  readonly aggregator: Aggregator<S>;
  /** @default betaCriterion() */
  readonly criterion?: Criterion;
  /** @default 40 */
  readonly most?: number;
  /** Answers drawn at once. @default the criterion's: 1, or the window of `agreement` */
  readonly batch?: number;
  readonly policy?: Policy<S>;
}

export interface AdaptiveOutcome<S> extends Outcome<S> {
  readonly tally: Aggregate<S>["tally"];
  /** What ended the draws. */
  readonly ended: "criterion" | "most" | "budget";
  /** Answers asked for, those that failed included. */
  readonly draws: number;
  /** The criterion's probability at the end, where it has one. */
  readonly certainty?: number;
  /** The number of draws depended on what was drawn: shares of votes are too high on average, the confidence is one of them. */
  readonly biased: true;
}

export function adaptiveConsistency<S>({
  aggregator,
  criterion = betaCriterion(),
  most = 40,
  batch = criterion.batch,
  policy,
}: AdaptiveConsistencyOptions<S>): Search<S, AdaptiveOutcome<S>> {
  checkWhole("adaptive consistency", "most", most, 1);
  checkWhole("adaptive consistency", "batch", batch, 1);
  const weightsOf = (voters: readonly Node<S>[]) => aggregator.aggregate(voters).tally.map(({ weight }) => weight);

  return {
    name: "adaptive-consistency",
    options: {
      aggregator: aggregator.name,
      criterion: [criterion.name, criterion.options],
      most,
      batch,
      policy: policy?.name ?? null,
    },
    *run(root) {
      const candidates: Node<S>[] = [];
      let draws = 0;
      let ended: AdaptiveOutcome<S>["ended"] = "most";
      let certainty: number | undefined;
      while (draws < most) {
        const count = Math.min(batch, most - draws);
        const { drawn, spent } = yield* drawRound(root, count, policy, function* (answer) {
          yield* propose(answer, 0);
          return answer;
        });
        if (spent && candidates.length + drawn.length === 0) throw spent;
        draws += count;
        candidates.push(...drawn);
        const { answer, tally } = aggregator.aggregate(candidates);
        if (answer) yield* propose(answer, draws); // the better informed leader
        const verdict = criterion.judge({
          weights: tally.map(({ weight }) => weight),
          last: (window) => weightsOf(candidates.slice(-window)),
        });
        ({ certainty } = verdict);
        if (!verdict.stop && !spent) continue;
        ended = verdict.stop ? "criterion" : "budget";
        break;
      }
      const { answer = candidates[0], confidence, tally } = aggregator.aggregate(candidates);
      return {
        answer,
        candidates,
        tally,
        ended,
        draws,
        biased: true,
        ...(certainty !== undefined && { certainty }),
        ...(confidence !== undefined && { confidence }),
      };
    },
  };
}
