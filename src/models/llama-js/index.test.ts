import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { noCost } from "../../budget.ts";
import { Failed } from "../../errors.ts";
import { key, seedOf, split } from "../../key.ts";
import type { Completion, GenerateRequest, Model, ModelPart, Prefix, Sampling } from "../../model.ts";
import { GgufError } from "../gguf/header.ts";
import { fileRevision } from "../gguf/revision.ts";
import { randomLlama } from "../gguf/random-model.ts";
import { readGguf } from "../gguf/read.ts";
import { array, type MetadataInput, type TensorInput, writeGguf } from "../gguf/write.ts";
import { llamaMetadata, type LlamaShape } from "../gguf/write-llama.ts";
import { transform } from "../sampling.ts";
import { llamaJs, openLlamaJs } from "./index.ts";

const shape: LlamaShape = {
  layers: 2,
  width: 16,
  heads: 4,
  keyValueHeads: 2,
  feedForward: 24,
  context: 64,
  characters: "\n abcdef",
};
const file = randomLlama({ ...shape, key: key(1) });
const signal = new AbortController().signal;
const prefix = (prompt: string, text = ""): Prefix => ({ prompt, text });
const seeds = (count: number, seed = 3): number[] => split(key(seed), count).map(seedOf);

async function parts(model: Model, request: Partial<GenerateRequest> & { prefix: Prefix }): Promise<ModelPart[]> {
  const all: ModelPart[] = [];
  for await (const part of model.generate({ seeds: [7], maxTokens: 20, sampling: {}, signal, ...request }))
    all.push(part);
  return all;
}

/** The completions in order of their seeds. */
async function samples(model: Model, request: Partial<GenerateRequest> & { prefix: Prefix }): Promise<Completion[]> {
  const all: Completion[] = [];
  for (const part of await parts(model, request))
    if (part.type === "completion") all[part.index] = part.completion;
    else if (part.type === "failure") throw new Error(part.failure.message);
  return all;
}

/** What must not depend on anything but the seed. */
const essence = ({ text, tokens, logProb, logProposal, finish }: Completion): object => ({
  text,
  tokens,
  logProb,
  logProposal,
  finish,
});

test("the same seed gives the same sample to the last bit: alone, among 50, beside other calls, continued from a cache", async () => {
  const prompts = ["abc", "abcdef", "f\n"];
  const many = seeds(50);
  const request = { seeds: many, maxTokens: 30, sampling: { temperature: 0.9, topP: 0.95 } };
  const busy = llamaJs(file);
  const together = await Promise.all(prompts.map((prompt) => samples(busy, { ...request, prefix: prefix(prompt) })));
  for (const [p, prompt] of prompts.entries())
    for (const i of [0, 1, 17, 49]) {
      const alone = await samples(llamaJs(file), { ...request, seeds: [many[i] as number], prefix: prefix(prompt) });
      expect(essence(together[p]?.[i] as Completion)).toEqual(essence(alone[0] as Completion));
    }
  const again = await samples(busy, { ...request, prefix: prefix("abc") });
  expect(again.map(essence)).toEqual(together[0]?.map(essence));
});

test("samples of one prompt share it; who continues an answer finds it evaluated", async () => {
  const model = llamaJs(file);
  const first = await samples(model, {
    prefix: prefix("abcabc"),
    seeds: seeds(8),
    until: (text) => (text.length >= 5 ? 5 : undefined),
  });
  // "abcabc" is 7 tokens with the one that starts it. The first sample pays for them.
  expect(first.map(({ cost }) => cost.promptTokens)).toEqual([7, 0, 0, 0, 0, 0, 0, 0]);
  expect(first.map(({ cost }) => cost.cachedTokens)).toEqual([0, 7, 7, 7, 7, 7, 7, 7]);
  const whole = first.find(({ finish }) => finish === "until") as Completion;
  expect(whole.text).toHaveLength(5);
  // Its last token was drawn and not evaluated; that is all there is to do.
  const step = { prompt: "abcabc", text: whole.text, tokens: whole.tokens as number[] };
  const [next] = await samples(model, { prefix: step });
  expect(next?.cost).toMatchObject({ promptTokens: 1, cachedTokens: 11, calls: 1 });
  const [anew] = await samples(llamaJs(file), { prefix: { prompt: "abcabc", text: whole.text } });
  expect(essence(next as Completion)).toEqual(essence(anew as Completion));
  const law = await model.nextTokens?.(step, { signal });
  expect(law?.cost).toMatchObject({ tokens: 0, promptTokens: 0, cachedTokens: 12, calls: 1 });
});

