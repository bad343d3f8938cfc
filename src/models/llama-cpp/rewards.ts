/**
 * Reward and ranking models in GGUF files: those with a classification head, such as rerankers.
 *
 * The question is the query, the answer the document, put together by the file's own template where it has one. node-llama-cpp
 * makes a number in [0, 1] of the head: a sigmoid of its one logit, or the first class of a softmax. Answers are read one after
 * the other, each from its beginning.
 */
import { basename } from "node:path";
import { cost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import { promptText } from "../../problem.ts";
import type { RewardModel } from "../../reader.ts";
import { type EngineOptions, loadModel, refusal, usualThreads } from "./engine.ts";

export interface LlamaCppRewardsOptions extends Pick<EngineOptions, "contextTokens" | "threads" | "gpu"> {
  /** Names the model in journals. @default the name of the file */
  readonly id?: string;
  /** Where question and answer stand. @default the file's own */
  readonly template?: `${string}{{query}}${string}{{document}}${string}`;
}

/**
 * ```ts
 * await using model = await llamaCppRewards("reranker.gguf");
 * const scorer = reward(model);
 * ```
 */
export async function llamaCppRewards(
  path: string,
  options: LlamaCppRewardsOptions = {},
): Promise<RewardModel & AsyncDisposable> {
  const { id = basename(path, ".gguf"), template, gpu = "auto" } = options;
  const { model } = await loadModel(path, gpu);
  const contextSize = options.contextTokens ?? Math.min(model.trainContextSize, 2048);
  const context = await model
    .createRankingContext({
      contextSize,
      batchSize: contextSize, // the head reads a text in one batch
      threads: options.threads ?? usualThreads(model),
      ...(template && { template }),
    })
    .catch(async (thrown: unknown) => {
      await model.dispose();
      throw refusal(path, thrown);
    });

  return {
    id,
    kind: "probability",
    countTokens: (text) => model.tokenize(text).length,
    templateTokens: Math.max(16, context.calculateInputLength("x", "x")),
    async rewards(prompt, answers, { signal }) {
      const query = promptText(prompt);
      const values: number[] = [];
      let promptTokens = 0;
      for (const answer of answers) {
        signal.throwIfAborted();
        const length = context.calculateInputLength(query, answer);
        if (length >= contextSize)
          throw new Failed(
            "overflow",
            `Question and answer are ${length} tokens, and ${id} reads at most ${contextSize - 1}`,
          );
        values.push(await context.rank(query, answer));
        promptTokens += length;
      }
      return { values, cost: cost({ calls: 1, promptTokens }) };
    },
    async [Symbol.asyncDispose]() {
      await context.dispose();
      await model.dispose();
    },
  };
}
