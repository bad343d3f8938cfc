/**
 * P(IK), "I know": before it answers, the model says whether it will be right. It is about the question, so every answer gets the same
 * score: for routing, for deciding how much to draw, for not answering at all.
 *
 * Kadavath et al. 2022, arXiv:2207.05221, §5, train a read-out of the question's last token for it, on the share of right ones
 * among 30 answers to each question: that is `learnReadOut` with features of the question and those shares as labels. Asking in
 * words, as here, is what needs no training; by their own account it is the weaker of the two, and neither stays calibrated on another
 * kind of question. Cost: one call of one token, or `draws` replies where the model tells no next-token distribution.
 */
import type { Model } from "../model.ts";
import { type Problem, promptText } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { type Choice, choiceBound, chosen } from "./choice.ts";
import { checkCount, quoted } from "./reply.ts";

export interface PIkOptions {
  /** Replies to draw where the model tells no next-token distribution. @default 8 */
  readonly draws?: number;
}

export function pIk<S>(model: Model, { draws = 8 }: PIkOptions = {}): Scorer<S> {
  checkCount("P(IK)", "draws", draws);
  return {
    name: `p-ik:${model.id}${model.nextTokens ? "" : `, ${draws} draws`}`,
    kind: "probability",
    bound: (_, { problem }) => choiceBound(model, choiceOf(problem), draws),
    async score(_, { problem, seed, signal }) {
      const { value, cost } = await chosen(model, choiceOf(problem), { draws, seed, signal });
      return { score: { kind: "probability", value }, cost };
    },
  };
}

function choiceOf({ prompt }: Problem): Choice {
  const question = [
    quoted("question", promptText(prompt)),
    "Do not answer it yet. If you had to answer now, would your answer be right?\n (A) Yes\n (B) No\nReply with (A) or (B) alone.",
  ].join("\n");
  return { question, lead: "Right:", words: ["yes", "no"] };
}
