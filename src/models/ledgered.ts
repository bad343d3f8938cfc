/**
 * A model whose replies are recorded in a ledger, and come out of it where they are: what was paid for once is never paid for
 * again, by whatever run or method asks. A wrapped model is a model; a recorded reply says what it cost when it was paid for.
 *
 * Samples are recorded one by one, under their seed, so best-of-64 finds the 16 of best-of-16 and asks for the rest in one
 * call. Identical requests of one process and ledger are joined: one pays. Failures are not recorded. Text deltas are passed
 * on for what is drawn now; of what is recorded there is only the whole. Next-token distributions over more than 1024 tokens
 * are passed through.
 */
import { addCosts, type Cost, cost, noCost } from "../budget.ts";
import type { Ledger } from "../ledger.ts";
import type { Model, NextTokens, Prefix, TextScore } from "../model.ts";
import type { Json } from "../problem.ts";
import { completionKeys, nextTokensKey, textScoreKey } from "./ledger/keys.ts";
import { payerOf } from "./ledger/payer.ts";
import { answerTo, type Packed, type Question } from "./ledger/question.ts";
import {
  mostTokens,
  packNextTokens,
  packTextScore,
  unpackNextTokens,
  unpackTextScore,
  type Vocabulary,
  vocabularyKeyOf,
} from "./ledger/replies.ts";
import { sample } from "./ledger/samples.ts";
import { merge } from "./merge.ts";

export interface LedgeredModel extends Model {
  /** What was really paid through it so far. Make one for each run that is to know its share; they cost nothing. */
  readonly paid: Cost;
}

/**
 * ```ts
 * await using store = await openStore("runs.db");
 * const model = ledgered(await openModel("sapling"), store.ledger);
 * ```
 */
export function ledgered(model: Model, ledger: Ledger): LedgeredModel {
  const payer = payerOf(model, ledger);
  const answer = <T>(question: Question<T>): Promise<T> => answerTo(question, payer);
  const { scoreText, nextTokens, nextTokensAfter } = model;
  const vocabularies = new Map<string, Json>();

  async function unpackDistribution(packed: Json, cost: Cost): Promise<NextTokens> {
    const key = vocabularyKeyOf(packed);
    const vocabulary = vocabularies.get(key) ?? (await ledger.find([key])).get(key)?.reply;
    if (!vocabulary)
      throw new Error(`Cannot read a distribution in the ledger as its vocabulary '${key}' is not there`);
    vocabularies.set(key, vocabulary);
    return unpackNextTokens(packed, vocabulary as unknown as Vocabulary, cost);
  }

  function packDistributions(laws: readonly NextTokens[]): Packed | undefined {
    if (laws.some(({ tokens }) => tokens.length > mostTokens)) return undefined;
    const packed = laws.map(packNextTokens);
    return {
      reply: packed.map(({ reply }) => reply),
      others: packed.map(({ vocabulary, reply }) => ({
        key: vocabularyKeyOf(reply),
        reply: vocabulary as unknown as Json,
      })),
    };
  }

  /** The distributions after continuations of a prefix; the first bears the cost, which is the entry's. */
  const distributions = (
    prefix: Prefix,
    continuations: readonly (readonly number[])[],
    signal: AbortSignal,
    ask: () => Promise<readonly NextTokens[]>,
  ): Promise<readonly NextTokens[]> =>
    answer({
      key: nextTokensKey(model, prefix, continuations),
      kind: "next-tokens",
      worst: addCosts(payer.worstOf(1, prefix), cost({ promptTokens: continuations.flat().length })),
      signal,
      ask,
      costOf: (laws) => laws.reduce((sum, { cost }) => addCosts(sum, cost), noCost),
      pack: packDistributions,
      unpack: (entry) =>
        Promise.all(
          (entry.reply as readonly Json[]).map((packed, i) =>
            unpackDistribution(packed, i === 0 ? entry.cost : noCost),
          ),
        ),
    });

  return {
    ...model,
    get paid() {
      return payer.paid;
    },
    generate(request) {
      const keys = completionKeys(model, request);
      const indices = [...keys.keys()];
      return merge(
        [{ indices, run: (emit, signal) => sample(payer, { ...request, keys, signal }, indices, emit) }],
        request.signal,
      );
    },
    ...(scoreText && {
      scoreText: (prefix, text, options) =>
        answer<TextScore>({
          key: textScoreKey(model, prefix, text, options.end ?? false),
          kind: "text-score",
          worst: payer.worstOf(1, prefix, { more: text }),
          signal: options.signal,
          ask: () => scoreText.call(model, prefix, text, options),
          costOf: ({ cost }) => cost,
          pack: (score) => ({ reply: packTextScore(score) }),
          unpack: ({ reply, cost }) => unpackTextScore(reply, cost),
        }),
    }),
    ...(nextTokens && {
      async nextTokens(prefix, { signal }) {
        const ask = async (): Promise<readonly NextTokens[]> => [await nextTokens.call(model, prefix, { signal })];
        return (await distributions(prefix, [[]], signal, ask))[0] as NextTokens;
      },
    }),
    ...(nextTokensAfter && {
      nextTokensAfter: (prefix, continuations, { signal }) =>
        distributions(prefix, continuations, signal, () =>
          nextTokensAfter.call(model, prefix, continuations, { signal }),
        ),
    }),
  };
}
