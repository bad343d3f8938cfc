/**
 * Tree of thoughts, depth first: follow the most promising step, give up what is not promising, and backtrack.
 *
 * Yao et al. 2023, arXiv:2305.10601, algorithm 2: `branch` thoughts are drawn after a state, those whose value is not above
 * `threshold` are pruned, the others are gone into in order of value, until an answer is accepted. Their algorithm 1, breadth
 * first, is `beam({ width: b, branch: k, draw: "sample", scorer })`: see beam.ts. They ask a language model for the values,
 * of one state at a time or by a vote among states; here any scorer of one state gives them (there is no vote).
 *
 * Departures: the paper goes on and records every output, here the first accepted answer ends the search: one that the
 * `verifier` gives at least `enough`, or without a verifier any that was scored above the threshold. If none is accepted, the best
 * of those that were reached is the answer; if none was reached, the best that was still to be gone into. A thought that could
 * not be scored is neither good nor bad: it is gone into after its scored siblings. Ties: the earlier sample. Cost: branch
 * steps and scores a node, at most `maxNodes` nodes, one after the other. Use it where a wrong step shows early; where the
 * values are noise, it digs in the first place that it tries.
 */
import type { Draw } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { BudgetSpent, propose, score } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { byRank, growScored, type Ranked } from "../ranked.ts";

export interface TreeOfThoughtsOptions<S> {
  /** Values of states. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** v_th: what is not above it is pruned. @default -Infinity: nothing is */
  readonly threshold?: number;
  /** k: thoughts drawn after a state. @default 4 */
  readonly branch?: number;
  /** @default "sample" */
  readonly draw?: Draw;
  /** Judges finished answers. @default the first that was not pruned is accepted */
  readonly verifier?: Scorer<S>;
  /** The least score by the verifier that is accepted; a verdict counts 1 or 0. @default 1 */
  readonly enough?: number;
  /** T: steps of the deepest state that is grown. @default 1000 */
  readonly maxSteps?: number;
  /** States grown before giving up. @default 1000 */
  readonly maxNodes?: number;
}

export function treeOfThoughts<S>({
  scorer,
  threshold = Number.NEGATIVE_INFINITY,
  branch = 4,
  draw = "sample",
  verifier,
  enough = 1,
  maxSteps = 1000,
  maxNodes = 1000,
}: TreeOfThoughtsOptions<S> = {}): Search<S> {
  checkWhole("tree-of-thoughts", "branch", branch, 1);
  checkWhole("tree-of-thoughts", "maxSteps", maxSteps, 1);
  checkWhole("tree-of-thoughts", "maxNodes", maxNodes, 1, 100_000_000);
  checkNumber("tree-of-thoughts", "enough", enough);
  if (Number.isNaN(threshold))
    throw new RangeError("Cannot use tree-of-thoughts as 'threshold' must be a number: current value is NaN");
  return {
    name: "tree-of-thoughts",
    options: {
      scorer: scorer?.name ?? null,
      threshold: Number.isFinite(threshold) ? threshold : `${threshold}`,
      branch,
      draw,
      verifier: verifier?.name ?? null,
      enough,
      maxSteps,
      maxNodes,
    },
    *run(root) {
      const reached: Ranked<S>[] = [];
      function* isAccepted({ node, rank: value }: Ranked<S>): Program<S, boolean> {
        const [judged] = verifier ? yield* score([node], { by: verifier }) : [];
        const rank = verifier ? (judged ? rankOf(judged) : Number.NEGATIVE_INFINITY) : value;
        reached.push({ node, rank });
        yield* propose(node, rank);
        return verifier ? rank >= enough : rank > Number.NEGATIVE_INFINITY;
      }

      const stack: Ranked<S>[] = [{ node: root, rank: 0 }];
      try {
        let grown = 0;
        for (let state = stack.pop(); state; state = stack.pop()) {
          if (state.node.done) {
            if (yield* isAccepted(state)) break;
          } else if (state.node.depth < maxSteps) {
            if (grown++ === maxNodes) break;
            const thoughts = yield* growScored(state.node, { count: branch, draw, scorer });
            const kept = thoughts.filter(({ rank }) => rank > threshold || rank === Number.NEGATIVE_INFINITY);
            stack.push(...kept.sort(byRank).reverse()); // the best on top
          }
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent)) throw error;
      }
      const waiting = stack.filter(({ node }) => node.done).sort(byRank);
      const candidates = [...reached.sort(byRank), ...waiting].map(({ node }) => node);
      return { answer: candidates[0], candidates };
    },
  };
}
