/**
 * DeepConf: a vote that stops chains of thought while their confidence is low, weighs the others by it, and ends when it is decided.
 *
 * - The confidence of a *group* is the mean over its last `window` tokens; of an answer, that of its least confident group (an answer
 *   shorter than the window is one group).
 * - `warmUp` answers are drawn whole. The threshold is the percentile of their confidences that a share `keep` is at or above.
 * - From then on an answer is stopped as soon as a whole group is below the threshold. What was stopped has no vote, and neither
 *   have warm-up answers below the threshold.
 * - An answer's vote weighs its confidence. When the leader has `consensus` of all weight, nothing more is drawn; at most `most` are.
 *
 * Fu, Wang, Tian & Zhao 2025, arXiv:2508.15260, §3 (online, lowest group confidence; `keep` 0.1 is DeepConf-low, 0.9 DeepConf-high;
 * their window is 2,048 tokens, warm-up 16, consensus 0.95). Departures: a token's confidence is its own log p, where theirs is minus
 * the mean log-probability of the k most probable tokens there, which most models here do not tell; weights are exp of it, the
 * geometric mean of p, as log p is negative. A group is checked at the end of each step of the policy and goes back over whole steps
 * until it has `window` tokens: with steps of one token that is theirs exactly. Consensus is looked at after each `batch`.
 *
 * Pays where answers are long and what goes wrong shows in the model's own probabilities. Needs a model that tells log-probabilities;
 * an answer without any weighs nothing. Which answers vote, and how many, depends on what was drawn: shares of votes are
 * too high on average, and the outcome says so. Cost: at most `most` answers, those that were stopped in part.
 */
import type { Node } from "../node.ts";
import { pathTo } from "../node.ts";
import { checkBetween, checkWhole } from "../options.ts";
import type { Policy } from "../policy.ts";
import { allAffordable } from "../program.ts";
import type { Outcome, Program, Search } from "../search.ts";
import { extend, propose } from "../search.ts";

export interface DeepConfOptions<S> {
  /** What votes are counted for; undefined casts no vote. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** Tokens of a group. @default 2048 */
  readonly window?: number;
  /** @default 16 */
  readonly warmUp?: number;
  /** The share of answers like those of the warm-up that goes on; in (0, 1). @default 0.9 */
  readonly keep?: number;
  /** The leader's share of the weight that ends the draws; in [0, 1]; 1 ends them only where all agree, 0 after the warm-up. @default 0.95 */
  readonly consensus?: number;
  /** Answers begun at most, the warm-up among them. @default 64 */
  readonly most?: number;
  /** Answers drawn at once after the warm-up. @default 1 */
  readonly batch?: number;
  readonly policy?: Policy<S>;
}

export interface DeepConfOutcome<S> extends Outcome<S> {
  readonly ended: "consensus" | "most" | "budget";
  /** Answers begun. */
  readonly draws: number;
  /** Of these, stopped before their end. */
  readonly cut: number;
  /** In nats per token; undefined where the warm-up told no confidence. */
  readonly threshold: number | undefined;
  /** Weight of each distinct answer, greatest first; `node` is its most confident one. */
  readonly tally: readonly { readonly answer: string; readonly weight: number; readonly node: Node<S> }[];
  /** Votes and their number depended on what was drawn: shares are too high on average, the confidence is one of them. */
  readonly biased: true;
}

interface Trace<S> {
  readonly node: Node<S>;
  /** Of its least confident group, mean log p per token; NaN where the model does not tell. */
  readonly lowest: number;
}

