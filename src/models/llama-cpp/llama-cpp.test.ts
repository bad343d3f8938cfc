import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { key } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Completion, GenerateRequest, ModelPart, Prefix } from "../../model.ts";
import { randomLlama } from "../gguf/random-model.ts";
import { readGguf, tensor } from "../gguf/read.ts";
import { fileRevision } from "../gguf/revision.ts";
import { f32, type MetadataInput, type TensorInput, writeGguf } from "../gguf/write.ts";
import { type LlamaShape, llamaMetadata, llamaTensors, writeLlama } from "../gguf/write-llama.ts";
import { openLlamaJs } from "../llama-js/index.ts";
import { transform } from "../sampling.ts";
import { idleCores } from "./engine.ts";
import { type LlamaCppModel, llamaCpp } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "llama-cpp-"));
const path = (name: string): string => join(folder, name);
const shape: LlamaShape = { layers: 2, width: 64, heads: 2, feedForward: 96, context: 512 };
const ascii = `${String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i))}\n`;
const bytes = randomLlama({ ...shape, characters: ascii, key: key(1) });
const idOf = (character: string): number => 3 + ascii.indexOf(character);
const prefix: Prefix = { prompt: "Natalia sold 48 clips in April. How many in May? ", text: "" };
const signal = new AbortController().signal;

