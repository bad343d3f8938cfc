/**
 * The llama.cpp engine: what shared prompts and batches save, and what they cost beside the bare library.
 *
 *     npx node bench/llama.ts [rounds]
 *
 * The model has random weights, 15.7M parameters in F32 (10 layers of width 384, 6 heads over 2 of keys and values) and a
 * vocabulary of 256 bytes and 3 control tokens; a larger one would cost the engine more, as it draws in JavaScript. One
 * thread, one prompt of 512 tokens a round, 64 samples of 24 tokens, temperature 1. Rounds are interleaved; medians of 5 or
 * more. Processor time is given beside time: on one thread they are equal but for what else runs on the machine.
 *
 * - prompt work: prompt tokens evaluated for 64 samples, in prompts
 * - against calls: tokens a second against `LlamaCompletion` calls, one a sample, each on a sequence that holds nothing yet
 *   (16 of the 64 are timed: they do not differ)
 * - against one sequence: against such calls on one sequence, which keeps the prompt
 * - against a loop: tokens a second against 64 `sequence.evaluate` loops at once, the prompt evaluated before on both sides
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getLlama, LlamaCompletion, LlamaLogLevel, type LlamaContextSequence, type Token } from "node-llama-cpp";
import { fold, key, seedOf } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { randomLlama } from "../src/models/gguf/random-model.ts";
import { type LlamaCppModel, llamaCpp } from "../src/models/llama-cpp/index.ts";

const rounds = Number(process.argv[2] ?? 5);
const [samples, promptTokens, newTokens, timedCalls] = [64, 512, 24, 16];
const contextTokens = promptTokens + newTokens;
const seeds = Array.from({ length: samples }, (_, i) => seedOf(fold(key(2), i)));
const sampling = { temperature: 1, topK: 0, topP: 1, minP: 0 };

const folder = await mkdtemp(join(tmpdir(), "bench-llama-"));
const path = join(folder, "random.gguf");
await writeFile(
  path,
  randomLlama({ layers: 10, width: 384, heads: 6, keyValueHeads: 2, feedForward: 1024, context: 1024, key: key(1) }),
);

/** A text of its own for each round; 511 bytes and the start token. */
function promptOf(round: number): string {
  const stream = random(fold(key(3), round));
  return Array.from({ length: promptTokens - 1 }, () => String.fromCharCode(97 + stream.integer(26))).join("");
}

/** Tokens a second, and tokens a second of processor time. */
interface Speed {
  readonly time: number;
  readonly processor: number;
}

async function timed(generate: () => Promise<number>): Promise<Speed> {
  const [start, used] = [performance.now(), process.cpuUsage()];
  const tokens = await generate();
  const { user, system } = process.cpuUsage(used);
  return { time: tokens / ((performance.now() - start) / 1e3), processor: tokens / ((user + system) / 1e6) };
}

async function ours(model: LlamaCppModel, prompt: string): Promise<number> {
  let tokens = 0;
  const { signal } = new AbortController();
  for await (const part of model.generate({
    prefix: { prompt, text: "" },
    seeds,
    maxTokens: newTokens,
    sampling: {},
    signal,
  })) {
    if (part.type === "failure") throw new Error(part.failure.message);
    if (part.type === "completion") tokens += part.completion.length;
  }
  return tokens;
}

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, progressLogs: false });
const bare = await llama.loadModel({ modelPath: path });
const batched = await bare.createContext({ sequences: samples, contextSize: contextTokens, threads: 1 });
const sequences = Array.from({ length: samples }, () => batched.getSequence());
const single = await bare.createContext({ sequences: 1, contextSize: contextTokens, threads: 1 });

const tokensOf = (prompt: string): Token[] => [bare.tokens.bos as Token, ...bare.tokenize(prompt)];

