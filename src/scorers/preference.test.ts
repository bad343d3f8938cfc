import { expect, test } from "vitest";
import { key } from "../key.ts";
import { random } from "../math/random.ts";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import { text, type TextState } from "../policies/text.ts";
import { run } from "../run.ts";
import { bestOfN } from "../search/sampling/best-of-n.ts";
import { learnPreference, type Preference } from "./preference.ts";

const problem = { id: "p", prompt: "q" };
const letters = "abcde";
const planted = [1, -0.5, 0.8, 0, -1.2];
const counts = (one: string): number[] => Array.from(letters, (letter) => one.split(letter).length - 1);
const utility = (one: string): number => counts(one).reduce((sum, n, i) => sum + n * (planted[i] as number), 0);

/** Choices between random words by the planted utility, with the noise of the model itself. */
function choices(count: number): Preference[] {
  const stream = random(key(12));
  const word = () => Array.from({ length: 6 }, () => stream.pick([...letters])).join("");
  return Array.from({ length: count }, () => {
    const [a, b] = [word(), word()];
    const first = stream.uniform() < 1 / (1 + Math.exp(utility(b) - utility(a)));
    return { problem, chosen: first ? a : b, rejected: first ? b : a };
  });
}

test("a planted utility comes back, up to what its data can tell", () => {
  // Words of one length: their counts sum to 6, so that a constant on all weights cannot be seen. Compared without it.
  const centred = (weights: readonly number[]) => {
    const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
    return weights.map((weight) => weight - mean);
  };
  const n = 1000;
  const { weights, agreement, loss } = learnPreference(choices(n), { features: counts, l2: 0.1 });
  const [found, true_] = [centred(weights), centred(planted)];
  const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * (b[i] as number), 0);
  expect(dot(found, true_) / Math.sqrt(dot(found, found) * dot(true_, true_))).toBeGreaterThan(0.95);
  // Differences of counts have variance 2 · 6 · 1/5 · 4/5 each and p(1 − p) averages 0.09 or more here: a standard error of
  // at most 1 / sqrt(n · 1.92 · 0.09) = 0.08 for each weight.
  for (const [i, weight] of found.entries()) expect(Math.abs(weight - (true_[i] as number))).toBeLessThan(5 * 0.08); // false alarm: 6e-7
  expect(agreement).toBeGreaterThan(0.7);
  expect(loss).toBeLessThan(Math.log(2));
});

test("the scorer chooses in best-of-n what the planted utility chooses", async () => {
  const { scorer } = learnPreference<TextState>(choices(1000), { features: counts, l2: 0.1, name: "letters" });
  expect([scorer.name, scorer.kind]).toEqual(["letters, learned from 1000 choices", "reward"]);
  const words = ["aab", "eee", "ccca", "bbbb", "accc", "d"];
  const { text: best } = await run(bestOfN({ n: words.length, scorer }), problem, { policy: text(scripted({ replies: words })) }); // biome-ignore format: one line
  expect(utility(best as string)).toBe(Math.max(...words.map(utility)));
});

test("choices without exception have a finite fit that the penalty sets; features that do not differ get no weight", () => {
  const always = Array.from({ length: 50 }, () => ({ problem, chosen: "aa", rejected: "a" }));
  const features = (one: string) => [one.length, 1];
  const [strict, loose] = [10, 0.01].map((l2) => learnPreference(always, { features, l2 }).weights as number[]);
  expect(loose?.[0]).toBeGreaterThan(strict?.[0] as number);
  expect([strict?.[1], loose?.[1]]).toEqual([0, 0]);
  expect(learnPreference(always, { features }).agreement).toBe(1);
});

test("refuses no choices, and features of different number", () => {
  expect(() => learnPreference([], { features: counts })).toThrow("at least one");
  const odd = (one: string) => Array.from(one, () => 1);
  expect(() => learnPreference([{ problem, chosen: "ab", rejected: "a" }], { features: odd })).toThrow("2 and 1");
  expect(() => learnPreference([{ problem, chosen: "a", rejected: "ab" }], { features: odd })).toThrow("1 and 2");
  const { scorer } = learnPreference<string>([{ problem, chosen: "b", rejected: "a" }], { features: odd });
  const request = { problem, text: (state: string) => state, seed: 1, signal: new AbortController().signal };
  expect(scorer.score({ state: "abc" } as Node<string>, request)).toEqual({ kind: "reward", value: Number.NaN });
});
