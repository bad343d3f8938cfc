import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { shippedModels } from "../../open-model.ts";
import { readGguf } from "../gguf/read.ts";
import { hiddenStates } from "./hidden-states.ts";
import { llamaJs } from "./index.ts";
import { readWeights } from "./weights.ts";

const bytes = readFileSync(shippedModels[0]?.path ?? "");
const signal = new AbortController().signal;

test("its next-token distribution follows from it, for texts of one pass and of several", async () => {
  const { output, width, vocabulary } = readWeights(readGguf(bytes));
  const model = llamaJs(bytes);
  for (const text of ["11,2,5,8>29\n", `11,2,5,8>29\n${"11+2=13;5,8,13\n".repeat(5)}`]) {
    const { vectors, cost } = await hiddenStates(bytes).embed([text], { signal });
    const hidden = vectors[0] as Float32Array;
    const logits = Array.from({ length: vocabulary }, (_, v) =>
      hidden.reduce((sum, one, i) => sum + one * (output[v * width + i] as number), 0),
    );
    const next = await model.nextTokens?.({ prompt: text, text: "" }, { signal });
    const [first = 0, second = 0] = next?.tokens ?? [];
    const odds = (next?.logProbs[0] ?? 0) - (next?.logProbs[1] ?? 0);
    expect((logits[first] as number) - (logits[second] as number)).toBeCloseTo(odds, 3);
    expect(cost.promptTokens).toBeGreaterThanOrEqual(text.length);
  }
});

test("a text that is too long is refused", async () => {
  await expect(hiddenStates(bytes).embed(["1".repeat(10_000)], { signal })).rejects.toMatchObject({ code: "overflow" });
});
