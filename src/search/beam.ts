/**
 * Beam search: keep the `width` best partial answers, extend each by `branch` steps, and go on until all kept are done.
 *
 * A step is what the policy's step is. Over tokens with `draw: "top"` it is the classic algorithm: every kept hypothesis
 * is extended by its `branch` most probable tokens, and the `width` most likely of all survive (Lowerre 1976; as in
 * Graves 2012, arXiv:1211.3711). Width 1 is greedy decoding; a width no smaller than the number of prefixes is exact.
 * Over lines with `draw: "sample"` and a step scorer it is the step-level beam of Snell et al. 2024, arXiv:2408.03314, §5.2.
 *
 * Partial answers are ranked by `rank`: cumulative log-probability (the default), log-probability per token raised to
 * `lengthPenalty` (Wu et al. 2016, arXiv:1609.08144, eq. 14, with their 5/6 offsets), or a scorer's opinion. Finished
 * answers keep their place in the beam and compete with unfinished ones. Equal states are merged when `distinct` (equal
 * text): the more probable stays. Ties: the earlier place.
 * Cost: width × branch steps a level, at most `maxSteps` levels.
 */
import type { Node } from "../node.ts";
import { comparePlaces } from "../node.ts";
import type { Draw } from "../policy.ts";
import type { Scorer } from "../scorer.ts";
import { rankOf } from "../scorer.ts";
import type { Program, Search } from "../search.ts";
import { all, BudgetSpent, extend, propose, score } from "../search.ts";
import { checkWhole } from "./options.ts";

export interface BeamOptions<S> {
  /** Partial answers kept. @default 4 */
  readonly width?: number;
  /** Children of each. @default the width */
  readonly branch?: number;
  /** `top`: the most probable steps (tokens only); `sample`: draws. @default "top" */
  readonly draw?: Draw;
  /** Ranks partial answers. @default cumulative log-probability */
  readonly scorer?: Scorer<S>;
  /** α of the length penalty ((5 + length) / 6)^α, when ranking by log-probability; 0 is none. @default 0 */
  readonly lengthPenalty?: number;
  /** Merges states that are equal by this key. */
  readonly distinct?: (state: S) => string;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export function beam<S>(options: BeamOptions<S> = {}): Search<S> {
  const { width = 4, branch = width, draw = "top", scorer, lengthPenalty = 0, distinct, maxSteps = 1000 } = options;
  checkWhole("beam", "width", width, 1);
  checkWhole("beam", "branch", branch, 1);
  checkWhole("beam", "maxSteps", maxSteps, 1);
  if (!Number.isFinite(lengthPenalty))
    throw new RangeError(
      `Cannot use beam as 'lengthPenalty' must be a finite number: current value is ${lengthPenalty}`,
    );

  const likelihood = (node: Node<S>) => node.totalLogProb / ((5 + node.length) / 6) ** lengthPenalty;

  function* grow(node: Node<S>): Program<S, Ranked<S>[]> {
    const children = yield* extend(node, { count: branch, draw });
    if (!scorer) return children.map((child) => ({ node: child, rank: likelihood(child) }));
    const scores = yield* score(children, { by: scorer });
    // An unscored child ranks below every scored one, and never poisons the others.
    return children.map((child, i) => ({
      node: child,
      rank: scores[i] ? rankOf(scores[i]) : Number.NEGATIVE_INFINITY,
    }));
  }

  return {
    name: "beam",
    options: {
      width,
      branch,
      draw,
      scorer: scorer?.name ?? null,
      lengthPenalty,
      distinct: distinct !== undefined,
      maxSteps,
    },
    *run(root) {
      let kept: Ranked<S>[] = [{ node: root, rank: 0 }];
      for (let step = 0; step < maxSteps && kept.some(({ node }) => !node.done); step++) {
        const finished = kept.filter(({ node }) => node.done);
        const open = kept.filter(({ node }) => !node.done);
        let grown: Ranked<S>[][];
        try {
          grown = yield* all(open.map(({ node }) => grow(node)));
        } catch (error) {
          if (!(error instanceof BudgetSpent) || finished.length === 0) throw error;
          kept = finished;
          break;
        }
        kept = [...finished, ...grown.flat()].sort(bestFirst);
        if (distinct) kept = firstOfEach(kept, ({ node }) => distinct(node.state));
        kept = kept.slice(0, width);
        for (const { node, rank } of kept) if (node.done) yield* propose(node, rank);
        if (kept.length === 0) break;
      }
      const candidates = kept.filter(({ node }) => node.done && node !== root).map(({ node }) => node);
      return { answer: candidates[0], candidates };
    },
  };
}

interface Ranked<S> {
  readonly node: Node<S>;
  readonly rank: number;
}

// NaN (a model without log-probabilities) ranks last.
function bestFirst<S>(a: Ranked<S>, b: Ranked<S>): number {
  const [x, y] = [
    Number.isNaN(a.rank) ? Number.NEGATIVE_INFINITY : a.rank,
    Number.isNaN(b.rank) ? Number.NEGATIVE_INFINITY : b.rank,
  ];
  return x === y ? comparePlaces(a.node.id, b.node.id) : y - x;
}

function firstOfEach<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    const key = keyOf(item);
    return !seen.has(key) && seen.add(key);
  });
}
