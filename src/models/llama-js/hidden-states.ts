/**
 * The last hidden state of a text: what the network is about to predict from, after its last normalisation. For trained read-outs
 * (`learnReadOut`), which see more of it than its next-token distribution shows. It was not made to be compared by cosine.
 *
 * A network of its own beside that of the model, without caches: every token of a text is read again each time.
 */
import { cost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import type { Embedder } from "../../reader.ts";
import { readGguf } from "../gguf/read.ts";
import { type Block, Network } from "./network.ts";
import { readTokenizer } from "./tokenizer.ts";
import { readWeights } from "./weights.ts";

/** Columns of one pass; a longer text takes more of them. */
const maxColumns = 64;

/** Of the model in a GGUF file that this engine runs. Vectors of the model's width. @throws as `openLlamaJs` */
export async function openHiddenStates(path: string): Promise<Embedder> {
  const { readFile } = await import("node:fs/promises");
  return hiddenStates(await readFile(path));
}

/** Of the model in the bytes of a GGUF file. */
export function hiddenStates(bytes: Uint8Array): Embedder {
  const file = readGguf(bytes);
  const weights = readWeights(file);
  const tokenizer = readTokenizer(file);
  const network = new Network(weights, maxColumns);
  const start = tokenizer.start === undefined ? [] : [tokenizer.start];

  const stateOf = (tokens: readonly number[]): Float32Array => {
    if (tokens.length === 0 || tokens.length > weights.context)
      throw new Failed(
        tokens.length === 0 ? "rejected" : "overflow",
        `Cannot read ${tokens.length} tokens as the model takes 1 to ${weights.context}`,
      );
    const path: Block[] = tokens.map(() => network.newBlock());
    for (let from = 0; from < tokens.length; from += maxColumns)
      network.forward(
        tokens.slice(from, from + maxColumns).map((token, i) => {
          const position = from + i;
          return { token, position, path, wantsLogits: position === tokens.length - 1 };
        }),
      );
    return network.hidden.slice(0, weights.width);
  };

  return {
    id: `last hidden state of ${String(file.metadata.get("general.name") ?? "llama")}`,
    countTokens: (text) => start.length + new TextEncoder().encode(text).length,
    async embed(texts, { signal }) {
      signal.throwIfAborted();
      const read = texts.map((text) => [...start, ...tokenizer.encode(text)]);
      const promptTokens = read.reduce((sum, tokens) => sum + tokens.length, 0);
      return { vectors: read.map(stateOf), cost: cost({ promptTokens, calls: 1 }) };
    },
  };
}
