/** Networks that read text and give numbers: rewards of answers, vectors of texts. They generate nothing. */
import type { Cost } from "./budget.ts";
import type { Price } from "./model.ts";
import { countPromptTokens } from "./price.ts";
import type { Prompt } from "./problem.ts";

interface Reader {
  /** Names the network and where it runs; goes into journals. */
  readonly id: string;
  /** Number of tokens in a text; an upper bound where the tokeniser is not known. For budgets. Absent where reading costs nothing. */
  readonly countTokens?: (text: string) => number;
  readonly price?: Price;
}

/** Rewards, outcome or process, by a classification or ranking head. */
export interface RewardModel extends Reader {
  /** What its numbers are. */
  readonly kind: "probability" | "reward";
  /** Tokens that its template puts around a question and an answer, at most. @default 16 */
  readonly templateTokens?: number;
  /** One number an answer to the prompt, in their order. */
  rewards(
    prompt: Prompt,
    answers: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly values: readonly number[]; readonly cost: Cost }>;
}

/** The most tokens that it reads for one answer to a prompt; 0 where reading costs nothing. */
export function readTokens(
  { countTokens, templateTokens = 16 }: Pick<RewardModel, "countTokens" | "templateTokens">,
  prompt: Prompt,
  answer: string,
): number {
  return countTokens ? countPromptTokens(prompt, countTokens) + countTokens(answer) + templateTokens : 0;
}

/** Texts as vectors whose cosine tells how alike they are. */
export interface Embedder extends Reader {
  /** [texts][dimensions] */
  embed(
    texts: readonly string[],
    options: { readonly signal: AbortSignal },
  ): Promise<{ readonly vectors: readonly ArrayLike<number>[]; readonly cost: Cost }>;
}
