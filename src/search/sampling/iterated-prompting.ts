/**
 * Iterated prompting: does the model know, where it gives many answers? Shown one of its answers it is asked again. Who knows, gives the
 * next answer as if nothing had been shown; who guesses, follows what was shown.
 *
 * Abbasi Yadkori, Kuzborskij, György & Szepesvári 2024, "To Believe or Not to Believe Your LLM", arXiv:2406.02543. The mutual information
 * of an answer and the next is at most the divergence of the model from any truth whose answers do not depend on one another (theorem
 * 4.5): the *epistemic* part of its uncertainty. What entropy adds to it may be many right answers. Their algorithm 3, as in their
 * experiments (k = 10, chains of two, γ = 0): the answers drawn, one for each meaning the earliest; the probability of each
 * given the question, and given the question with each of the others; equal meanings add up; both normalised over what was drawn. The
 * answer is the one of most probability as a second answer ("marginalized pseudo joint distribution", as we read it).
 *
 * Confidence: exp(−information), 1 where nothing depends on what was shown; not calibrated, and about the model's knowledge, not about the
 * one answer. Undefined where a log-probability is not known or could not be afforded. Blind to what is believed firmly and wrong.
 * Cost: n answers, and distinct answers × meanings scores.
 */
import { chainedInformation, entropy } from "../../math/information.ts";
import { logSumExp, softmax } from "../../math/log-space.ts";
import type { Node } from "../../node.ts";
import { checkWhole } from "../../options.ts";
import type { Policy } from "../../policy.ts";
import type { Comparison } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { all, propose } from "../../search.ts";
import { drawAnswers } from "../draw.ts";
import { judgePair } from "../pair.ts";

export interface IteratedPromptingOptions<S> {
  /** log p of an answer where the other one stands in the prompt: `givenAnswer(model)`. */
  readonly given: Comparison<S>;
  /** Answers with one of these mean the same; undefined is left out. */
  readonly canonical: (node: Node<S>) => string | undefined;
  /** Number of answers. @default 10, as in the paper */
  readonly n?: number;
  readonly policy?: Policy<S>;
}

export interface IteratedPromptingOutcome<S> extends Outcome<S> {
  /** Of an answer and the next, in nats; undefined with the confidence. */
  readonly information: number | undefined;
  /** Of the first answer's meaning, in nats. */
  readonly entropy: number | undefined;
}

export function iteratedPrompting<S>({
  given,
  canonical,
  n = 10,
  policy,
}: IteratedPromptingOptions<S>): Search<S, IteratedPromptingOutcome<S>> {
  checkWhole("iterated prompting", "n", n, 1);
  return {
    name: "iterated-prompting",
    options: { n, given: given.name, policy: policy?.name ?? null },
    *run(root) {
      const candidates = yield* drawAnswers(root, n, policy, (node): Program<S, void> => propose(node));
      const meant = candidates.filter((node) => canonical(node) !== undefined);
      const equal = Map.groupBy(meant, ({ state }) => JSON.stringify(state)).values();
      const distinct = Array.from(equal, ([earliest]) => earliest as Node<S>);
      const meanings = [...Map.groupBy(distinct, (node) => canonical(node) as string).values()];
      /** Log-probabilities of the distinct answers, as those of their meanings. */
      const added = (logProbs: ReadonlyMap<Node<S>, number>): number[] | undefined =>
        softmax(meanings.map((nodes) => logSumExp(nodes.map((node) => logProbs.get(node) ?? Number.NaN))));

      const first = added(new Map(distinct.map((node) => [node, node.totalLogProb])));
      const rows: number[][] = [];
      for (const [shown] of first ? meanings : []) {
        const scores = yield* all(distinct.map((node) => judgePair(root, given, node, shown as Node<S>)));
        const row = added(new Map(distinct.map((node, i) => [node, scores[i] ? rankOf(scores[i]) : Number.NaN])));
        if (!row) break;
        rows.push(row);
      }
      const whole = first !== undefined && rows.length === meanings.length;
      const chained = whole ? chainedInformation(first, rows) : undefined;
      const weights = chained?.second ?? first ?? [];
      const best = weights.indexOf(Math.max(...weights));
      return {
        answer: meanings[best]?.[0] ?? distinct[0] ?? candidates[0],
        candidates,
        information: chained?.information,
        entropy: first && entropy(first),
        ...(chained && { confidence: Math.exp(-chained.information) }),
      };
    },
  };
}
