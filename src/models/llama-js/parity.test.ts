/** The same file through llama.cpp: another implementation of the same network must say the same. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getLlama, type Token } from "node-llama-cpp";
import { expect, test } from "vitest";
import { key } from "../../key.ts";
import { randomLlama } from "../gguf/random-model.ts";
import type { LlamaShape } from "../gguf/write-llama.ts";
import { llamaJs } from "./index.ts";

const characters = "\n 0123456789+-*/=,;:>?abcdefghijklmnopqrstuvwxyz";
const text = "11,2,5,8>29\n5*2=10;11,8,10\n11+10=21;8,21\n21+8=29\n";
const plain: LlamaShape = { layers: 4, width: 64, heads: 4, feedForward: 176, context: 128, characters };

test.each([
  ["tied, F32", { ...plain, tied: true, type: "F32" }],
  ["an output matrix of its own, F16", { ...plain, tied: false, type: "F16" }],
  ["grouped queries, another rotary base", { ...plain, heads: 8, keyValueHeads: 2, ropeBase: 5e5, epsilon: 1e-6 }],
] as const)("llama.cpp gives the same next-token laws: %s", { timeout: 60_000 }, async (_, options) => {
  const bytes = randomLlama({ ...options, key: key(5) });
  const folder = await mkdtemp(join(tmpdir(), "parity-"));
  try {
    await writeFile(join(folder, "model.gguf"), bytes);
    const llama = await getLlama({ gpu: false, build: "never", logLevel: "error" as never });
    const native = await llama.loadModel({ modelPath: join(folder, "model.gguf") });
    const context = await native.createContext({
      contextSize: 128,
      threads: 1,
      flashAttention: false, // which rounds to F16 (1e-3 in probability), whatever the types of the cache
      experimentalKvCacheKeyType: "F32",
      experimentalKvCacheValueType: "F32",
    });
    const tokens = [native.tokens.bos as Token, ...native.tokenize(text)];
    expect(tokens).toHaveLength(text.length + 1); // a character each
    const laws = await context
      .getSequence()
      .controlledEvaluate(
        tokens.map((token): [Token, { generateNext: { probabilities: true } }] => [
          token,
          { generateNext: { probabilities: true } },
        ]),
      );
    const model = llamaJs(bytes);
    const { signal } = new AbortController();
    let largest = 0;
    for (let length = 0; length <= text.length; length++) {
      const next = await model.nextTokens?.({ prompt: text.slice(0, length), text: "" }, { signal });
      const law = laws[length]?.next.probabilities as Map<Token, number>;
      expect(law.size).toBe(next?.tokens.length);
      next?.tokens.forEach((token, i) => {
        largest = Math.max(
          largest,
          Math.abs((law.get(token as Token) as number) - Math.exp(next.logProbs[i] as number)),
        );
      });
    }
    // Both sum in float32 or better over some hundred terms. F16 weights: llama.cpp rounds activations to F16 as well (2^-11).
    expect(largest).toBeLessThan("type" in options && options.type === "F16" ? 5e-3 : 1e-5);
    await context.dispose();
    await native.dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
});
