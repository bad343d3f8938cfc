/**
 * Levin tree search: grows the partial answer of least (nodes on its path) / π(path), where π is a policy's probability.
 *
 * Orseau, Lelis, Lattimore & Weber 2018, arXiv:1811.10928, LevinTS. The cost grows along every path, and an answer of d
 * nodes, the root counted, and probability π is found after at most d / π expansions, whatever else the tree holds. So it
 * suits answers that must be *found* and can be told (`verifier`), to which the model gives a small but not vanishing
 * probability. Log-probability alone has no such bound: it follows a path that is certain for ever, and the others wait.
 *
 * π is the model's own: log π = `totalLogProb`. With `guide` it is made of a process reward instead: at each node, the
 * softmax of the children's rewards over `temperature`. Both are policies, so the bound holds for the tree that was drawn.
 * (MindStar, Kang et al. 2024, arXiv:2405.16265, searches reasoning steps in Levin's order with a process reward; this is
 * Orseau's cost with a softmax of rewards, not their formula.)
 *
 * A finished answer costs no expansion. Those that the verifier refuses are passed over; without a verifier the first that comes
 * off the queue is the answer. If none is accepted, the best judged one is, or where none was judged, the first of the queue.
 * Costs are kept as logarithms. Ties: a finished answer, then the earlier place. What the guide could not score comes last.
 * Cost: branch steps an expansion, at most `maxNodes`.
 */
import { logSumExp } from "../../math/log-space.ts";
import type { Node } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { extend, propose, score } from "../../search.ts";
import { finishedFirst, takeBestFirst } from "./frontier.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { byRank, growScored, type Ranked } from "../ranked.ts";

export interface LevinOptions<S> {
  /** Judges finished answers. @default the first finished answer is taken */
  readonly verifier?: Scorer<S>;
  /** The least score of an answer that ends the search; a verdict counts 1 or 0. @default 1 */
  readonly enough?: number;
  /** A process reward that makes the policy. @default the model's own probabilities */
  readonly guide?: { readonly scorer: Scorer<S>; readonly temperature: number };
  /** @default 4 */
  readonly branch?: number;
  /** `top`: the most probable steps (tokens only). @default "sample" */
  readonly draw?: Draw;
  /** Partial answers grown before giving up. @default 1000 */
  readonly maxNodes?: number;
}

interface Weighted<S> extends Ranked<S> {
  /** log π of the path. */
  readonly logPolicy: number;
}

export function levin<S>({
  verifier,
  enough = 1,
  guide,
  branch = 4,
  draw = "sample",
  maxNodes = 1000,
}: LevinOptions<S> = {}): Search<S> {
  checkWhole("levin", "branch", branch, 1);
  checkWhole("levin", "maxNodes", maxNodes, 1, 100_000_000);
  checkNumber("levin", "enough", enough);
  if (guide) checkNumber("levin", "temperature", guide.temperature, { above: 0 });

  // -log(d / π), d counting the root
  const weighted = (node: Node<S>, logPolicy: number): Weighted<S> => ({
    node,
    logPolicy,
    rank: logPolicy - Math.log(node.depth + 1),
  });

  function* grow(parent: Weighted<S>): Program<S, Weighted<S>[]> {
    if (!guide) {
      const children = yield* extend(parent.node, { count: branch, draw });
      return children
        .filter(({ totalLogProb }) => totalLogProb > Number.NEGATIVE_INFINITY) // NaN too: a model that does not tell
        .map((child) => weighted(child, child.totalLogProb));
    }
    const children = yield* growScored(parent.node, { count: branch, draw, scorer: guide.scorer });
    const total = logSumExp(children.map(({ rank }) => rank / guide.temperature));
    return children.map(({ node, rank }) =>
      weighted(
        node,
        rank > Number.NEGATIVE_INFINITY
          ? parent.logPolicy + rank / guide.temperature - total
          : Number.NEGATIVE_INFINITY,
      ),
    );
  }

  return {
    name: "levin",
    options: {
      verifier: verifier?.name ?? null,
      enough,
      guide: guide ? { scorer: guide.scorer.name, temperature: guide.temperature } : null,
      branch,
      draw,
      maxNodes,
    },
    *run(root) {
      /** Finished answers that are on the queue. */
      const waiting = new Map<Node<S>, Weighted<S>>();
      const finished: Ranked<S>[] = [];
      function* growNext(parent: Weighted<S>): Program<S, Weighted<S>[]> {
        const children = yield* grow(parent);
        for (const child of children) if (child.node.done) waiting.set(child.node, child);
        return children;
      }
      function* isGoal(node: Node<S>): Program<S, boolean> {
        const [judged] = verifier ? yield* score([node], { by: verifier }) : [];
        const rank = judged ? rankOf(judged) : Number.NEGATIVE_INFINITY;
        waiting.delete(node);
        finished.push({ node, rank });
        yield* propose(node, rank);
        return !verifier || rank >= enough;
      }
      const start = weighted(root, 0);
      yield* takeBestFirst<S, Weighted<S>>(start, { compare: finishedFirst, grow: growNext, isGoal, maxNodes });
      const candidates = [...finished.sort(byRank), ...[...waiting.values()].sort(finishedFirst)].map(
        ({ node }) => node,
      );
      return { answer: candidates[0], candidates };
    },
  };
}
