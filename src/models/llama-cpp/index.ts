/**
 * Models in GGUF files, in this process: llama.cpp through node-llama-cpp, which is installed beside this package.
 *
 * N samples of one prompt, and all branches of a tree, evaluate a shared prefix once; whatever is asked for at the same
 * time is evaluated in one batch. Tokens are drawn here, from the engine's logits, each sample with its own seed.
 */
import { basename } from "node:path";
import { cost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import type { ScoringModel } from "../../model.ts";
import { checkGguf } from "../gguf/check.ts";
import { parametersOf } from "../gguf/header.ts";
import { fileRevision } from "../gguf/revision.ts";
import { merge } from "../merge.ts";
import { byProbability, checkSampling } from "../sampling.ts";
import { type EngineOptions, openEngine } from "./engine.ts";
import { prefixTree } from "./prefix-tree.ts";
import { sample } from "./sample.ts";
import { tokensOf } from "./tokens.ts";

export { llamaCppRewards, type LlamaCppRewardsOptions } from "./rewards.ts";

export interface LlamaCppOptions extends EngineOptions {
  /** Names the model in journals. @default the name of the file */
  readonly id?: string;
  /** Whether to copy state between sequences; without, shared prefixes are evaluated by each that needs them. @default true */
  readonly copies?: boolean;
}

export interface LlamaCppModel extends ScoringModel, AsyncDisposable {
  readonly contextTokens: number;
  /** Copies of prefixes, moves of sequences, and prompt tokens evaluated, since the model was opened. */
  readonly counts: { readonly copies: number; readonly moves: number; readonly promptTokens: number };
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * ```ts
 * await using model = await llamaCpp("model.gguf", { sequences: 16 });
 * ```
 */
export async function llamaCpp(path: string, options: LlamaCppOptions = {}): Promise<LlamaCppModel> {
  const { id = basename(path, ".gguf"), copies = true } = options;
  const { library, model, context, contextTokens } = await openEngine(path, options);
  const tokens = tokensOf(model, library);
  const sequences = Array.from({ length: context.totalSequences }, () => context.getSequence());
  const revision = await revisionOf(path, options.lora);
  const tree = prefixTree(sequences, { contextTokens, vocabulary: tokens.vocabulary, copies });

  return {
    id,
    revision,
    parameters: parametersOf(await checkGguf(path)),
    contextTokens,
    get counts() {
      return tree.counts;
    },
    capabilities: {
      continues: true,
      logProbs: true,
      scoresText: true,
      nextTokens: true,
      messages: tokens.takesMessages,
      samplesPerCall: sequences.length,
    },
    concurrency: sequences.length,
    countTokens: tokens.count,

    async *generate(request) {
      const { prefix, seeds, maxTokens, sampling, signal } = request;
      checkSampling(sampling);
      if (!(Number.isInteger(maxTokens) && maxTokens >= 0))
        throw new RangeError(`Cannot generate as 'maxTokens' must be an integer >= 0: current value is ${maxTokens}`);
      const prompt = tokens.ofPrefix(prefix);
      yield* merge(
        seeds.map((seed, index) => ({
          indices: [index],
          run: (emit, inner) => sample({ index, seed, prompt, request }, { tree, tokens }, emit, inner),
        })),
        signal,
      );
    },

    async scoreText(prefix, text, { end = false, signal }) {
      const added = tokens.ofText(text);
      const last = tokens.ends[0];
      if (end && last === undefined)
        throw new Failed("unsupported", `Cannot score the end of an answer as '${id}' has no token for it`);
      const scored = end ? [...added, last as number] : added;
      using lease = await tree.lease(tokens.ofPrefix(prefix), { group: scored, signal });
      const logProbs = await lease.score(scored);
      return {
        tokens: scored.map(tokens.piece),
        logProbs,
        cost: cost({
          calls: 1,
          promptTokens: lease.evaluated + Math.max(0, scored.length - 1),
          cachedTokens: lease.cached,
        }),
      };
    },

    async nextTokens(prefix, { signal }) {
      using lease = await tree.lease(tokens.ofPrefix(prefix), { group: prefix, signal });
      const { logProbs } = await lease.whole();
      const order = byProbability(logProbs);
      return {
        tokens: order,
        texts: order.map(tokens.piece),
        logProbs: order.map((token) => logProbs[token] as number),
        endTokens: tokens.ends,
        cost: cost({ calls: 1, promptTokens: lease.evaluated, cachedTokens: lease.cached }),
      };
    },

    async [Symbol.asyncDispose]() {
      await tree[Symbol.asyncDispose]();
      await context.dispose();
      await model.dispose();
    },
  };
}

/** Of the weights and the adapters on them. */
async function revisionOf(path: string, lora: NonNullable<EngineOptions["lora"]> = []): Promise<string> {
  const adapters = lora.map(async ({ path: adapter, scale = 1 }) => `${await fileRevision(adapter)}*${scale}`);
  return [await fileRevision(path), ...(await Promise.all(adapters))].join("+");
}