test("two calls that want one new prompt at once evaluate it once", async () => {
  const model = llamaJs(file);
  const calls = await Promise.all([1, 2, 3].map((seed) => samples(model, { prefix: prefix("fedcba"), seeds: [seed] })));
  expect(calls.map(([sample]) => sample?.cost.promptTokens)).toEqual([7, 0, 0]);
});

test("a cache too small for one prompt changes costs, not samples", async () => {
  const small = llamaJs(file, { cacheBytes: 1000 });
  const request = { prefix: prefix("abcdefabcdef"), seeds: seeds(20) };
  const expected = await samples(llamaJs(file), request);
  for (let round = 0; round < 2; round++)
    expect((await samples(small, request)).map(essence)).toEqual(expected.map(essence));
  expect((await samples(small, request))[0]?.cost.promptTokens).toBeGreaterThan(0);
});

test.each<Sampling>([{}, { temperature: 0.5, topK: 5 }, { temperature: 1.5, topP: 0.7 }])(
  "first tokens follow nextTokens under %o: chi-square",
  async (sampling) => {
    const model = llamaJs(file);
    const next = await model.nextTokens?.(prefix("ab"), { signal });
    const draws = 4000;
    const counts = new Map<number, number>();
    for (let chunk = 0; chunk < 4; chunk++)
      for (const { tokens } of await samples(model, {
        prefix: prefix("ab"),
        maxTokens: 1,
        sampling,
        seeds: seeds(draws / 4, chunk),
      })) {
        const token = tokens?.[0] ?? (next?.endTokens[0] as number);
        counts.set(token, (counts.get(token) ?? 0) + 1);
      }
    const law = transform(next?.logProbs ?? [], sampling);
    let chiSquare = 0;
    next?.tokens.forEach((token, i) => {
      const expected = draws * Math.exp(law[i] as number);
      if (expected === 0) expect(counts.get(token)).toBeUndefined();
      else chiSquare += ((counts.get(token) ?? 0) - expected) ** 2 / expected;
    });
    expect(chiSquare).toBeLessThan(48); // 10 degrees of freedom at most (11 tokens): one false alarm in a million
  },
);

test("nextTokens is a law, most probable first", async () => {
  const next = await llamaJs(file).nextTokens?.(prefix("ab"), { signal });
  expect(next?.tokens).toHaveLength(11);
  expect(next?.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 12);
  expect(next?.logProbs).toEqual(next?.logProbs.toSorted((a, b) => b - a));
  expect(next?.texts[next.tokens.indexOf(3)]).toBe("\n");
  expect(next?.texts[next.tokens.indexOf(1)]).toBe("");
  expect(next?.endTokens).toEqual([2]);
});

