/**
 * Beam search: keep the `width` best partial answers, extend each by `branch` steps, and go on until all kept are done.
 *
 * A step is what the policy's step is. Over tokens with `draw: "top"` it is the classic algorithm: every kept hypothesis
 * is extended by its `branch` most probable tokens, and the `width` most likely of all survive (Lowerre 1976; as in
 * Graves 2012, arXiv:1211.3711). Width 1 is greedy decoding; a width no smaller than the number of prefixes is exact.
 *
 * Over steps with `draw: "sample"` and a scorer of partial answers it goes by several names:
 * - Snell et al. 2024, arXiv:2408.03314, §5.2: beam search against a process verifier, N steps and N / M kept.
 * - Step-level beam search with a value model, Chen et al. 2024, arXiv:2405.03553 (AlphaMath): `width` is their B1, `branch`
 *   their B2 (5 by default), the scorer their value of the state, where width 1 is their fast stand-in for tree search.
 * - Tree of thoughts, breadth first, Yao et al. 2023, arXiv:2305.10601, algorithm 1: `width` is b, `branch` k, the scorer the
 *   value prompt. They take a fixed number of steps, here it ends when all that are kept are finished.
 *
 * Partial answers are ranked by `rank`: cumulative log-probability (the default), log-probability per token raised to
 * `lengthPenalty` (Wu et al. 2016, arXiv:1609.08144, eq. 14, with their 5/6 offsets), or a scorer's opinion. Finished
 * answers keep their place in the beam and compete with unfinished ones. Equal states are merged when `distinct` (equal
 * text): the more probable stays. Where none that was kept gets finished, the best finished one that was not is the answer.
 * Ties: the earlier place.
 * Cost: width × branch steps a level, at most `maxSteps` levels.
 */
import type { Node } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { extend, propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { bestFinished, byRank, firstOfEach, growScored, type Ranked } from "../ranked.ts";

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
  checkNumber("beam", "lengthPenalty", lengthPenalty);

  const likelihood = (node: Node<S>) => node.totalLogProb / ((5 + node.length) / 6) ** lengthPenalty;

  // An unscored child ranks below every scored one, and never poisons the others.
  function* grow(node: Node<S>): Program<S, Ranked<S>[]> {
    if (scorer) return yield* growScored(node, { count: branch, draw, scorer });
    const children = yield* extend(node, { count: branch, draw });
    return children.map((child) => ({ node: child, rank: likelihood(child) }));
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
      let passed: Ranked<S>[] = []; // the best finished answer so far, kept or not
      for (let step = 0; step < maxSteps && kept.some(({ node }) => !node.done); step++) {
        const finished = kept.filter(({ node }) => node.done);
        const open = kept.filter(({ node }) => !node.done);
        const { results, spent } = yield* allAffordable(open.map(({ node }) => grow(node)));
        kept = [...finished, ...results.flatMap((children) => children ?? [])].sort(byRank);
        passed = bestFinished([...passed, ...kept]);
        if (spent) kept = kept.filter(({ node }) => node.done); // nothing else can be grown any more
        if (distinct) kept = firstOfEach(kept, ({ node }) => distinct(node.state));
        kept = kept.slice(0, width);
        for (const { node, rank } of kept) if (node.done) yield* propose(node, rank);
        if (!spent) continue;
        if (passed.length === 0) throw spent;
        break;
      }
      const finished = kept.filter(({ node }) => node.done);
      const candidates = (finished.length > 0 ? finished : passed).map(({ node }) => node);
      return { answer: candidates[0], candidates };
    },
  };
}
