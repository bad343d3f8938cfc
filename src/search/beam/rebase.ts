/**
 * REBASE, reward balanced search: at every depth the samples that are left are shared out by the softmax of rewards.
 *
 * Wu et al. 2024, arXiv:2408.00724, §3.1.2. `n` first steps are drawn and scored. At depth i the answers that were finished
 * there leave the budget, B_i = B_{i-1} - C_i, and each open node n_j is given
 *     W_j = Round(B_i · exp(R_j / T_b) / Σ_k exp(R_k / T_b))                                                        (eq. 1)
 * children, until B is 0 or nothing is open. So good nodes are grown more and bad ones not at all, no rollout is needed, and
 * all n samples end in answers to choose among. Given the rewards, the widths are without chance.
 *
 * Rounding each width by itself need not sum to B_i. Here the widths are those of eq. 1 wherever these do, and always sum to
 * B_i, by largest remainders: each width is the whole part of its share, and what is left goes, one each, to the largest
 * fractions (ties: the higher reward, then the earlier place). So each is within one of its share. See `balancedWidths`. (The
 * authors' code takes ceilings from the highest reward down until nothing is left: this doubles the best and drops the worst
 * even where rewards hardly differ.)
 *
 * The answer is the best by its last reward, or what `aggregator` makes of all finished ones (the paper finds a vote weighted
 * by rewards best). A node without a reward gets nothing, unless none has one: then all have equal shares. Failed samples
 * are drawn again at the next depth from what is open, as B counts finished answers only.
 * Cost: at most n steps and scores a level. Use it as best-of-n with a process scorer; a low T_b makes it greedy.
 */
import type { Aggregate, Aggregator } from "../../aggregator.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { byRank, growScored, type Ranked } from "../ranked.ts";

export interface RebaseOptions<S> {
  /** R: judges partial and finished answers. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** N: answers to end with. @default 16 */
  readonly n?: number;
  /** T_b, in units of the reward. @default 0.2, as in the authors' settings, for rewards in [0, 1] */
  readonly balance?: number;
  /** Chooses among the finished answers. @default the best by reward */
  readonly aggregator?: Aggregator<S>;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export interface RebaseOutcome<S> extends Outcome<S> {
  /** Of the aggregator, where there is one. */
  readonly tally?: Aggregate<S>["tally"];
}

export function rebase<S>({
  scorer,
  n = 16,
  balance = 0.2,
  aggregator,
  maxSteps = 1000,
}: RebaseOptions<S> = {}): Search<S, RebaseOutcome<S>> {
  checkWhole("rebase", "n", n, 1);
  checkWhole("rebase", "maxSteps", maxSteps, 1);
  checkNumber("rebase", "balance", balance, { above: 0 });
  return {
    name: "rebase",
    options: { scorer: scorer?.name ?? null, n, balance, aggregator: aggregator?.name ?? null, maxSteps },
    *run(root) {
      const finished: Ranked<S>[] = [];
      const answers = () => finished.toSorted(byRank).map(({ node }) => node);

      let open: Ranked<S>[] = [{ node: root, rank: 0 }];
      for (let step = 0; step < maxSteps && open.length > 0 && finished.length < n; step++) {
        open.sort(byRank);
        const widths = balancedWidths(
          open.map(({ rank }) => rank),
          n - finished.length,
          balance,
        );
        const programs = open.flatMap(({ node }, i) => {
          const count = widths[i] as number;
          return count > 0 ? [growScored(node, { count, scorer })] : [];
        });
        const { results, spent } = yield* allAffordable(programs);
        const children = results.flatMap((some) => some ?? []);
        open = children.filter(({ node }) => !node.done);
        for (const child of children) {
          if (!child.node.done) continue;
          finished.push(child);
          if (!aggregator) yield* propose(child.node, child.rank);
        }
        const leader = finished.length > 0 && aggregator?.aggregate(answers()).answer;
        if (leader) yield* propose(leader, finished.length); // the more answers, the better informed
        if (!spent) continue;
        if (finished.length === 0) throw spent;
        break;
      }
      const candidates = answers();
      if (!aggregator) return { answer: candidates[0], candidates };
      const { answer = candidates[0], confidence, tally } = aggregator.aggregate(candidates);
      return { answer, candidates, tally, ...(confidence === undefined ? {} : { confidence }) };
    },
  };
}

/**
 * Children for each node, given their rewards: the softmax's shares of the budget, by largest remainders; of equals the first
 * is served first. They sum to the budget. A reward of -Infinity gets none, unless there is no other: then all are equal.
 */
export function balancedWidths(rewards: readonly number[], budget: number, temperature: number): number[] {
  const most = rewards.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const weights = rewards.map((reward) => (reward === most ? 1 : Math.exp((reward - most) / temperature)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => (budget * weight) / total);
  const widths = shares.map(Math.floor);
  const fraction = (j: number) => (shares[j] as number) - (widths[j] as number);
  const left = budget - widths.reduce((sum, width) => sum + width, 0);
  const served = new Set([...shares.keys()].sort((j, k) => fraction(k) - fraction(j)).slice(0, left));
  return widths.map((width, j) => width + (served.has(j) ? 1 : 0));
}
