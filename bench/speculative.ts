/**
 * Does a draft by seedling make sapling faster, one answer at a time?
 *
 *     npx node bench/speculative.ts [--answers 150] [--rounds 5]
 *
 * Whole answers to held-out problems of countdown and swap-sort, one after the other, as a user waits for them: by the target alone, by
 * chains of drafted tokens, by dynamic trees. Rounds are interleaved, and each has models of its own, so that no cache of an earlier one
 * helps. Tokens a second of processor time are ratios to the target alone, median (least, most) of the rounds; tokens a pass do not depend
 * on the machine.
 * Below: what a pass of the target over several tokens costs, which is what decides.
 */
import { parseArgs } from "node:util";
import { key, seedOf, split } from "../src/key.ts";
import type { Model, Sampling } from "../src/model.ts";
import { randomLlama } from "../src/models/gguf/random-model.ts";
import { llamaJs } from "../src/models/llama-js/index.ts";
import { speculative, type SpeculativeModel } from "../src/models/speculative.ts";
import { openModel } from "../src/open-model.ts";
import { taskNamed } from "../src/tasks/index.ts";

const { values } = parseArgs({
  options: { answers: { type: "string", default: "150" }, rounds: { type: "string", default: "5" } },
});
const [answers, rounds] = [Number(values.answers), Number(values.rounds)];
const signal = new AbortController().signal;
const ways = [
  { name: "target alone" },
  ...[1, 2, 4, 6].map((draftTokens) => ({ name: `chain of ${draftTokens}`, draftTokens })),
  { name: "tree of 4, depth 2", tree: { size: 4, depth: 2, width: 2 } },
  { name: "tree of 8, depth 4", tree: { size: 8, depth: 4, width: 4 } },
  { name: "tree of 16, depth 6", tree: { size: 16, depth: 6, width: 4 } },
];

/** Of processor time: it does not know what else runs on the machine. All of it is one thread's. */
function millisecondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** Tokens a second over all prompts, and what was counted. */
async function measure(way: (typeof ways)[number], prompts: readonly string[], sampling: Sampling) {
  const [target, draft] = await Promise.all([openModel("sapling"), openModel("seedling")]);
  const { name, ...options } = way;
  const model: Model = name === "target alone" ? target : speculative({ target, draft, ...options });
  let tokens = 0;
  const start = process.cpuUsage();
  for (const [i, prompt] of prompts.entries()) {
    const request = { prefix: { prompt, text: "" }, seeds: [seedOf([1, i])], maxTokens: 96, sampling, signal };
    for await (const part of model.generate(request)) if (part.type === "completion") tokens += part.completion.length;
  }
  const seconds = millisecondsSince(start) / 1000;
  return { speed: tokens / seconds, counts: (model as Partial<SpeculativeModel>).counts };
}

const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[numbers.length >> 1] as number;
const spread = (numbers: readonly number[]): string =>
  `${median(numbers).toFixed(2)} (${Math.min(...numbers).toFixed(2)}, ${Math.max(...numbers).toFixed(2)})`;

for (const task of ["countdown", "swap-sort"])
  for (const temperature of [1, 0]) {
    const prompts = split(key(1), answers).map((place) =>
      String(taskNamed(task).make(place, { split: "test" }).prompt),
    );
    const speeds = ways.map((): number[] => []);
    const counts: (SpeculativeModel["counts"] | undefined)[] = [];
    for (let round = -1; round < rounds; round++)
      for (const [w, way] of ways.entries()) {
        const found = await measure(way, prompts, { temperature });
        if (round >= 0) speeds[w]?.push(found.speed); // the first round warms the machine
        counts[w] = found.counts;
      }
    console.log(
      `\n${task}, temperature ${temperature}: ${median(speeds[0] as number[]).toFixed(0)} tokens a second of processor time alone`,
    );
    console.log(
      "| | tokens a pass of the target | drafted tokens accepted | speed against the target alone |\n|---|---|---|---|",
    );
    for (const [w, { name }] of ways.entries()) {
      const { tokens, passes, accepted, drafted } = counts[w] ?? { tokens: 1, passes: 1, accepted: 0, drafted: 0 };
      const ratios = (speeds[w] as number[]).map((speed, round) => speed / (speeds[0]?.[round] as number));
      const share = drafted === 0 ? "" : `${((100 * accepted) / drafted).toFixed(0)}%`;
      console.log(`| ${name} | ${(tokens / passes).toFixed(2)} | ${share} | ${w === 0 ? 1 : spread(ratios)} |`);
    }
  }

const large = llamaJs(
  randomLlama({ layers: 10, width: 384, heads: 6, keyValueHeads: 2, feedForward: 1024, context: 1024, key: key(1) }),
);
const sizes = [1, 2, 4, 8, 16];
console.log("\nA pass over so many tokens against one over one token:\n");
console.log(`| | ${sizes.join(" | ")} |\n|---|${"---|".repeat(sizes.length)}`);
for (const [name, model, repeats] of [
  ["seedling", await openModel("seedling"), 300],
  ["sapling", await openModel("sapling"), 300],
  ["15.7 million random weights", large, 15],
] as const) {
  const times = sizes.map(() => 0);
  for (let round = 0; round < repeats; round++)
    for (const [s, size] of sizes.entries()) {
      const prefix = { prompt: "12,3,4,4>55", text: `${round}${s}` }; // new to the cache
      await model.nextTokens?.(prefix, { signal });
      const tokens = Array.from({ length: size }, (_, i) => 10 + ((round + i) % 10));
      const start = process.cpuUsage();
      await model.nextTokensAfter?.(prefix, [tokens], { signal });
      times[s] = (times[s] as number) + millisecondsSince(start) / repeats;
    }
  const one = times[0] as number;
  const ratios = times.slice(1).map((time) => `${(time / one).toFixed(2)}×`);
  console.log(`| ${name} | ${one.toFixed(2)} ms | ${ratios.join(" | ")} |`);
}
