/**
 * log p of an answer where another answer stands in the prompt: how much the model follows what it is shown. For
 * `iteratedPrompting`; prompts as in Abbasi Yadkori et al. 2024, arXiv:2406.02543, §2, in our words. With the end of the answer.
 * Needs a model that scores given text. Cost: one reading of question, shown answer and answer.
 */
import { Failed } from "../errors.ts";
import type { Model } from "../model.ts";
import { countPromptTokens, readingBound, readingCost } from "../price.ts";
import { type Problem, type Prompt, promptText } from "../problem.ts";
import type { Comparison } from "../scorer.ts";
import { quoted } from "./reply.ts";

/** @throws Failed `unsupported` where the model cannot score given text */
export function givenAnswer<S>(model: Model): Comparison<S> {
  const { scoreText } = model;
  if (!scoreText)
    throw new Failed(
      "unsupported",
      `Cannot ask '${model.id}' again with an answer as it scores no text: use a local model`,
    );
  const promptOf = (problem: Problem, shown: string): Prompt => {
    const content = [
      "Consider this question:",
      quoted("question", promptText(problem.prompt)),
      quoted("one-answer-to-it", shown),
      "Answer the question.",
    ].join("\n");
    return model.capabilities.messages ? [{ role: "user", content }] : `${content}\n`;
  };
  return {
    name: `given-answer:${model.id}`,
    against: (other) => ({
      name: `given-answer:${model.id}, ${other.id} shown`,
      kind: "log-likelihood",
      bound({ state }, { problem, text }) {
        const countTokens = (one: string): number => model.countTokens(one);
        const promptTokens =
          countPromptTokens(promptOf(problem, text(other.state)), countTokens) + countTokens(text(state)) + 1;
        return readingBound(promptTokens, model.price);
      },
      async score({ state }, { problem, text, signal }) {
        const prefix = { prompt: promptOf(problem, text(other.state)), text: "" };
        const read = await scoreText.call(model, prefix, text(state), { end: true, signal });
        return {
          score: { kind: "log-likelihood", value: read.logProbs.reduce((sum, one) => sum + one, 0) },
          cost: readingCost(read.cost, model.price),
        };
      },
    }),
  };
}
