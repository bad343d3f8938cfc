/**
 * Best-of-n: draw n answers, keep the one the scorer likes most; ties go to the earliest draw.
 *
 * Each answer is scored as soon as it is there, so the best so far is known at any moment. An answer without a valid score
 * never wins; if none has one, the answer is the first drawn and `unscored` says so. The kept score overstates quality,
 * more so as n grows. Cost: n answers and n scores.
 * Cobbe et al. 2021, arXiv:2110.14168, §4.2; here with any scorer in place of their trained verifier: `verifier` (any of
 * n right), `likelihood` (Stiennon et al. 2020, arXiv:2009.01325, speak of best-of-N by a reward; by likelihood it is
 * Monte Carlo search for the mode), or a function of one's own.
 */
import type { Node } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Score, Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose, score } from "../../search.ts";
import { drawAnswers } from "../draw.ts";
import { checkWhole } from "../../options.ts";

export interface BestOfNOptions<S> {
  /** Number of answers. @default 16 */
  readonly n?: number;
  /** @default the run's scorer */
  readonly scorer?: Scorer<S>;
  readonly policy?: Policy<S>;
}

export interface BestOfNOutcome<S> extends Outcome<S> {
  /** Set where no candidate got a valid score, so that the answer is just the first drawn. */
  readonly unscored?: true;
}

export function bestOfN<S>({ n = 16, scorer, policy }: BestOfNOptions<S> = {}): Search<S, BestOfNOutcome<S>> {
  checkWhole("best-of-n", "n", n, 1);
  return {
    name: "best-of-n",
    options: { n, scorer: scorer?.name ?? null, policy: policy?.name ?? null },
    *run(root) {
      const scores = new Map<Node<S>, Score>();
      const drawn = yield* drawAnswers(root, n, policy, function* (node): Program<S, void> {
        const [judged] = yield* score([node], { by: scorer });
        if (!judged) return;
        scores.set(node, judged);
        yield* propose(node, rankOf(judged));
      });
      const isScored = (node: Node<S>) => scores.has(node);
      const rank = (node: Node<S>) => rankOf(scores.get(node) as Score);
      const ranked = drawn.filter(isScored).sort((a, b) => rank(b) - rank(a)); // stable: of equals the earliest stays first
      const candidates = [...ranked, ...drawn.filter((node) => !isScored(node))];
      return {
        answer: candidates[0],
        candidates,
        ...(drawn.length > 0 && ranked.length === 0 ? { unscored: true as const } : {}),
      };
    },
  };
}