test("continuations as a tree have the laws of each alone, to the last bit, and share what they have in common", async () => {
  const model = llamaJs(file);
  const asked = [[], [4], [4, 5], [4, 6], [4, 5, 7], [8, 4], [4, 5]];
  const laws = await model.nextTokensAfter?.(prefix("ab"), asked, { signal });
  for (const [i, tokens] of asked.entries()) {
    const alone = await llamaJs(file).nextTokens?.({ prompt: "ab", text: "", tokens }, { signal });
    expect({ ...laws?.[i], cost: noCost }).toEqual({ ...alone, cost: noCost });
  }
  // 3 tokens of the prompt with its start; 4, 45, 46, 457, 8, 84.
  expect(laws?.map(({ cost }) => cost.promptTokens)).toEqual([9, 0, 0, 0, 0, 0, 0]);
  const again = await model.nextTokensAfter?.(
    prefix("ab"),
    [
      [4, 5, 7, 8],
      [4, 6],
    ],
    { signal },
  );
  expect(again?.[0]?.cost).toMatchObject({ promptTokens: 1, cachedTokens: 3 + 4, calls: 1 });
  expect(again?.[1]?.logProbs).toEqual(laws?.[3]?.logProbs);
  // A token that was drawn after what is known joins the pass.
  const drawn = { prompt: "ab", text: "", tokens: [4, 5, 7, 8, 9] };
  const joined = await model.nextTokensAfter?.(drawn, [[], [4]], { signal });
  expect(joined?.[0]?.cost).toMatchObject({ promptTokens: 2, cachedTokens: 7, calls: 1 });
  const alone = await llamaJs(file).nextTokens?.(drawn, { signal });
  expect(joined?.[0]?.logProbs).toEqual(alone?.logProbs);
  // More than fits one batch, in a cache that keeps nothing.
  const many = Array.from({ length: 300 }, (_, i) =>
    Array.from({ length: 1 + (i % 7) }, (_, j) => 3 + ((i * (j + 1)) % 8)),
  );
  const small = llamaJs(file, { cacheBytes: 0 });
  const all = await small.nextTokensAfter?.(prefix("ab"), many, { signal });
  for (const i of [0, 77, 299]) {
    const alone = await llamaJs(file).nextTokens?.({ prompt: "ab", text: "", tokens: many[i] as number[] }, { signal });
    expect(all?.[i]?.logProbs).toEqual(alone?.logProbs);
  }
  const controller = new AbortController();
  const aborted = small.nextTokensAfter?.(prefix("abc"), many, { signal: controller.signal });
  controller.abort();
  await expect(aborted).rejects.toThrow(/aborted/);
  await expect(small.nextTokensAfter?.(prefix("ab"), [Array(70).fill(4)], { signal })).rejects.toThrow(/room for 64/);
});

test("scoreText gives back what generate said, to the last bit", async () => {
  const model = llamaJs(file);
  const fresh = llamaJs(file);
  // Control tokens other than the end have no text, so samples with one cannot be scored by their text.
  const plain = (await samples(model, { prefix: prefix("fa"), seeds: seeds(40), maxTokens: 12 })).filter(
    ({ text, tokens }) => text.length === tokens?.length,
  );
  expect(plain.some(({ finish }) => finish === "end")).toBe(true);
  for (const { text, finish, logProb, length } of plain)
    for (const judge of [model, fresh]) {
      const score = await judge.scoreText?.(prefix("fa"), text, { end: finish === "end", signal });
      expect(score?.logProbs).toHaveLength(length);
      expect(score?.logProbs.reduce((a, b) => a + b, 0)).toBe(logProb);
      expect(score?.tokens.join("")).toBe(text);
      expect(score?.cost).toMatchObject({ tokens: 0, calls: 1 });
    }
});

test("scoreText of nothing, and of the end alone", async () => {
  const model = llamaJs(file);
  expect(await model.scoreText?.(prefix("a"), "", { signal })).toMatchObject({ tokens: [], logProbs: [] });
  const end = await model.scoreText?.(prefix("a"), "", { end: true, signal });
  const next = await model.nextTokens?.(prefix("a"), { signal });
  expect(end?.logProbs).toEqual([next?.logProbs[next.tokens.indexOf(2)]]);
});

test("temperature 0 takes the most probable token each time, whatever the seed; its proposal is certain", async () => {
  const model = llamaJs(file);
  const [one, other] = await samples(model, { prefix: prefix("b"), seeds: [1, 2], sampling: { temperature: 0 } });
  expect(other?.tokens).toEqual(one?.tokens);
  expect(one?.logProposal).toBe(0);
  const next = await model.nextTokens?.(
    { prompt: "b", text: "", tokens: one?.tokens?.slice(0, 3) as number[] },
    { signal },
  );
  expect(one?.tokens?.[3]).toBe(next?.tokens[0]);
});

