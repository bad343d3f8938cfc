/** The shipped pair: seedling drafts, sapling decides; real prompts. */
import { expect, test } from "vitest";
import { key, seedOf, split } from "../src/key.ts";
import type { Completion, GenerateRequest, Model } from "../src/model.ts";
import { speculative } from "../src/models/speculative.ts";
import { openModel } from "../src/open-model.ts";
import { countdown } from "../src/tasks/index.ts";
import { chiSquareP } from "./helpers/chi-square.ts";

const signal = new AbortController().signal;
const [target, draft] = await Promise.all([openModel("sapling"), openModel("seedling")]);
const prompts = split(key(5), 3).map((place) => String(countdown.make(place, { split: "test" }).prompt));
const seeds = (count: number): number[] => split(key(11), count).map(seedOf);

async function completions(model: Model, prompt: string, more: Partial<GenerateRequest>): Promise<Completion[]> {
  const all: Completion[] = [];
  const request = { prefix: { prompt, text: "" }, seeds: seeds(8), maxTokens: 96, sampling: {}, signal, ...more };
  for await (const part of model.generate(request)) if (part.type === "completion") all[part.index] = part.completion;
  return all;
}

test.each(prompts)("a chain draws by the target's law: the first four tokens after %j", async (prompt) => {
  const draws = 400;
  const model = speculative({ target, draft, draftTokens: 3 });
  const drawn = await completions(model, prompt, { seeds: seeds(draws), maxTokens: 4 });
  const counts = new Map<string, number>();
  for (const { text } of drawn) counts.set(text, (counts.get(text) ?? 0) + 1);
  const cells: [count: number, probability: number][] = [];
  // What is drawn often, the candidates for a cell of its own, and all the rest; which are candidates is decided by other draws.
  const candidates = new Set(
    (await completions(target, prompt, { seeds: seeds(700).slice(400), maxTokens: 4 })).map(({ text }) => text),
  );
  for (const text of candidates) {
    const { logProbs = [] } = (await target.scoreText?.({ prompt, text: "" }, text, { signal })) ?? {};
    const probability = Math.exp(logProbs.reduce((a, b) => a + b, 0));
    if (text.length === 4 && draws * probability >= 10) cells.push([counts.get(text) ?? 0, probability]);
  }
  const rest = cells.reduce(([count, p], cell) => [count - cell[0], p - cell[1]], [draws, 1]) as [number, number];
  if (draws * rest[1] >= 10) cells.push(rest);
  expect(cells.length).toBeGreaterThan(3);
  expect(
    chiSquareP(
      cells.map(([count]) => count),
      cells.map(([, p]) => p),
    ),
  ).toBeGreaterThan(1e-3);
});

test.each([0, 0.7, 1])(
  "a tree writes the target's texts, seed by seed, in fewer passes: temperature %d",
  async (temperature) => {
    const model = speculative({ target, draft, tree: { size: 8, depth: 4, width: 4 } });
    const essence = ({ cost: _, logProposal, ...rest }: Completion) => rest;
    for (const prompt of prompts) {
      const request = { sampling: { temperature } };
      const plain = await completions(target, prompt, request);
      expect((await completions(model, prompt, request)).map(essence)).toEqual(plain.map(essence));
    }
    expect(model.counts.tokens / model.counts.passes).toBeGreaterThan(1.5);
  },
);
