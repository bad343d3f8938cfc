/** Vectors of texts by a server's `/embeddings`. One request, whatever the number of texts. */
import { noCost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import type { Embedder } from "../../reader.ts";
import { utf8Length } from "./drafts.ts";
import { entriesOf, objectOf, type ServerOptions, serverOf, usageCost } from "./server.ts";

/**
 * ```ts
 * const scorer = similarity(openaiEmbedder({ baseUrl: "http://127.0.0.1:8000/v1", model: "bge-m3" }));
 * ```
 */
export function openaiEmbedder(options: ServerOptions): Embedder & AsyncDisposable {
  const { model, price, countTokens = utf8Length } = options;
  const server = serverOf(options);
  const { id } = server.connection;

  function vectorOf({ embedding }: Readonly<Record<string, unknown>>): readonly number[] {
    if (Array.isArray(embedding) && embedding.length > 0 && embedding.every(Number.isFinite))
      return embedding as number[];
    throw new Failed("bad-response", `${id} gave an embedding that is no list of finite numbers`);
  }

  return {
    id,
    countTokens,
    ...(price && { price }),
    async embed(texts, { signal }) {
      if (texts.length === 0) return { vectors: [], cost: noCost };
      const body = { model, input: texts, encoding_format: "float", ...options.body };
      return server.exchange({ path: "/embeddings", body, stream: false, signal }, async (reply) => {
        const value = await objectOf(reply);
        const bound = texts.reduce((sum, text) => sum + countTokens(text), 0);
        const vectors = entriesOf(value["data"], texts.length, id).map(vectorOf);
        return { vectors, cost: usageCost(value, bound, price) };
      });
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