test("without cuts the proposal is the law itself", async () => {
  for (const { logProb, logProposal } of await samples(llamaJs(file), { prefix: prefix("b"), seeds: seeds(20) }))
    expect(logProposal).toBe(logProb);
});

test("samples end by stop text, by until, by length; deltas make up the text", async () => {
  const model = llamaJs(file);
  const all = await parts(model, {
    prefix: prefix("c"),
    seeds: seeds(64),
    stop: ["a", "dd"],
    until: (text) => (text.includes("\n") ? text.indexOf("\n") + 1 : undefined),
    maxTokens: 6,
    stream: true,
  });
  const finishes = new Set<string>();
  for (const part of all) {
    if (part.type !== "completion") continue;
    const { text, finish, length, tokens } = part.completion;
    finishes.add(finish);
    expect(text).not.toMatch(/a|dd/);
    if (finish === "until") expect(text.endsWith("\n")).toBe(true);
    if (finish === "length") expect(length).toBe(6);
    if (finish === "stop") expect(length).toBeGreaterThan(tokens?.length as number);
    expect(all.map((p) => (p.type === "text-delta" && p.index === part.index ? p.delta : "")).join("")).toBe(text);
  }
  expect(finishes).toEqual(new Set(["stop", "until", "length", "end"]));
});

test("what does not fit the context fails alone, with its cost", async () => {
  const model = llamaJs(file, { contextTokens: 12 });
  const all = await parts(model, { prefix: prefix("abc"), seeds: seeds(30), maxTokens: 50 });
  expect(all).toHaveLength(30);
  for (const part of all)
    if (part.type === "failure") {
      // 4 tokens of prompt, 8 evaluated after them, and a ninth that has no place.
      expect(part).toMatchObject({ failure: { code: "overflow" }, cost: { tokens: 9, calls: 1 } });
    } else expect(part.type === "completion" && part.completion.finish).toBe("end");
  expect(new Set(all.map(({ type }) => type))).toEqual(new Set(["failure", "completion"]));
  expect(await parts(model, { prefix: prefix("abcdef abcdef") })).toMatchObject([
    { failure: { code: "overflow" }, cost: { tokens: 0 } },
  ]);
  await expect(model.scoreText?.(prefix("abcdef"), "abcdefa", { signal })).rejects.toThrow(
    "Cannot evaluate 13 tokens as the context has room for 12",
  );
});

test("an abort ends every sample within 50 ms, each with what it spent, and nothing runs on", {
  retry: 2,
}, async () => {
  const model = llamaJs(randomLlama({ ...shape, width: 64, layers: 4, context: 100_000, key: key(2) }));
  const aborting = new AbortController();
  const sum = { tokens: 0 };
  let abortedAt = 0;
  setTimeout(() => {
    abortedAt = performance.now();
    aborting.abort();
  }, 30);
  let failures = 0;
  const request = { prefix: prefix("ab"), seeds: seeds(64), maxTokens: 50_000, sampling: {}, signal: aborting.signal };
  for await (const part of model.generate(request))
    if (part.type === "failure") {
      expect(part.failure.code).toBe("aborted");
      sum.tokens += part.cost?.tokens ?? 0;
      failures++;
    }
  expect(performance.now() - abortedAt).toBeLessThan(50);
  expect(failures).toBeGreaterThan(0);
  expect(sum.tokens).toBeGreaterThan(failures);
  expect(await parts(model, { prefix: prefix("ab"), signal: aborting.signal })).toMatchObject([
    { failure: { code: "aborted" } },
  ]);
  await expect(model.nextTokens?.(prefix("ba"), { signal: aborting.signal })).rejects.toMatchObject({
    code: "aborted",
  });
});

