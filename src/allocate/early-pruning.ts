/**
 * Early pruning: begin many answers, and finish only those whose beginnings are judged best.
 *
 * n answers grow side by side. After each number of steps in `after` all are scored, and the best share goes on; what is left
 * is finished, scored and ranked. An answer that ends before that is judged when it does and is out of the race, not of the ranking.
 * Failed ones are out, unscored ones last; ties: the earlier place.
 *
 * - One rung is the pruning of Manvi, Singh & Ermon 2024, arXiv:2410.02725: a fixed share of parallel samples goes after a fixed
 *   number of tokens. Their signal is the model's own probability that a restart would do no better; here any scorer.
 * - Several rungs are successive halving: Jamieson & Talwalkar 2016, arXiv:1502.07943, algorithm 1, ⌊share · n⌋ but at least one;
 *   their arms get equal shares of a given budget each rung, here a rung is a number of steps.
 *
 * Pays where the partial score knows something of the whole one and beginnings are a small part of answers. By a score that knows
 * nothing it is best of the fewer that are left. Cost: the steps that are drawn, one score for each answer at each rung and its end.
 * The survivors are a selection: no pass@k and no accuracy of a single sample is to be estimated from them (`biased`).
 */
import type { Node } from "../node.ts";
import { checkBetween, checkWhole } from "../options.ts";
import type { Policy } from "../policy.ts";
import { allAffordable } from "../program.ts";
import type { Scorer } from "../scorer.ts";
import type { Outcome, Program, Search } from "../search.ts";
import { extend } from "../search.ts";
import { byRank, judge, type Judged } from "./draw.ts";

export interface EarlyPruningOptions<S> {
  /** Answers begun. @default 16 */
  readonly n?: number;
  /** Steps after which answers are compared, ascending. @default [1] */
  readonly after?: readonly number[];
  /** The share that goes on each time; in (0, 1). @default 0.5 */
  readonly keep?: number;
  /** Judges partial and whole answers on one scale. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  readonly policy?: Policy<S>;
}

export interface EarlyPruningOutcome<S> extends Outcome<S> {
  /** Answers that were given up before their end. */
  readonly pruned: number;
  /** The candidates were selected by their beginnings: they are no independent samples. */
  readonly biased: true;
}

export function earlyPruning<S>({
  n = 16,
  after = [1],
  keep = 0.5,
  scorer,
  policy,
}: EarlyPruningOptions<S> = {}): Search<S, EarlyPruningOutcome<S>> {
  checkWhole("early pruning", "n", n, 1);
  for (const [i, steps] of after.entries()) checkWhole("early pruning", "after", steps, (after[i - 1] ?? 0) + 1);
  checkBetween("early pruning", "keep", keep, [0, 1], { open: true });

  /** Grows to `steps` below the root, or to the end, and scores; undefined where it failed. */
  function* grown(from: Node<S>, steps: number): Program<S, Judged<S> | undefined> {
    let node = from;
    while (!node.done && node.depth < steps) {
      const [next] = yield* extend(node, { policy });
      if (!next) return undefined;
      node = next;
    }
    return yield* judge(node, scorer);
  }

  return {
    name: "early-pruning",
    options: { n, after, keep, scorer: scorer?.name ?? null, policy: policy?.name ?? null },
    *run(root) {
      const finished: Judged<S>[] = [];
      let begun: Judged<S>[] = Array.from({ length: n }, () => ({ node: root, rank: undefined }));
      let pruned = 0;
      for (const rung of [...after, Number.POSITIVE_INFINITY]) {
        const { results, spent } = yield* allAffordable(begun.map(({ node }) => grown(node, root.depth + rung)));
        const grownNow = results.filter((one) => one !== undefined);
        finished.push(...grownNow.filter(({ node }) => node.done));
        begun = grownNow.filter(({ node }) => !node.done).sort(byRank);
        if (spent && begun.length + finished.length === 0) throw spent;
        const kept = begun.length === 0 ? 0 : Math.max(1, Math.floor(keep * begun.length + 1e-9));
        pruned += begun.length - kept;
        begun = begun.slice(0, kept);
      }
      const candidates = finished.sort(byRank).map(({ node }) => node);
      return { answer: candidates[0], candidates, pruned, biased: true };
    },
  };
}
