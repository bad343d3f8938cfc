import { expect, test } from "vitest";
import { key, seedOf, split } from "../key.ts";
import type { Completion, GenerateRequest, Model } from "../model.ts";
import { randomTabular, tabular } from "./tabular.ts";

const { signal } = new AbortController();
const coin = tabular({ alphabet: "ht.", conditional: () => [0.6, 0.3, 0.1], maxLength: 3 });
const seeds = (count: number): number[] => split(key(7), count).map(seedOf);

async function completions(model: Model, request: Partial<GenerateRequest>): Promise<Completion[]> {
  const all: Completion[] = [];
  const whole = { prefix: { prompt: "", text: "" }, seeds: [1], maxTokens: 100, sampling: {}, signal, ...request };
  for await (const part of model.generate(whole)) if (part.type === "completion") all[part.index] = part.completion;
  return all;
}

const entropyBound = (count: number): number => 5 / Math.sqrt(count); // five standard errors of a frequency, at most

test("enumerates every text, probabilities summing to one", () => {
  const texts = coin.enumerate();
  expect(texts).toHaveLength(1 + 2 + 4 + 8);
  expect(texts.reduce((sum, { logProb }) => sum + Math.exp(logProb), 0)).toBeCloseTo(1, 12);
  expect(texts[0]).toEqual({ text: "", logProb: Math.log(0.1) });
  const { text, logProb } = coin.mostLikely();
  expect(text).toBe("hhh"); // 0.216, and then it must end; the next is "hht" with 0.108
  expect(Math.exp(logProb)).toBeCloseTo(0.216, 12);
});

test("samples as often as it says", async () => {
  const count = 4000;
  const model = randomTabular({ key: key(3), symbols: 3, maxLength: 2 });
  const drawn = await completions(model, { seeds: seeds(count) });
  for (const { text, logProb } of model.enumerate()) {
    const same = drawn.filter((one) => one.text === text);
    expect(Math.abs(same.length / count - Math.exp(logProb))).toBeLessThan(entropyBound(count));
    for (const one of same) expect(one.logProb).toBeCloseTo(logProb, 12);
  }
});

test("a sample depends on its seed alone", async () => {
  const [a, b] = await completions(coin, { seeds: [11, 12] });
  expect(await completions(coin, { seeds: [12] })).toEqual([b]);
  expect(await completions(coin, { seeds: [11] })).toEqual([a]);
});

test("tells the law it was drawn from", async () => {
  const drawn = await completions(coin, { seeds: seeds(50), sampling: { temperature: 0.5 } });
  const q = [0.36, 0.09, 0.01].map((p) => Math.log(p / 0.46)); // squares, made to sum to one
  for (const { text, logProposal, finish } of drawn) {
    expect(finish).toBe("end");
    const expected = [...text].reduce(
      (sum, c) => sum + (q["ht".indexOf(c)] as number),
      text.length < 3 ? (q[2] as number) : 0,
    );
    expect(logProposal).toBeCloseTo(expected, 10);
  }
  const [greedy] = await completions(coin, { sampling: { temperature: 0 } });
  expect(greedy).toMatchObject({ text: "hhh", logProposal: 0, length: 4, tokens: [0, 0, 0] });
});

test("ends at the token limit, at a boundary, at a stop text", async () => {
  const greedy = { sampling: { temperature: 0 } };
  expect(await completions(coin, { ...greedy, maxTokens: 2 })).toMatchObject([
    { text: "hh", finish: "length", length: 2 },
  ]);
  expect(await completions(coin, { ...greedy, until: (text) => (text.length >= 1 ? 1 : undefined) })).toMatchObject([
    { text: "h", finish: "until", length: 1, logProb: expect.closeTo(Math.log(0.6), 12) },
  ]);
  expect(await completions(coin, { ...greedy, stop: ["hh"] })).toMatchObject([{ text: "", finish: "stop", length: 2 }]);
  expect(await completions(coin, { ...greedy, prefix: { prompt: "", text: "tt" } })).toMatchObject([
    { text: "h", finish: "end" },
  ]);
});

test("streams what it completes, and never the beginning of a stop text", async () => {
  let shown = "";
  const request = {
    prefix: { prompt: "", text: "" },
    seeds: [5],
    maxTokens: 9,
    sampling: { temperature: 0 },
    signal,
    stream: true,
  };
  for await (const part of coin.generate({ ...request, stop: ["hht", "hhh"] }))
    if (part.type === "text-delta") shown += part.delta;
  expect(shown).toBe("");
  for await (const part of coin.generate({ ...request, stop: ["hht"] }))
    if (part.type === "text-delta") shown += part.delta;
  expect(shown).toBe("hhh");
});

test("scores given text and lists next tokens", async () => {
  const { tokens, logProbs } = await coin.scoreText({ prompt: "?", text: "h" }, "th", { end: true, signal });
  expect(tokens).toEqual(["t", "h", "."]);
  expect(logProbs.map(Math.exp)).toEqual([0.3, 0.6, 1].map((p) => expect.closeTo(p, 12)));
  const next = await coin.nextTokens({ prompt: "?", text: "h" }, { signal });
  expect(next).toMatchObject({ tokens: [0, 1, 2], texts: ["h", "t", ""], endTokens: [2] });
  expect(next.logProbs.map(Math.exp)).toEqual([0.6, 0.3, 0.1].map((p) => expect.closeTo(p, 12)));
  await expect(coin.scoreText({ prompt: "", text: "" }, "x", { signal })).rejects.toThrow(/does not know/);
});

test("small concentrations make spiky rows, large ones flat rows", () => {
  const mostLikely = (concentration: number): number =>
    split(key(1), 20).reduce(
      (sum, each) =>
        sum + Math.exp(randomTabular({ key: each, maxLength: 1, concentration }).mostLikely().logProb) / 20,
      0,
    );
  expect(mostLikely(0.001)).toBeGreaterThan(0.99);
  expect(mostLikely(1000)).toBeLessThan(0.4);
});

test("refuses what is no law", () => {
  const bad = tabular({ alphabet: "a.", conditional: () => [0.5, 0.6], maxLength: 1 });
  expect(() => bad.enumerate()).toThrow(/sum to 1/);
  expect(() => tabular({ alphabet: "aa", conditional: () => [], maxLength: 1 })).toThrow(/different characters/);
});
