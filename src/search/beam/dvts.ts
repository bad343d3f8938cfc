/**
 * Diverse verifier tree search: independent greedy searches by a process scorer, and the best of what they end in.
 *
 * `trees` searches run side by side. Each draws `branch` steps, goes on from the one that the scorer likes most, and so forth
 * until that one is a finished answer. All finished answers among the last `branch` steps of every tree are candidates (where
 * there are none, the best that it passed by); the best by its last score is the answer. Beeching, Tunstall & Rush 2024,
 * "Scaling test-time compute with open models" (Hugging Face), of which n = trees × branch and m = branch; the choice of
 * candidates is that of their code, search-and-learn. They write the last of a fixed number of steps to its end in one go; here each step is one of the policy's, up to `maxSteps`.
 *
 * A beam of the same cost would fill with descendants of one early step; here no tree can take another's place, so it gains
 * from a large budget, where a beam loses variety, and loses to the beam at a small one. One tree is greedy search by the scorer
 * (a beam of width 1); with `branch` 1 it is best-of-n. A step that could not be scored is followed only where no other is.
 * Ties: the earlier place. Cost: trees × branch steps and scores a level.
 */
import type { Scorer } from "../../scorer.ts";
import type { Program, Search } from "../../search.ts";
import { BudgetSpent, propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { checkWhole } from "../../options.ts";
import { bestFinished, byRank, growScored, type Ranked } from "../ranked.ts";

export interface DvtsOptions<S> {
  /** Judges partial and finished answers. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** Independent searches. @default 4 */
  readonly trees?: number;
  /** Steps drawn at each node. @default 4 */
  readonly branch?: number;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export function dvts<S>({ scorer, trees = 4, branch = 4, maxSteps = 1000 }: DvtsOptions<S> = {}): Search<S> {
  checkWhole("dvts", "trees", trees, 1);
  checkWhole("dvts", "branch", branch, 1);
  checkWhole("dvts", "maxSteps", maxSteps, 1);
  return {
    name: "dvts",
    options: { scorer: scorer?.name ?? null, trees, branch, maxSteps },
    *run(root) {
      function* tree(): Program<S, Ranked<S>[]> {
        let node = root;
        let last: Ranked<S>[] = [];
        let passed: Ranked<S>[] = []; // the best finished answer so far, for trees that end without one
        try {
          for (let step = 0; step < maxSteps && !node.done; step++) {
            last = (yield* growScored(node, { count: branch, scorer })).sort(byRank);
            passed = bestFinished([...passed, ...last]);
            for (const child of last) if (child.node.done) yield* propose(child.node, child.rank);
            if (!last[0]) break;
            node = last[0].node;
          }
        } catch (error) {
          if (!(error instanceof BudgetSpent) || passed.length === 0) throw error;
        }
        const finished = last.filter((child) => child.node.done);
        return finished.length > 0 ? finished : passed;
      }

      const { results, spent } = yield* allAffordable(Array.from({ length: trees }, tree));
      const candidates = results
        .flatMap((finished) => finished ?? [])
        .sort(byRank)
        .map(({ node }) => node);
      if (candidates.length === 0 && spent) throw spent;
      return { answer: candidates[0], candidates };
    },
  };
}
