/** What is trained is what runs: the trainer's forward pass and both engines give the same next-token probabilities. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultDevice, init } from "@jax-js/jax";
import { expect, test } from "vitest";
import { key } from "../src/key.ts";
import type { Model } from "../src/model.ts";
import { llamaCpp } from "../src/models/llama-cpp/index.ts";
import { openLlamaJs } from "../src/models/llama-js/index.ts";
import { encode, type Shape, vocabulary } from "../training/config.ts";
import { toGguf } from "../training/export.ts";
import { initial, probabilities, type Tensor } from "../training/model.ts";

const shape: Shape = { width: 32, layers: 2, heads: 2, hidden: 88 };
const text = "11,2,5,8>29\n5*2=10;11,8,10\n11+10=21;8,21\n?";

/** Initial weights give nearly uniform laws; five times as large, the laws differ between positions and tokens. */
const enlarged = (tensors: Record<string, Tensor>): Record<string, Tensor> =>
  Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      { shape, data: shape.length > 1 ? data.map((x) => 5 * x) : data },
    ]),
  );

test("jax-js, llama.cpp and the JavaScript engine agree to 1e-5 in probability", { timeout: 60_000 }, async () => {
  await init("wasm");
  defaultDevice("wasm");
  const weights = enlarged(initial(shape, key(3)));
  const expected = await probabilities(shape, weights, encode(text)); // [positions, vocabulary]
  const folder = await mkdtemp(join(tmpdir(), "trainer-parity-"));
  try {
    const path = join(folder, "model.gguf");
    await writeFile(path, toGguf(shape, "parity", weights, "F32"));
    await using native = await llamaCpp(path, { sequences: 1, cacheType: "F32" });
    for (const model of [native, await openLlamaJs(path)] as Model[]) {
      let largest = 0;
      for (let length = 0; length <= text.length; length++) {
        const next = await model.nextTokens?.(
          { prompt: text.slice(0, length), text: "" },
          { signal: new AbortController().signal },
        );
        next?.tokens.forEach((token, i) => {
          const difference =
            Math.exp(next.logProbs[i] as number) - (expected[length * vocabulary.length + token] as number);
          largest = Math.max(largest, Math.abs(difference));
        });
      }
      expect(largest).toBeGreaterThan(0); // it did compare
      expect(largest).toBeLessThan(1e-5); // float32 sums of up to 88 terms, in two orders
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
