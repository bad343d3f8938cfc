/**
 * A value read-out: the probability, as the model sees it, that a partial answer can still be completed to a right one.
 *
 * The question is one token after the partial answer, the answer the probability of one token against another:
 * P(yes) / (P(yes) + P(no)). Sapling was trained on this with exact labels (`?`, then `y` or `n`). A *flawed* process
 * scorer by nature, as it is the model that makes the mistakes which judges them: measure it (see the model card) before
 * trusting it, and prefer a verifier where there is one. Cost: one call, counted as one token; its prompt is mostly cached.
 * As a token of the same model: Kadavath et al. 2022, arXiv:2207.05221 (P(True)); trained on completions:
 * Cobbe et al. 2021, arXiv:2110.14168, §4.
 */
import { Failed } from "../errors.ts";
import type { Model, NextTokens } from "../model.ts";
import { countPromptTokens, readingBound, readingCost } from "../price.ts";
import type { Scorer } from "../scorer.ts";

export interface ValueTokenOptions {
  /** What is appended to ask. @default "?" */
  readonly question?: string;
  /** @default "y" */
  readonly yes?: string;
  /** @default "n" */
  readonly no?: string;
}

/** @throws TypeError if the model cannot give next-token distributions. */
export function valueToken<S>(
  model: Model,
  { question = "?", yes = "y", no = "n" }: ValueTokenOptions = {},
): Scorer<S> {
  const { nextTokens } = model;
  if (!nextTokens)
    throw new TypeError(
      `Cannot read values from '${model.id}' as it gives no next-token distribution: use a local model`,
    );
  return {
    name: `value-token:${model.id}`,
    kind: "probability",
    bound({ state }, { problem, text }) {
      const countTokens = (one: string) => model.countTokens(one);
      const promptTokens = countPromptTokens(problem.prompt, countTokens) + countTokens(text(state) + question);
      return readingBound(promptTokens, model.price);
    },
    async score({ state }, { problem, text, signal }) {
      const next = await nextTokens.call(model, { prompt: problem.prompt, text: text(state) + question }, { signal });
      return {
        score: { kind: "probability", value: shareOf(next, yes, no, model.id) },
        cost: readingCost(next.cost, model.price),
      };
    },
  };
}

/** P(yes) / (P(yes) + P(no)) of one next token. @throws Failed `bad-response` where neither can be */
export function shareOf({ texts, logProbs }: NextTokens, yes: string, no: string, id: string): number {
  const logProbOf = (token: string) => logProbs[texts.indexOf(token)] ?? Number.NEGATIVE_INFINITY;
  const odds = Math.exp(logProbOf(yes) - logProbOf(no));
  if (Number.isNaN(odds)) throw new Failed("bad-response", `Neither '${yes}' nor '${no}' is a token of '${id}'`);
  return odds === Number.POSITIVE_INFINITY ? 1 : odds / (1 + odds);
}
