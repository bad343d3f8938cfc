/**
 * Synthesis: draws n candidates, shows them all to the model, and asks it for a new answer made of what is right in each. It can be
 * right where every candidate is wrong somewhere, which no vote and no choice among them can.
 *
 * Zhang et al. 2025, "CoT-based Synthesizer: Enhancing LLM Performance through Answer Synthesis", arXiv:2501.01668. They train a model
 * for it; here any policy writes the new answer, for example `synthesizeByPrompt(model)`. Candidates are shown in order of place.
 *
 * With a scorer, candidates and syntheses are scored alike, and the best of all is the answer, ties going to the synthesis: so a bad
 * synthesis cannot make things worse, by the scorer's judgement. With `scorer: null` the first synthesis is the answer. Where none
 * could be made it is the best candidate, or the first; `synthesized` says which. What could not be scored comes last. Cost: n answers, then `syntheses` more
 * with all candidates in the prompt, and a score for each. When not: where all candidates make the same mistake.
 */
import type { Node } from "../../node.ts";
import { comparePlaces } from "../../node.ts";
import type { Policy } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { drawAnswers } from "../draw.ts";
import { judge, redraw } from "../judged.ts";
import { checkWhole } from "../../options.ts";

export interface SynthesizeOptions<S> {
  /** Writes a new answer out of the candidates; undefined: the run's own policy. */
  readonly from: (candidates: readonly Node<S>[]) => Policy<S> | undefined;
  /** Candidates. @default 4 */
  readonly n?: number;
  /** New answers. @default 1 */
  readonly syntheses?: number;
  /** Null where nothing is to be scored. @default the run's scorer */
  readonly scorer?: Scorer<S> | null;
  /** Makes the candidates. @default the run's policy */
  readonly policy?: Policy<S>;
}

export interface SynthesizeOutcome<S> extends Outcome<S> {
  /** The new answers that could be made, in order. */
  readonly syntheses: readonly Node<S>[];
  /** Whether the answer is one of them. */
  readonly synthesized: boolean;
}

export function synthesize<S>({
  from,
  n = 4,
  syntheses = 1,
  scorer,
  policy,
}: SynthesizeOptions<S>): Search<S, SynthesizeOutcome<S>> {
  checkWhole("synthesize", "n", n, 1);
  checkWhole("synthesize", "syntheses", syntheses, 1);
  return {
    name: "synthesize",
    options: { n, syntheses, scorer: scorer === null ? "none" : (scorer?.name ?? null), policy: policy?.name ?? null },
    *run(root) {
      const scores = new Map<Node<S>, number>();
      function* take(answer: Node<S>, value: number): Program<S, void> {
        if (scorer === null) return yield* propose(answer, value);
        const { score } = yield* judge(answer, scorer);
        if (score) scores.set(answer, rankOf(score));
      }
      const drawn = yield* drawAnswers(root, n, policy, (answer) => take(answer, 0));
      const made: Node<S>[] = [];
      if (drawn.length > 0)
        yield* allAffordable(
          Array.from({ length: syntheses }, function* (): Program<S, void> {
            const answer = yield* redraw(root, from(drawn));
            if (!answer) return;
            made.push(answer);
            yield* take(answer, 1);
          }),
        );
      made.sort((a, b) => comparePlaces(a.id, b.id));
      const rank = (node: Node<S>): number => scores.get(node) ?? Number.NEGATIVE_INFINITY;
      const candidates = [...made, ...drawn].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a))); // stable
      const [answer] = candidates;
      return { answer, candidates, syntheses: made, synthesized: answer !== undefined && made.includes(answer) };
    },
  };
}
