/**
 * Best-first search over steps: whichever partial answer the scorer likes most, anywhere in the tree, is grown next.
 *
 * `branch` steps are drawn after it, each is scored, and all join the queue, so a path that turns out badly is left for an
 * older one without being given up. It ends when a finished answer comes off the queue: nothing open was liked more.
 * The two moves of MindStar (Kang et al. 2024, arXiv:2405.16265: expand by drawn steps, go on from the one that the process
 * reward model likes most), here with a queue that keeps all earlier steps; their second order, by Levin's cost, is levin.ts.
 *
 * With a scorer that knows the best reachable end it walks straight to it, one expansion a step. With one that falls as answers
 * grow (a product of probabilities) it turns into breadth-first search; with one that misjudges it returns the
 * misjudged answer sooner than a beam. Ties: a finished answer, the deeper one, the earlier place. What could not be scored is
 * grown last. Cost: branch steps and scores an expansion, at most `maxNodes` of them, one after the other.
 */
import type { Draw } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { deepestFirst, takeBestFirst } from "./frontier.ts";
import { checkWhole } from "../../options.ts";
import { growScored, type Ranked } from "../ranked.ts";

export interface BestFirstOptions<S> {
  /** Judges partial and finished answers on one scale. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Steps drawn after a partial answer. @default 4 */
  readonly branch?: number;
  /** `top`: the most probable steps (tokens only). @default "sample" */
  readonly draw?: Draw;
  /** Partial answers grown before giving up. @default 1000 */
  readonly maxNodes?: number;
}

export function bestFirst<S>({
  scorer,
  branch = 4,
  draw = "sample",
  maxNodes = 1000,
}: BestFirstOptions<S> = {}): Search<S> {
  checkWhole("best-first", "branch", branch, 1);
  checkWhole("best-first", "maxNodes", maxNodes, 1, 100_000_000);
  return {
    name: "best-first",
    options: { scorer: scorer?.name ?? null, branch, draw, maxNodes },
    *run(root) {
      const finished: Ranked<S>[] = [];
      function* grow({ node }: Ranked<S>): Program<S, Ranked<S>[]> {
        const children = yield* growScored(node, { count: branch, draw, scorer });
        for (const child of children)
          if (child.node.done) {
            finished.push(child);
            yield* propose(child.node, child.rank);
          }
        return children;
      }
      yield* takeBestFirst<S, Ranked<S>>({ node: root, rank: 0 }, { compare: deepestFirst, grow, maxNodes });
      const candidates = finished.sort(deepestFirst).map(({ node }) => node);
      return { answer: candidates[0], candidates };
    },
  };
}