let model: LlamaCppModel;
beforeAll(async () => {
  writeFileSync(path("tiny.gguf"), bytes);
  model = await open("tiny.gguf");
}, 60_000);
afterAll(async () => {
  await model[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const open = (name: string, options: Parameters<typeof llamaCpp>[1] = {}): Promise<LlamaCppModel> =>
  llamaCpp(path(name), { sequences: 64, contextTokens: 256, gpu: false, ...options });

const seedsTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

async function parts(request: Partial<GenerateRequest>, from = model): Promise<ModelPart[]> {
  const got: ModelPart[] = [];
  for await (const part of from.generate({ prefix, seeds: [1], maxTokens: 24, sampling: {}, signal, ...request }))
    got.push(part);
  return got;
}

async function complete(request: Partial<GenerateRequest>, from = model): Promise<Completion[]> {
  const done: Completion[] = [];
  for (const part of await parts(request, from)) {
    if (part.type === "failure") throw new Error(`${part.failure.code}: ${part.failure.message}`);
    if (part.type === "completion") done[part.index] = part.completion;
  }
  return done;
}

const texts = (completions: readonly Completion[]): string[] => completions.map(({ text }) => text);

test("its revision and its parameters are those of the file", async () => {
  expect(model.revision).toBe(await fileRevision(path("tiny.gguf")));
  expect(model.parameters).toBe((await openLlamaJs(path("tiny.gguf"))).parameters);
});

test("one seed, one text: alone, among 16, among 64", async () => {
  const all = await complete({ seeds: seedsTo(64) });
  expect(new Set(texts(all)).size).toBe(64);
  expect(texts(await complete({ seeds: seedsTo(16) }))).toEqual(texts(all.slice(0, 16)));
  for (const seed of [0, 7, 15]) expect(texts(await complete({ seeds: [seed] }))).toEqual([all[seed]?.text]);
});

test("64 samples of a prompt evaluate it once", async () => {
  const before = { ...model.counts };
  const done = await complete({ seeds: seedsTo(64), prefix: { prompt: "A prompt that is new. ".repeat(5), text: "" } });
  expect(model.counts.promptTokens - before.promptTokens).toBe(110); // all but the start token, which every prompt has
  expect(model.counts.copies - before.copies).toBe(63);
  expect(done.map(({ cost }) => cost.promptTokens + cost.cachedTokens)).toEqual(Array(64).fill(111));
  expect(done.every(({ cost, length }) => cost.tokens === length && cost.calls === 1)).toBe(true);
});

test("without copies the texts are the same", async () => {
  await using plain = await open("tiny.gguf", { sequences: 8, copies: false });
  expect(texts(await complete({ seeds: seedsTo(8) }, plain))).toEqual(texts(await complete({ seeds: seedsTo(8) })));
  expect(plain.counts).toEqual({ copies: 0, moves: 0, promptTokens: 8 * 50 });
});

test("more samples than sequences, several requests at a time", async () => {
  await using narrow = await open("tiny.gguf", { sequences: 4 });
  const other: Prefix = { prompt: "Quite another prompt: ", text: "" };
  const [many, few] = await Promise.all([
    complete({ seeds: seedsTo(10) }, narrow),
    complete({ seeds: seedsTo(3), prefix: other }, narrow),
  ]);
  expect(texts(many)).toEqual(texts(await complete({ seeds: seedsTo(10) })));
  expect(texts(few)).toEqual(texts(await complete({ seeds: seedsTo(3), prefix: other })));
});

test("log-probabilities of samples are those of scoreText, under the law as it is; the sampled law's apart", async () => {
  const sampling = { temperature: 0.7, topK: 20, topP: 0.9 };
  for (const { text, tokens, length, logProb, logProposal } of await complete({
    seeds: seedsTo(8),
    sampling,
    stop: ["\n"],
  })) {
    if (tokens?.length !== length) continue; // ended
    const { logProbs } = await model.scoreText(prefix, text, { signal });
    expect(logProbs.reduce((a, b) => a + b)).toBeCloseTo(logProb, 4);
    let expected = 0;
    for (const [i, token] of tokens.entries()) {
      const next = await model.nextTokens(
        { ...prefix, text: text.slice(0, i), tokens: tokens.slice(0, i) },
        { signal },
      );
      const law = new Float64Array(next.tokens.length);
      for (const [at, id] of next.tokens.entries()) law[id] = next.logProbs[at] as number;
      expected += transform(law, sampling)[token] as number;
    }
    expect(logProposal).toBeCloseTo(expected, 3);
  }
});

test("the end of an answer is scored as it is sampled", async () => {
  const { logProbs } = await model.scoreText(prefix, "ab", { end: true, signal });
  const next = await model.nextTokens({ ...prefix, text: "ab" }, { signal });
  expect(next.endTokens).toEqual([2]);
  expect(logProbs).toHaveLength(3);
  expect(logProbs[2]).toBeCloseTo(next.logProbs[next.tokens.indexOf(2)] as number, 5);
  expect(next.texts[next.tokens.indexOf(idOf("a"))]).toBe("a");
  expect(next.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 12);
});

test("first tokens are drawn from the next-token law", async () => {
  const count = 2000;
  const done = await complete({ seeds: seedsTo(count), maxTokens: 1 });
  const next = await model.nextTokens(prefix, { signal });
  const seen = new Map<number, number>();
  for (const { tokens, finish } of done) {
    const token = finish === "end" ? 2 : (tokens?.[0] as number);
    seen.set(token, (seen.get(token) ?? 0) + 1);
  }
  // Tokens expected less than 5 times are one class.
  let [chiSquare, classes, restSeen, restExpected] = [0, 0, 0, 0];
  for (const [i, token] of next.tokens.entries()) {
    const expected = count * Math.exp(next.logProbs[i] as number);
    if (expected < 5) {
      restSeen += seen.get(token) ?? 0;
      restExpected += expected;
    } else {
      chiSquare += ((seen.get(token) ?? 0) - expected) ** 2 / expected;
      classes++;
    }
  }
  chiSquare += (restSeen - restExpected) ** 2 / restExpected;
  expect(Math.abs(chiSquare - classes) / Math.sqrt(2 * classes)).toBeLessThan(5); // mean and variance of chi-square
});

test("stop texts are left out, steps end where `until` says, and continuing gives the same text", async () => {
  const [whole] = (await complete({ seeds: [3], sampling: { temperature: 0 }, maxTokens: 40 })) as [Completion];
  const middle = whole.text.slice(9, 11);
  const [stopped] = (await complete({ seeds: [3], sampling: { temperature: 0 }, maxTokens: 40, stop: [middle] })) as [
    Completion,
  ];
  expect(stopped.text).toBe(whole.text.slice(0, whole.text.indexOf(middle)));
  expect(stopped.finish).toBe("stop");
  const until = (text: string): number | undefined => (text.length >= 6 ? 6 : undefined);
  const [step] = (await complete({ seeds: [3], sampling: { temperature: 0 }, until })) as [Completion];
  expect([step.text, step.finish]).toEqual([whole.text.slice(0, 6), "until"]);
  const continued = { ...prefix, text: step.text, ...(step.tokens && { tokens: step.tokens }) };
  const [rest] = (await complete({
    seeds: [3],
    prefix: continued,
    sampling: { temperature: 0 },
    maxTokens: 40 - step.length,
  })) as [Completion];
  expect(step.text + rest.text).toBe(whole.text);
  expect(rest.cost.cachedTokens).toBeGreaterThan(50);
});

test("deltas add up to the text, and never hold half a character", async () => {
  // Of the 256 bytes only those of these characters get much probability.
  const wanted = new TextEncoder().encode("é€😀a");
  const file = readGguf(randomLlama({ ...shape, key: key(1) }));
  const weights = new Map([...file.tensors.keys()].map((name) => [name, tensor(file, name)]));
  const embedding = weights.get("token_embd.weight") as Float32Array;
  for (let token = 0; token < 259; token++)
    if (token > 2 && !wanted.includes(token - 3)) embedding.fill(0, 64 * token, 64 * (token + 1));
  writeFileSync(path("bytes.gguf"), writeLlama(shape, weights));
  await using odd = await open("bytes.gguf", { sequences: 16 });
  const got = await parts({ seeds: seedsTo(16), stream: true, stop: ["a"], maxTokens: 60 }, odd);
  for (const index of seedsTo(16)) {
    const text = got.flatMap((part) =>
      part.index === index && part.type === "completion" ? [part.completion.text] : [],
    )[0];
    const deltas = got.flatMap((part) => (part.index === index && part.type === "text-delta" ? [part.delta] : []));
    expect(deltas.join("")).toBe(text);
    for (const delta of deltas) expect(delta.isWellFormed()).toBe(true);
  }
  const { tokens } = await odd.scoreText(prefix, "é€", { signal });
  expect(tokens).toHaveLength(5);
  const decoder = new TextDecoder();
  for (const { text, tokens } of await complete({ seeds: seedsTo(16), maxTokens: 60 }, odd))
    expect(text).toBe(
      decoder.decode(Uint8Array.from(tokens?.filter((token) => token > 2) ?? [], (token) => token - 3)),
    );
});

test("an abort ends the stream at once and frees the sequences", async () => {
  const stop = new AbortController();
  const stream = model.generate({
    prefix,
    seeds: seedsTo(128),
    maxTokens: 150,
    sampling: {},
    signal: stop.signal,
    stream: true,
  });
  let aborted = 0;
  for await (const part of stream) {
    expect(aborted).toBe(0);
    expect(part.type).not.toBe("failure");
    stop.abort();
    aborted = performance.now();
  }
  expect(performance.now() - aborted).toBeLessThan(50);
  expect(await complete({ seeds: seedsTo(64), maxTokens: 2 })).toHaveLength(64);
});

test("a consumer that leaves ends the rest", async () => {
  for await (const _ of model.generate({
    prefix,
    seeds: seedsTo(64),
    maxTokens: 100,
    sampling: {},
    signal,
    stream: true,
  }))
    break;
  expect(await complete({ seeds: seedsTo(64), maxTokens: 2 })).toHaveLength(64);
});

test("what does not fit fails as overflow, with its cost; the others go on", async () => {
  const [tooLong] = await parts({ prefix: { prompt: "x".repeat(300), text: "" } });
  expect(tooLong).toMatchObject({
    type: "failure",
    failure: { code: "overflow" },
    cost: { tokens: 0, promptTokens: 0 },
  });
  const got = await parts({ prefix: { prompt: "x".repeat(245), text: "" }, seeds: seedsTo(32) });
  for (const part of got)
    if (part.type === "failure") expect(part).toMatchObject({ failure: { code: "overflow" }, cost: { tokens: 10 } });
    else expect(part).toMatchObject({ completion: { finish: "end" } });
  expect(got).toHaveLength(32);
  const [fits] = await complete({
    prefix: { prompt: "x".repeat(245), text: "" },
    maxTokens: 10,
    sampling: { temperature: 0 },
  });
  expect(fits?.length).toBe(10); // 1 + 245 + 10 = 256
});

test("text is refused that the vocabulary cannot spell; options are checked", async () => {
  writeFileSync(path("letters.gguf"), randomLlama({ ...shape, characters: "abc \n", key: key(2) }));
  await using letters = await open("letters.gguf", { sequences: 1 });
  await expect(parts({ prefix: { prompt: "a cab é", text: "" } }, letters)).rejects.toThrow('no token for "é"');
  await expect(parts({ prefix: { prompt: "a", text: "", tokens: [8] } }, letters)).rejects.toThrow("[0, 8)");
  expect(letters.countTokens("é")).toBe(3);
  expect(await complete({ prefix: { prompt: "a cab", text: "" } }, letters)).toHaveLength(1);
  await expect(parts({ sampling: { topP: 2 } })).rejects.toThrow("'topP'");
  await expect(parts({ prefix: { prompt: [{ role: "user", content: "hi" }], text: "" } })).rejects.toThrow(
    "no chat template",
  );
  await expect(open("letters.gguf", { sequences: 0 })).rejects.toThrow(
    "'sequences' must be a positive integer: current value is 0",
  );
});

test("conversations go through the file's own template; a partial answer is continued in its turn", async () => {
  const template =
    "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}";
  writeFileSync(path("chat.gguf"), rewritten({ "tokenizer.chat_template": template }));
  await using chat = await open("chat.gguf", { sequences: 2 });
  expect([chat.capabilities.messages, model.capabilities.messages]).toEqual([true, false]);
  const asked: Prefix = {
    prompt: [
      { role: "system", content: "Be <s>hort." },
      { role: "user", content: "2+2?" },
    ],
    text: "It",
  };
  const rendered: Prefix = { prompt: "<system>Be <s>hort.</system><user>2+2?</user><assistant>It", text: "" };
  const [a, b] = await Promise.all([asked, rendered].map((one) => chat.nextTokens(one, { signal })));
  expect(a?.logProbs).toEqual(b?.logProbs);
  expect(a?.tokens).toEqual(b?.tokens);
});

test("an adapter changes the law as merged weights do", async () => {
  const rank = 2;
  const [alpha, scale] = [3, 0.5];
  const stream = random(5);
  const names = ["blk.0.attn_q.weight", "blk.1.ffn_down.weight"];
  const pairs = new Map(
    names.map((name) => {
      const [inputs, outputs] = llamaTensors(shape).find((one) => one.name === name)?.shape as [number, number];
      const numbers = (count: number): Float32Array =>
        Float32Array.from({ length: count }, () => 0.3 * stream.normal());
      return [name, { a: numbers(inputs * rank), b: numbers(rank * outputs), inputs, outputs }];
    }),
  );
  const metadata = {
    "general.type": "adapter",
    "general.architecture": "llama",
    "adapter.type": "lora",
    "adapter.lora.alpha": f32(alpha),
  };
  const tensors = [...pairs].flatMap(([name, { a, b, inputs, outputs }]): TensorInput[] => [
    { name: `${name}.lora_a`, shape: [inputs, rank], type: "F32", data: a },
    { name: `${name}.lora_b`, shape: [rank, outputs], type: "F32", data: b },
  ]);
  writeFileSync(path("adapter.gguf"), writeGguf({ metadata, tensors }));
  const file = readGguf(bytes);
  const weights = new Map([...file.tensors.keys()].map((name) => [name, tensor(file, name)]));
  for (const [name, { a, b, inputs, outputs }] of pairs) {
    const weight = weights.get(name) as Float32Array;
    for (let o = 0; o < outputs; o++)
      for (let i = 0; i < inputs; i++)
        for (let r = 0; r < rank; r++)
          weight[o * inputs + i] =
            (weight[o * inputs + i] as number) +
            ((scale * alpha) / rank) * (b[o * rank + r] as number) * (a[r * inputs + i] as number);
  }
  writeFileSync(path("merged.gguf"), writeLlama({ ...shape, characters: ascii }, weights));
  await using adapted = await open("tiny.gguf", { sequences: 1, lora: [{ path: path("adapter.gguf"), scale }] });
  await using merged = await open("merged.gguf", { sequences: 1 });
  const score = async (one: LlamaCppModel): Promise<readonly number[]> =>
    (await one.scoreText(prefix, "She sold 24.", { signal })).logProbs;
  const [base, low, full] = [await score(model), await score(adapted), await score(merged)];
  for (const [i, logProb] of full.entries()) expect(low[i]).toBeCloseTo(logProb, 4);
  expect(Math.abs((base[3] as number) - (full[3] as number))).toBeGreaterThan(0.01);
  await expect(open("adapter.gguf")).rejects.toThrow("is an adapter: name it in 'lora'");
  await expect(open("tiny.gguf", { lora: [{ path: path("merged.gguf") }] })).rejects.toThrow("is no adapter");
});

test("a broken or foreign file is refused before the engine sees it", async () => {
  for (const length of [0, 3, 20, 500, 8000, bytes.length - 1]) {
    writeFileSync(path("broken.gguf"), bytes.subarray(0, length));
    await expect(open("broken.gguf")).rejects.toThrow(
      /^Cannot open .*broken\.gguf as it is no whole GGUF file: .*byte/,
    );
  }
  writeFileSync(path("broken.gguf"), "PK\u0003\u0004 a zip archive, say");
  await expect(open("broken.gguf")).rejects.toThrow("no whole GGUF file");
  await expect(open("absent.gguf")).rejects.toThrow("no such file");
  writeFileSync(path("mute.gguf"), rewritten({ "tokenizer.ggml.model": "none" }, ["tokenizer.ggml.tokens"]));
  await expect(open("mute.gguf")).rejects.toThrow("has no vocabulary");
  writeFileSync(path("alien.gguf"), rewritten({ "general.architecture": "alien" }));
  await expect(open("alien.gguf")).rejects.toThrow(/as the engine refuses it: .*alien/s);
});

test("large vocabularies: the top of the law is fetched first, and nothing else changes", async () => {
  const size = 8300;
  const stream = random(8);
  const words = [
    ...(llamaMetadata(shape)["tokenizer.ggml.tokens"] as string[]),
    ...Array.from({ length: size - 259 }, (_, i) => `w${i}`),
  ];
  const small: LlamaShape = { layers: 1, width: 16, heads: 1, feedForward: 16, context: 128 };
  const tensors = llamaTensors(small).map(({ name, shape }): TensorInput => {
    const dimensions = name === "token_embd.weight" ? [16, size] : shape;
    const scale = name === "token_embd.weight" ? 1.2 : dimensions.length === 1 ? 0 : 0.25;
    const data = Float32Array.from({ length: dimensions.reduce((a, b) => a * b) }, () =>
      scale === 0 ? 1 : scale * stream.normal(),
    );
    return { name, shape: dimensions, type: "F32", data };
  });
  const types = { type: "array", items: "i32", value: words.map((_, id) => (id === 0 ? 2 : id < 3 ? 3 : 1)) } as const;
  const metadata = {
    ...llamaMetadata(small),
    "llama.vocab_size": size,
    "tokenizer.ggml.tokens": words,
    "tokenizer.ggml.token_type": types,
  };
  writeFileSync(path("large.gguf"), writeGguf({ metadata, tensors }));
  await using large = await open("large.gguf", { sequences: 4, contextTokens: 64 });
  const next = await large.nextTokens({ prompt: "ab", text: "" }, { signal });
  expect(next.logProbs.reduce((sum, logProb) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 9);
  for (const sampling of [{}, { temperature: 0.5 }, { topP: 0.9 }])
    for (const { tokens = [], length, logProb, logProposal } of await complete(
      { prefix: { prompt: "ab", text: "" }, seeds: seedsTo(4), maxTokens: 6, sampling },
      large,
    )) {
      let [p, q] = [0, 0];
      for (const [i, token] of tokens.entries()) {
        const { tokens: ids, logProbs } = await large.nextTokens(
          { prompt: "ab", text: "", tokens: tokens.slice(0, i) },
          { signal },
        );
        const law = new Float64Array(size);
        for (const [at, id] of ids.entries()) law[id] = logProbs[at] as number;
        p += law[token] as number;
        q += transform(law, sampling)[token] as number;
      }
      if (tokens.length !== length) continue;
      expect(logProb).toBeCloseTo(p, 3);
      expect(logProposal).toBeCloseTo(q, 3);
    }
  const scored = await large.scoreText({ prompt: "ab", text: "" }, "cd", { signal });
  expect(scored.logProbs[0]).toBeCloseTo(next.logProbs[next.tokens.indexOf(3 + 99)] as number, 4);
});

test("threads: none where cores are busy, one at least", () => {
  expect(idleCores(2, 0)).toBe(1);
  expect(idleCores(16, 0)).toBe(8);
  expect(idleCores(16, 9.5)).toBe(3);
  expect(idleCores(16, 40)).toBe(1);
});

test("a process ends by itself once its model is closed; without the engine one line says what to install", () => {
  const source = fileURLToPath(new URL("index.ts", import.meta.url));
  const run = (code: string) => {
    writeFileSync(path("script.mjs"), code);
    return spawnSync(process.execPath, [path("script.mjs")], { encoding: "utf8", timeout: 15_000 });
  };
  const closed = run(`
    import { llamaCpp } from ${JSON.stringify(source)};
    await using model = await llamaCpp(${JSON.stringify(path("tiny.gguf"))}, { sequences: 2, gpu: false });
    const stop = new AbortController();
    for await (const part of model.generate({ prefix: { prompt: "a", text: "" }, seeds: [1, 2, 3], maxTokens: 9, sampling: {}, signal: stop.signal })) console.log(part.type);
  `);
  expect([closed.stdout, closed.stderr, closed.status]).toEqual(["completion\n".repeat(3), "", 0]);
  const missing = run(`
    import { registerHooks } from "node:module";
    registerHooks({ resolve(name, context, next) { return next(name === "node-llama-cpp" ? "node-llama-cpp-that-is-not-there" : name, context); } });
    const { llamaCpp } = await import(${JSON.stringify(source)});
    await llamaCpp(${JSON.stringify(path("tiny.gguf"))}).catch(({ message }) => console.log(message));
  `);
  expect(missing.stdout).toBe(
    `Cannot open ${path("tiny.gguf")} as the engine node-llama-cpp is not installed: run npm install node-llama-cpp\n`,
  );
});

/** The tiny model with other metadata. */
function rewritten(changes: Record<string, MetadataInput>, removed: readonly string[] = []): Uint8Array {
  const file = readGguf(bytes);
  const metadata = Object.fromEntries(
    Object.entries({ ...llamaMetadata({ ...shape, characters: ascii }), ...changes }).filter(
      ([name]) => !removed.includes(name),
    ),
  );
  const tensors = [...file.tensors.values()].map(
    ({ name, shape }): TensorInput => ({ name, shape, type: "F32", data: tensor(file, name) }),
  );
  return writeGguf({ metadata, tensors });
}
