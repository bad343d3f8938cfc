/**
 * P(True): shown the question and a proposed answer, the model says whether it is true; the score is how much it believes so.
 *
 * Kadavath et al. 2022, arXiv:2207.05221: the answers "(A) True" and "(B) False", and the probability of the token A
 * against B. They find larger models better calibrated, and that it helps to show the model some of its own samples first:
 * `samples`. Where the model tells next-token distributions the probability is read off, P(A) / (P(A) + P(B)), in one call of
 * one token; else `draws` replies are sampled and the score is the share of A among those that say A or B, which departs from
 * the paper: its steps are 1/draws wide. Replies that say neither do not count; if none does, the node is unscored.
 *
 * A model judges its own mistakes with the knowledge that made them: measure calibration before trusting the number. Not for
 * models that follow no instructions. Cost: one call (or `draws`), and `samples` answers for each score, which are not shared
 * between nodes.
 */
import { addCosts, noCost } from "../budget.ts";
import { fold, key, seedOf } from "../key.ts";
import type { Model } from "../model.ts";
import { type Problem, promptText } from "../problem.ts";
import type { Scorer } from "../scorer.ts";
import { type Choice, choiceBound, chosen } from "./choice.ts";
import { checkCount, quoted, replies, repliesBound } from "./reply.ts";

export interface PTrueOptions {
  /** The model's own answers to show before the question. @default 0 */
  readonly samples?: number;
  /** Tokens of each of them. @default 256 */
  readonly maxSampleTokens?: number;
  /** Replies to draw where the model tells no next-token distribution. @default 8 */
  readonly draws?: number;
}

export function pTrue<S>(model: Model, options: PTrueOptions = {}): Scorer<S> {
  const { samples = 0, maxSampleTokens = 256, draws = 8 } = options;
  checkCount("P(True)", "samples", samples, 0);
  checkCount("P(True)", "draws", draws);
  return {
    name: `p-true:${model.id}${samples > 0 ? `, ${samples} samples` : ""}${model.nextTokens ? "" : `, ${draws} draws`}`,
    kind: "probability",
    bound({ state }, { problem, text }) {
      const shown = repliesBound(model, problem.prompt, samples, { maxTokens: maxSampleTokens });
      const choice = choiceOf(
        problem,
        text(state),
        Array.from({ length: samples }, () => ""),
      );
      const more = samples * (maxSampleTokens + 8); // read again, between marks that may have a number
      return addCosts(shown, choiceBound(model, choice, draws, more));
    },
    async score({ state }, { problem, text, seed, signal }) {
      const own =
        samples === 0
          ? { texts: [], cost: noCost }
          : await replies(model, problem.prompt, samples, {
              maxTokens: maxSampleTokens,
              seed: seedOf(fold(key(seed), "samples")),
              signal,
            });
      const choice = choiceOf(problem, text(state), own.texts);
      const { value, cost } = await chosen(model, choice, { draws, seed, signal, before: own.cost });
      return { score: { kind: "probability", value }, cost };
    },
  };
}

function choiceOf({ prompt }: Problem, answer: string, ideas: readonly string[]): Choice {
  const question = [
    quoted("question", promptText(prompt)),
    ...(ideas.length > 0 ? ["Here are some ideas that came up:", ...ideas.map((idea) => quoted("idea", idea))] : []),
    quoted("proposed-answer", answer),
    "Is the proposed answer:\n (A) True\n (B) False\nReply with (A) or (B) alone.",
  ].join("\n");
  return { question, lead: "The proposed answer is:", words: ["true", "false"] };
}