test("an abort while a long prompt is evaluated; another who waits for the same prompt still gets it", async () => {
  const model = llamaJs(randomLlama({ ...shape, width: 64, layers: 4, context: 10_000, key: key(2) }));
  const aborting = new AbortController();
  const long = prefix("abcdef".repeat(200));
  setTimeout(() => aborting.abort(), 10);
  const [gone, stays] = await Promise.all([
    parts(model, { prefix: long, signal: aborting.signal }),
    samples(model, { prefix: long, maxTokens: 1 }),
  ]);
  expect(gone).toMatchObject([{ type: "failure", failure: { code: "aborted" } }]);
  const paid = (gone[0] as { cost: { promptTokens: number } }).cost.promptTokens;
  expect(paid + (stays[0]?.cost.promptTokens ?? 0)).toBe(1201); // nothing is evaluated or paid for twice
});

test("who leaves the stream stops its samples", async () => {
  const model = llamaJs(randomLlama({ ...shape, context: 1_000_000, key: key(2) }));
  for await (const _ of model.generate({
    prefix: prefix("ab"),
    seeds: seeds(4),
    maxTokens: 900_000,
    sampling: {},
    stream: true,
    signal,
  }))
    break;
  const start = performance.now();
  await model.nextTokens?.(prefix("abc"), { signal });
  await new Promise((resolve) => setImmediate(resolve));
  expect(performance.now() - start).toBeLessThan(1000);
});

test("an `until` that throws is the failure of its sample alone", async () => {
  const all = await parts(llamaJs(file), {
    prefix: prefix("ab"),
    seeds: seeds(20),
    until: (text) => {
      if (text.startsWith("b")) throw new Error("no b, please");
      return undefined;
    },
  });
  expect(all).toHaveLength(20);
  expect(all).toContainEqual(expect.objectContaining({ failure: { code: "error", message: "no b, please" } }));
  expect(all.some(({ type }) => type === "completion")).toBe(true);
});

test("requests that cannot be met say what to do", async () => {
  const model = llamaJs(file);
  const refused = async (request: Parameters<typeof parts>[1]) => {
    const [part] = await parts(model, request);
    return part?.type === "failure" ? { ...part.failure, cost: part.cost } : part;
  };
  // What is refused before anything is computed costs nothing.
  expect(await refused({ prefix: prefix("aé") })).toEqual({
    code: "rejected",
    message: "Cannot tokenize 'é' as the model's vocabulary has no such character: leave it out",
    cost: noCost,
  });
  await expect(model.scoreText?.(prefix("a"), "x", { signal })).rejects.toMatchObject({ code: "rejected" });
  expect(await refused({ prefix: { prompt: [{ role: "user", content: "a" }], text: "" } })).toMatchObject({
    message: "Cannot give a conversation to 'llama' as it continues raw text: pass the prompt as a string",
  });
  expect(await refused({ prefix: { prompt: "a", text: "b", tokens: [99] } })).toMatchObject({ code: "rejected" });
  await expect(parts(model, { prefix: prefix("a"), maxTokens: 0 })).rejects.toThrow(RangeError);
  await expect(parts(model, { prefix: prefix("a"), sampling: { topP: 2 } })).rejects.toThrow(RangeError);
  expect(await parts(model, { prefix: prefix("a"), seeds: [] })).toEqual([]);
});

test("all 256 bytes: characters of several bytes survive, broken ones become U+FFFD, prompts cost what countTokens says", async () => {
  const model = llamaJs(randomLlama({ layers: 1, width: 16, heads: 2, feedForward: 16, context: 200, key: key(4) }), {
    id: "bytes",
  });
  expect(model.id).toBe("bytes");
  const [first] = await samples(model, { prefix: prefix("Grüße 🌲"), seeds: seeds(1) });
  expect(first?.cost.promptTokens).toBe(model.countTokens("Grüße 🌲"));
  const score = await model.scoreText?.(prefix("a"), "ü", { signal });
  expect(score?.logProbs).toHaveLength(2);
  for (const { text, tokens } of await samples(model, { prefix: prefix("Grüße"), seeds: seeds(30), maxTokens: 40 })) {
    const bytes = (tokens ?? []).filter((token) => token >= 3).map((token) => token - 3);
    expect(text).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes)));
  }
});

