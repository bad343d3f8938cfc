import { describe, expect, test } from "vitest";
import type { Node } from "../node.ts";
import type { Judgement } from "../scorer.ts";
import { ngrams, similarity } from "./similarity.ts";

const signal = new AbortController().signal;
const request = { problem: { id: "p", prompt: "Where is Rome?" }, text: (state: string) => state, seed: 5, signal };
const score = async (state: string, scorer = similarity<string>(ngrams()), more = {}): Promise<number> => {
  const { score } = (await scorer.score({ state } as Node<string>, { ...request, ...more })) as Judgement;
  return (score as { value: number }).value;
};

describe("by n-grams", () => {
  test("equal texts are at 1, close ones near, strangers at about 0", async () => {
    expect(await score("where is rome?")).toBeCloseTo(1, 12);
    const [close, far] = [await score("Rome is where?"), await score("Xylophones buzz")];
    expect(close).toBeGreaterThan(0.4);
    // Hashes with signs: unrelated texts of 15 n-grams each have a cosine of mean 0 and deviation about 1/sqrt(1024).
    expect(Math.abs(far)).toBeLessThan(5 / 32);
  });

  test("the reference counts where there is one; or what one says", async () => {
    const reference = { problem: { id: "p", prompt: "?", reference: "in Italy" } };
    expect(await score("in Italy", undefined, reference)).toBeCloseTo(1, 12);
    expect(await score("abc", similarity<string>(ngrams(), { to: () => "abc" }))).toBeCloseTo(1, 12);
  });

  test("an empty answer has a direction or none, and never NaN; the same text always the same vector", async () => {
    expect(Number.isFinite(await score(""))).toBe(true);
    const { vectors } = await ngrams({ n: 2, dimensions: 8 }).embed(["ab", "ab"], { signal });
    expect(vectors[0]).toEqual(vectors[1]);
    expect(Array.from(vectors[0] ?? []).reduce((sum, x) => sum + Math.abs(x), 0)).toBeLessThanOrEqual(3); // " a", "ab", "b "
    expect(() => ngrams({ n: 0 })).toThrow("'n'");
  });

  test("vectors without an angle leave the node unscored", async () => {
    const none = { id: "none", embed: async () => ({ vectors: [[0], [0]], cost: { tokens: 0, promptTokens: 0, cachedTokens: 0, calls: 0, nanodollars: 0 } }) }; // biome-ignore format: one line
    await expect(score("a", similarity<string>(none))).rejects.toMatchObject({ code: "bad-response" });
  });
});
