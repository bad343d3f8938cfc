import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { random } from "../../math/random.ts";
import { reward } from "../../scorers/reward.ts";
import type { Node } from "../../node.ts";
import { type MetadataInput, type TensorInput, writeGguf } from "../gguf/write.ts";
import { llamaMetadata, type LlamaShape, llamaTensors } from "../gguf/write-llama.ts";
import { llamaCppRewards } from "./rewards.ts";

const folder = mkdtempSync(join(tmpdir(), "llama-cpp-rewards-"));
afterAll(() => rmSync(folder, { recursive: true }));
const signal = new AbortController().signal;
const shape: LlamaShape = { layers: 2, width: 64, heads: 2, feedForward: 96, context: 512 };
const perHead = shape.width / shape.heads;

/** A reranker of random weights in the architecture of Qwen 3, whose head is `scale` times random for "yes", 0 for "no". */
function reranker(name: string, scale: number, { yes = 0, pooling = 4 } = {}): string {
  const stream = random(5);
  const head = random(9);
  const metadata: Record<string, MetadataInput> = {
    ...Object.fromEntries(
      Object.entries(llamaMetadata(shape)).map(([key, value]) => [key.replace(/^llama\./, "qwen3."), value]),
    ),
    "general.architecture": "qwen3",
    "qwen3.attention.key_length": perHead,
    "qwen3.attention.value_length": perHead,
    "qwen3.pooling_type": pooling, // 4 is RANK in `enum llama_pooling_type` of llama.cpp
    "qwen3.classifier.output_labels": ["yes", "no"],
    "tokenizer.chat_template.rerank": "{query}|{document}",
  };
  const tensors: TensorInput[] = llamaTensors(shape).map(({ name, shape: dimensions }) => ({
    name,
    shape: dimensions,
    type: "F32",
    data: Float32Array.from({ length: dimensions.reduce((product, size) => product * size, 1) }, () =>
      dimensions.length === 1 ? 1 : stream.normal() / 4,
    ),
  }));
  const ones = new Float32Array(perHead).fill(1);
  for (let i = 0; i < shape.layers; i++)
    for (const part of ["q", "k"])
      tensors.push({ name: `blk.${i}.attn_${part}_norm.weight`, shape: [perHead], type: "F32", data: ones });
  const row = Array.from({ length: shape.width }, () => (scale * head.normal()) / 4);
  const rows = [row.map(() => 0), row.map(() => 0)];
  rows[yes] = row;
  tensors.push({
    name: "cls.output.weight",
    shape: [shape.width, 2],
    type: "F32",
    data: Float32Array.from(rows.flat()),
  });
  const path = join(folder, name);
  writeFileSync(path, writeGguf({ metadata, tensors: pooling === 4 ? tensors : tensors.slice(0, -1) }));
  return path;
}

const open = (path: string) => llamaCppRewards(path, { gpu: false, contextTokens: 64, threads: 1 });
const answers = ["abc", "def", "a longer answer", ""];
const logit = (p: number): number => Math.log(p / (1 - p));

test("is the softmax of the head: twice the head, twice the log-odds; the other class, the complement; no head, one half", async () => {
  await using once = await open(reranker("once.gguf", 1));
  await using twice = await open(reranker("twice.gguf", 2));
  await using other = await open(reranker("other.gguf", 1, { yes: 1 }));
  await using none = await open(reranker("none.gguf", 0));
  const [a, b, c, d] = (await Promise.all(
    [once, twice, other, none].map((model) => model.rewards("what?", answers, { signal }).then(({ values }) => values)),
  )) as [number[], number[], number[], number[]];
  expect(new Set(a).size).toBe(answers.length);
  for (const [i, p] of a.entries()) {
    expect(logit(b[i] as number)).toBeCloseTo(2 * logit(p), 2);
    expect((c[i] as number) + p).toBeCloseTo(1, 5);
    expect(d[i]).toBeCloseTo(0.5, 6);
  }
});

test("is a scorer within its bound; what does not fit the context says so; an aborted call ends", async () => {
  await using model = await open(reranker("scorer.gguf", 1));
  const scorer = reward<string>(model);
  const context = { problem: { id: "p", prompt: "what?" }, text: (state: string) => state };
  const judge = async (state: string, signal = new AbortController().signal) =>
    scorer.score({ state } as Node<string>, { ...context, seed: 1, signal });
  expect(scorer.name).toBe("reward:scorer");
  const bound = scorer.bound?.({ state: "abc" } as Node<string>, context);
  const judged = (await judge("abc")) as { cost: { promptTokens: number; calls: number } };
  expect(judged).toMatchObject({ score: { kind: "probability" }, cost: { calls: 1, promptTokens: 10 } }); // <s>what?|abc
  expect(bound?.promptTokens).toBeGreaterThanOrEqual(10);
  expect(model.templateTokens).toBe(16); // <s>x|x has fewer
  await expect(judge("x".repeat(80))).rejects.toMatchObject({ code: "overflow" });
  await expect(judge("abc", AbortSignal.abort(new Error("left")))).rejects.toThrow("left");
});

test("a file without such a head is refused when it is opened", async () => {
  await expect(open(reranker("plain.gguf", 1, { pooling: 0 }))).rejects.toThrow(/Cannot open .*plain.gguf/);
});