test("opened from a path it is the same model", async () => {
  const folder = await mkdtemp(join(tmpdir(), "llama-js-"));
  try {
    await writeFile(join(folder, "model.gguf"), file);
    const model = await openLlamaJs(join(folder, "model.gguf"), { concurrency: 3 });
    expect(model.concurrency).toBe(3);
    expect(model.revision).toBe(await fileRevision(join(folder, "model.gguf")));
    const request = { prefix: prefix("abc"), seeds: seeds(3) };
    expect((await samples(model, request)).map(essence)).toEqual((await samples(llamaJs(file), request)).map(essence));
  } finally {
    await rm(folder, { recursive: true });
  }
});

/** The model of `shape` with other metadata or tensors; undefined leaves an entry out. */
function changed(
  metadata: Record<string, MetadataInput | undefined>,
  change = (tensors: TensorInput[]): TensorInput[] => tensors,
): Uint8Array {
  const all = Object.entries({ ...llamaMetadata(shape), ...metadata }).filter((entry) => entry[1] !== undefined);
  const original = readGguf(file);
  const tensors = [...original.tensors.values()].map(({ name, shape: dimensions, count }): TensorInput => {
    return { name, shape: dimensions, type: "F32", data: new Float32Array(count).fill(0.1) };
  });
  return writeGguf({ metadata: Object.fromEntries(all) as Record<string, MetadataInput>, tensors: change(tensors) });
}

test.each<[string, Uint8Array, string]>([
  ["another architecture", changed({ "general.architecture": "qwen3" }), "the architecture 'qwen3', not 'llama'"],
  ["merges", changed({ "tokenizer.ggml.merges": ["a b"] }), "a tokenizer with merges"],
  ["another tokenizer", changed({ "tokenizer.ggml.model": "llama" }), "a tokenizer of the kind 'llama'"],
  ["rotary scaling", changed({ "llama.rope.scaling.type": "yarn" }), "rotary scaling 'yarn'"],
  ["experts", changed({ "llama.expert_count": 8 }), "experts"],
  ["wide heads", changed({ "llama.attention.key_length": 64 }), "heads whose width is not 4"],
  [
    "a bias",
    changed({}, (t) => [...t, { name: "blk.0.attn_q.bias", shape: [16], type: "F32", data: new Float32Array(16) }]),
    "a tensor 'blk.0.attn_q.bias'",
  ],
])("a model with %s is sent to llama.cpp", (_, bytes, message) => {
  expect(() => llamaJs(bytes)).toThrow(Failed);
  expect(() => llamaJs(bytes)).toThrow(`Cannot run this model in plain JavaScript as it has ${message}`);
  expect(() => llamaJs(bytes)).toThrow("open it with the llama.cpp engine");
});

test.each<[string, Uint8Array, string]>([
  ["no layers", changed({ "llama.block_count": 0 }), "'llama.block_count' must be an integer"],
  ["2^31 layers", changed({ "llama.block_count": 2 ** 31 - 1 }), "Tensor 'blk.2.attn_norm.weight' is missing"],
  ["no width", changed({ "llama.embedding_length": undefined }), "it is undefined"],
  [
    "heads of odd width",
    changed({ "llama.attention.head_count": 16, "llama.attention.head_count_kv": 16 }),
    "do not fit together",
  ],
  ["another shape", changed({ "llama.feed_forward_length": 25 }), "must have the shape [16, 25]: it is [16, 24]"],
  ["too few types", changed({ "tokenizer.ggml.token_type": array("i32", [1]) }), "must hold 11 numbers"],
  ["an end beyond the vocabulary", changed({ "tokenizer.ggml.eos_token_id": 11 }), "must be an id below 11: it is 11"],
])("a file with %s contradicts itself", (_, bytes, message) => {
  expect(() => llamaJs(bytes)).toThrow(GgufError);
  expect(() => llamaJs(bytes)).toThrow(message);
});

test("damaged weights are a failure, not a sample", async () => {
  const broken = changed({}, ([first, ...rest]) => [
    { ...(first as TensorInput), data: (first as TensorInput).data.fill(NaN) },
    ...rest,
  ]);
  expect(await parts(llamaJs(broken), { prefix: prefix("a") })).toMatchObject([{ failure: { code: "bad-response" } }]);
});