export function deepConf<S>({
  canonical,
  window = 2048,
  warmUp = 16,
  keep = 0.9,
  consensus = 0.95,
  most = 64,
  batch = 1,
  policy,
}: DeepConfOptions<S>): Search<S, DeepConfOutcome<S>> {
  for (const [name, value] of Object.entries({ window, warmUp, most, batch })) checkWhole("DeepConf", name, value, 1);
  checkBetween("DeepConf", "keep", keep, [0, 1], { open: true });
  checkBetween("DeepConf", "consensus", consensus, [0, 1]);

  /** Drawn to its end, or until a whole group is below the threshold; undefined where it failed. */
  function* traced(root: Node<S>, threshold: number): Program<S, Trace<S> | undefined> {
    let node = root;
    let lowest = Number.POSITIVE_INFINITY;
    while (!node.done) {
      const [next] = yield* extend(node, { policy });
      if (!next) return undefined;
      node = next;
      const group = lastGroup(node, window);
      if (group.whole || (node.done && lowest === Number.POSITIVE_INFINITY)) lowest = Math.min(lowest, group.mean);
      if (group.whole && group.mean < threshold) break;
    }
    if (node.done) yield* propose(node, 0);
    return { node, lowest };
  }

  return {
    name: "deep-conf",
    options: { window, warmUp, keep, consensus, most, batch, policy: policy?.name ?? null },
    *run(root) {
      const traces: Trace<S>[] = [];
      let threshold = Number.NEGATIVE_INFINITY;
      let ended: DeepConfOutcome<S>["ended"] = "most";
      let draws = 0;
      let tally: DeepConfOutcome<S>["tally"] = [];
      while (draws < most) {
        const count = Math.min(draws === 0 ? warmUp : batch, most - draws);
        const round = yield* allAffordable(Array.from({ length: count }, () => traced(root, threshold)));
        traces.push(...round.results.filter((one) => one !== undefined));
        if (round.spent && traces.length === 0) throw round.spent;
        if (draws === 0)
          threshold = percentile(
            traces.map(({ lowest }) => lowest),
            1 - keep,
          );
        draws += count;
        tally = votes(
          traces.filter(({ node, lowest }) => node.done && !(lowest < threshold)),
          canonical,
        );
        const [leader] = tally;
        if (leader) yield* propose(leader.node, draws); // the better informed leader
        if (round.spent) ended = "budget";
        else if (leader && shareOf(tally) >= consensus - 1e-12) ended = "consensus";
        else continue;
        break;
      }
      const finished = traces.flatMap(({ node }) => (node.done ? [node] : []));
      const [leader] = tally;
      return {
        answer: leader?.node ?? finished[0],
        candidates: finished,
        tally,
        ended,
        draws,
        cut: traces.length - finished.length,
        threshold: threshold === Number.NEGATIVE_INFINITY ? undefined : threshold,
        biased: true,
        ...(leader && { confidence: shareOf(tally) }),
      };
    },
  };
}

/** The last steps that together have `window` tokens, or all there are: their mean log p per token. */
function lastGroup<S>(node: Node<S>, window: number): { readonly mean: number; readonly whole: boolean } {
  let [sum, length] = [0, 0];
  for (const { logProb, length: upTo, parent } of pathTo(node).reverse()) {
    sum += logProb;
    length += upTo - (parent?.length ?? 0);
    if (length >= window) return { mean: sum / length, whole: true };
  }
  return { mean: sum / length, whole: false };
}

/** Linear between the values: that a share `below` of them lies under. NaNs are left out; −Infinity where there is nothing. */
function percentile(values: readonly number[], below: number): number {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NEGATIVE_INFINITY;
  const place = below * (sorted.length - 1);
  const low = sorted[Math.floor(place)] as number;
  const high = sorted[Math.ceil(place)] as number;
  return low + (place - Math.floor(place)) * (high - low);
}

/** Ties: the answer that was drawn first. */
function votes<S>(traces: readonly Trace<S>[], canonical: (node: Node<S>) => string | undefined) {
  const tally = new Map<string, { answer: string; weight: number; node: Node<S>; best: number }>();
  for (const { node, lowest } of traces) {
    const answer = canonical(node);
    if (answer === undefined) continue;
    const weight = Number.isNaN(lowest) ? 0 : Math.exp(lowest);
    const vote = tally.get(answer) ?? { answer, weight: 0, node, best: weight };
    vote.weight += weight;
    if (weight > vote.best) [vote.node, vote.best] = [node, weight];
    tally.set(answer, vote);
  }
  return [...tally.values()]
    .sort((a, b) => b.weight - a.weight)
    .map(({ answer, weight, node }) => ({ answer, weight, node }));
}

/** Of the leader. */
function shareOf(tally: readonly { readonly weight: number }[]): number {
  const all = tally.reduce((sum, { weight }) => sum + weight, 0);
  return all > 0 ? (tally[0]?.weight ?? 0) / all : 0;
}