async function loops(prompt: string): Promise<number> {
  const last = tokensOf(prompt).slice(-1);
  const loop = async (sequence: LlamaContextSequence, seed: number): Promise<number> => {
    let count = 0;
    for await (const _ of sequence.evaluate(last, { ...sampling, seed, yieldEogToken: true }))
      if (++count === newTokens) break;
    return count;
  };
  const counts = await Promise.all(sequences.map((sequence, i) => loop(sequence, seeds[i] as number)));
  return counts.reduce((a, b) => a + b);
}

/** All of the prompt but its last token, on all sequences. */
async function prefill(prompt: string): Promise<void> {
  for (const sequence of sequences) {
    await sequence.clearHistory();
    await sequence.evaluateWithoutGeneratingNewTokens(tokensOf(prompt).slice(0, -1));
  }
}

async function calls(prompt: string, keeps: boolean): Promise<number> {
  let tokens = 0;
  const sequence = single.getSequence();
  for (const seed of seeds.slice(0, timedCalls)) {
    if (!keeps) await sequence.clearHistory();
    const completion = new LlamaCompletion({ contextSequence: sequence });
    await completion.generateCompletion(prompt, {
      ...sampling,
      seed,
      maxTokens: newTokens,
      onToken: ({ length }) => (tokens += length),
    });
    completion.dispose();
  }
  await sequence.dispose();
  return tokens;
}

const ratios = new Map<string, number[]>();
const speeds = new Map<string, number[]>();
const note = (into: Map<string, number[]>, name: string, value: number): void =>
  void into.set(name, [...(into.get(name) ?? []), value]);

{
  // The library's own settings, F16 keys and values, and the engine's default for small models, F32.
  await using half = await llamaCpp(path, { sequences: samples, contextTokens, gpu: false, cacheType: "F16" });
  await using full = await llamaCpp(path, { sequences: samples, contextTokens, gpu: false, cacheType: "F32" });
  for (let round = -1; round < rounds; round++) {
    const prompt = promptOf(round + 1);
    await prefill(prompt);
    const before = half.counts.promptTokens;
    const fresh = await timed(() => ours(half, prompt));
    const evaluated = half.counts.promptTokens - before;
    const again = await timed(() => ours(half, prompt));
    const loop = await timed(() => loops(prompt));
    await ours(full, prompt);
    const exact = await timed(() => ours(full, prompt));
    if (round < 0) continue; // warm-up
    const separate = await timed(() => calls(prompt, false));
    const kept = await timed(() => calls(prompt, true));
    note(ratios, "prompt work", evaluated / promptTokens);
    for (const [name, ours, theirs] of [
      ["against calls", fresh, separate],
      ["against one sequence", fresh, kept],
      ["against a loop", again, loop],
      ["against a loop, F32", exact, loop],
    ] as const) {
      note(ratios, name, ours.time / theirs.time);
      note(ratios, `${name}, processor`, ours.processor / theirs.processor);
    }
    for (const [name, speed] of Object.entries({
      fresh,
      again,
      "again, F32": exact,
      loop,
      calls: separate,
      "one sequence": kept,
    }))
      note(speeds, name, speed.time);
  }
}
await llama.dispose();
await rm(folder, { recursive: true });

const summary = (values: readonly number[]): { min: number; median: number; max: number } => {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    min: sorted[0] as number,
    median: sorted[Math.floor(sorted.length / 2)] as number,
    max: sorted.at(-1) as number,
  };
};
const table = (title: string, rows: Map<string, number[]>, digits: number): void => {
  console.log(`${title}: median (min, max) of ${rounds}`);
  for (const [name, values] of rows) {
    const { min, median, max } = summary(values);
    console.log(
      `  ${name.padEnd(32)} ${median.toFixed(digits).padStart(8)}   (${min.toFixed(digits)}, ${max.toFixed(digits)})`,
    );
  }
};
table("ratios", ratios, 3);
table("tokens a second", speeds, 0);
console.log(
  JSON.stringify({
    bench: "llama",
    rounds,
    ...Object.fromEntries([...ratios].map(([name, values]) => [name, summary(values)])),
  }),
);
