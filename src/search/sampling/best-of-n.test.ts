import { describe, expect, test } from "vitest";
import { lawOf, solve } from "../../../test/helpers/solve.ts";
import { key } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { memoryJournal } from "../../runs/memory.ts";
import type { Scorer } from "../../scorer.ts";
import { rankOf } from "../../scorer.ts";
import { custom } from "../../scorers/custom.ts";
import { likelihood } from "../../scorers/likelihood.ts";
import { bestOfN } from "./best-of-n.ts";

const model = randomTabular({ key: key(8), symbols: 4, maxLength: 3, concentration: 2 });

/** Mean and variance of the largest of n draws from a law of values. */
function largestOf(
  n: number,
  law: readonly { readonly value: number; readonly p: number }[],
): { mean: number; variance: number } {
  const sorted = [...law].sort((a, b) => a.value - b.value);
  let [below, mean, square] = [0, 0, 0];
  for (const { value, p } of sorted) {
    const chance = (below + p) ** n - below ** n; // P(largest <= value) - P(largest < value)
    mean += chance * value;
    square += chance * value * value;
    below += p;
  }
  return { mean, variance: square - mean * mean };
}

describe("by likelihood", () => {
  test("the answer is the most likely of the n", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const { answer, outcome } = await solve(model, bestOfN<TextState>({ n: 8, scorer: likelihood() }), {
        step: "answer",
        seed,
      });
      const all = outcome?.candidates.map(({ totalLogProb }) => totalLogProb) ?? [];
      expect(all).toHaveLength(8);
      expect(answer?.totalLogProb).toBe(Math.max(...all));
      expect(all).toEqual(all.toSorted((a, b) => b - a)); // best first
    }
  });

  test("its mean log p is that of the largest of n draws, and grows with n", async () => {
    const law = [...lawOf(model).values()].map((logProb) => ({ value: logProb, p: Math.exp(logProb) }));
    const runs = 300;
    let last = -Infinity;
    for (const n of [1, 4, 16]) {
      let sum = 0;
      for (let seed = 0; seed < runs; seed++)
        sum += (
          await solve(model, bestOfN<TextState>({ n, scorer: likelihood() }), { step: "answer", seed: 1000 * n + seed })
        ).answer?.totalLogProb as number;
      const { mean, variance } = largestOf(n, law);
      expect(Math.abs(sum / runs - mean)).toBeLessThan(5 * Math.sqrt(variance / runs)); // false alarm: 6e-7
      expect(mean).toBeGreaterThan(last);
      last = mean;
    }
  });

  test("per sequence and per token can choose differently", async () => {
    // "" : one token (the end), log 0.4 = -0.92 in all and per token. "aaa": four tokens, log 0.3 = -1.20, so -0.30 per token.
    // "b": two tokens, log 0.3, so -0.60 per token.
    const rows: Record<string, number[]> = { "": [0.3, 0.3, 0.4], b: [0, 0, 1] };
    const short = tabular({ alphabet: "ab.", maxLength: 3, conditional: (text) => rows[text] ?? [1, 0, 0] });
    const winner = async (per: "sequence" | "token") =>
      (await solve(short, bestOfN<TextState>({ n: 40, scorer: likelihood({ per }) }), { step: "answer" })).text;
    expect([await winner("sequence"), await winner("token")]).toEqual(["", "aaa"]); // all three are among 40 but for chance 1e-6
  });
});

describe("by any scorer", () => {
  const abc = tabular({ alphabet: "abc.", maxLength: 1, conditional: () => [0.4, 0.3, 0.3, 0] });
  const opinion = (name: string, values: Record<string, number>): Scorer<TextState> =>
    custom(name, (text) => values[text] as number);

  test("another scorer, another winner, over the same candidates; its name travels with its scores", async () => {
    const winners: (string | undefined)[] = [];
    for (const [name, values] of [
      ["short-sighted", { a: 0.1, b: 0.7, c: 0.8 }],
      ["far-sighted", { a: 1.0, b: 0.3, c: 0.1 }],
    ] as const) {
      const journal = memoryJournal();
      const { text, outcome } = await solve(abc, bestOfN<TextState>({ n: 20, scorer: opinion(name, values) }), {
        step: "answer",
        journal,
      });
      winners.push(text);
      expect(new Set(outcome?.candidates.map(({ state }) => state.text))).toEqual(new Set(["a", "b", "c"]));
      const scores = journal.events.filter((event) => event.type === "score");
      expect(scores).toHaveLength(20);
      for (const { scorer, score, node } of scores) {
        const said = outcome?.candidates.find(({ id }) => id === node);
        expect([scorer, rankOf(score)]).toEqual([name, values[said?.state.text as "a"]]);
      }
    }
    expect(winners).toEqual(["c", "a"]);
  });

  test("ties go to the earliest draw, whatever the order of finishing", async () => {
    const flat = custom<TextState>("flat", async (text) => {
      if (text === "a") await new Promise((resolve) => setImmediate(resolve));
      return 1;
    });
    const { answer, outcome } = await solve(abc, bestOfN<TextState>({ n: 12, scorer: flat }), { step: "answer" });
    expect(answer?.id).toBe("0.0.0#0");
    expect(outcome?.candidates.map(({ id }) => id)).toEqual(Array.from({ length: 12 }, (_, i) => `0.${i}.0#0`));
  });

  test("what cannot be scored never wins; where nothing can, the first drawn is the answer and is marked", async () => {
    const some = opinion("some", { a: Number.NaN, b: -1e9, c: Number.NaN });
    const scored = await solve(abc, bestOfN<TextState>({ n: 20, scorer: some }), { step: "answer" });
    expect([scored.text, scored.outcome?.unscored]).toEqual(["b", undefined]);
    const none = await solve(abc, bestOfN<TextState>({ n: 5, scorer: opinion("none", {}) }), { step: "answer" });
    expect([none.answer?.id, none.outcome?.unscored, none.stopped.why]).toEqual(["0.0.0#0", true, "answered"]);
  });

  test("with less budget than draws it is the best of those it could pay for", async () => {
    const { outcome, stopped } = await solve(model, bestOfN<TextState>({ n: 9, scorer: likelihood() }), {
      step: "answer",
      budget: { calls: 4 },
    });
    expect(outcome?.candidates).toHaveLength(4);
    expect(stopped).toEqual({ why: "budget-spent", limit: "calls" });
  });

  test.each([0, -1, 1.5, Number.NaN, "8" as unknown as number])("refuses n = %o", (n) => {
    expect(() => bestOfN({ n })).toThrow(/'n' must be a whole number in \[1, 100000\]: current value is/);
  });
});
