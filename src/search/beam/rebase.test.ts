import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { majority } from "../../aggregators/majority.ts";
import { key, split } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { Node } from "../../node.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { balancedWidths, rebase } from "./rebase.ts";

describe("widths", () => {
  test.each<[string, number[], number, number, number[]]>([
    // e: 1, 0.368, 0.135, in sum 1.503. Shares of 8: 5.32, 1.96, 0.72; rounded they are 8.
    ["those of eq. 1 where they sum to the budget", [1, 0.5, 0], 8, 0.5, [5, 2, 1]],
    // Shares of 10: 6.65, 2.45, 0.90; rounded 7, 2, 1.
    ["whatever the order", [0, 1, 0.5], 10, 0.5, [1, 7, 2]],
    // Shares of 2 are 0.4 each: rounded there would be none.
    ["fewer samples than nodes: the first of equals", [0.3, 0.3, 0.3, 0.3, 0.3], 2, 1, [1, 1, 0, 0, 0]],
    // Shares of 3 are 1.5 each: rounded there would be four.
    ["more than there are, if all were rounded up", [0.3, 0.3], 3, 1, [2, 1]],
    ["rewards that hardly differ have equal widths", [2, 1.99999, 1.99998], 9, 0.1, [3, 3, 3]],
    ["a cold balance gives all to the best", [0.9, 0.8], 7, 1e-3, [7, 0]],
    ["far below, beyond the range of exp", [1e6, 0], 3, 1e-3, [3, 0]],
    ["what has no reward gets nothing", [0.1, -Infinity], 3, 1, [3, 0]],
    ["unless none has one", [-Infinity, -Infinity], 3, 1, [2, 1]],
    ["none", [], 0, 1, []],
  ])("%s", (_, rewards, budget, temperature, widths) => {
    expect(balancedWidths(rewards, budget, temperature)).toEqual(widths);
  });

  test("they sum to the budget, each within one of its share, and a higher reward has no fewer", () => {
    const reward = fc.oneof(fc.double({ min: -50, max: 50, noNaN: true }), fc.constant(-Infinity));
    fc.assert(
      fc.property(
        fc.array(reward, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        (rewards, budget, temperature) => {
          const ordered = rewards.toSorted((a, b) => b - a || 0);
          const widths = balancedWidths(ordered, budget, temperature);
          expect(widths.reduce((sum, width) => sum + width, 0)).toBe(budget);
          expect(widths.every((width) => Number.isInteger(width) && width >= 0)).toBe(true);
          const most = ordered[0] as number;
          if (most === -Infinity) return;
          const weights = ordered.map((one) => Math.exp((one - most) / temperature));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          for (const [j, width] of widths.entries()) {
            expect(Math.abs(width - (budget * (weights[j] as number)) / total)).toBeLessThan(1 + 1e-9);
            if (j > 0 && ordered[j] !== ordered[j - 1]) expect(width).toBeLessThanOrEqual(widths[j - 1] as number);
            if (ordered[j] === -Infinity) expect(width).toBe(0);
          }
        },
      ),
      { seed: 5, numRuns: 300 },
    );
  });
});

const liked = custom<TextState>("b's", (text) => (text.split("b").length - 1) / (1 + text.length));

test("at every depth it draws what finished answers have left of n, by the rewards, and ends with n answers", async () => {
  const n = 9;
  const rewardOf = ({ score }: Node<TextState>) => (score?.kind === "reward" ? score.value : Number.NaN);
  for (const [seed, model] of split(key(51), 40)
    .map((place) => randomTabular({ key: place, symbols: 4, maxLength: 4 }))
    .entries()) {
    const search = rebase<TextState>({ n, balance: 0.3, scorer: liked });
    const { nodes, outcome, answer } = await solve(model, search, { seed });
    let finished = 0;
    for (let depth = 1; finished < n; depth++) {
      const level = nodes.filter((node) => node.depth === depth);
      expect(level).toHaveLength(n - finished);
      if (depth > 1) {
        const parents = nodes.filter((node) => node.depth === depth - 1 && !node.done);
        const rewards = parents.map(rewardOf).sort((a, b) => b - a);
        const drawn = parents.map((parent) => level.filter((child) => child.parent === parent).length);
        expect(drawn.sort((a, b) => b - a)).toEqual(balancedWidths(rewards, n - finished, 0.3).sort((a, b) => b - a));
      }
      finished += level.filter(({ done }) => done).length;
    }
    expect(outcome?.candidates).toHaveLength(n);
    const rewards = outcome?.candidates.map(rewardOf) ?? [];
    expect(rewards).toEqual(rewards.toSorted((a, b) => b - a));
    expect(answer).toBe(outcome?.candidates[0]);
  }
});

test("cold it is greedy by the reward, hot it keeps what it draws", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 5, conditional: () => [0.7, 0.3, 0] });
  const share = async (balance: number) => {
    const { outcome } = await solve(model, rebase<TextState>({ n: 64, balance, scorer: liked }), { seed: 1 });
    const letters = outcome?.candidates.map(({ state }) => state.text).join("") ?? "";
    return (letters.split("b").length - 1) / letters.length;
  };
  const [cold, hot] = [await share(0.01), await share(1e6)];
  // Hot, every node has one child: 320 independent letters, of standard error sqrt(0.21 / 320) = 0.026.
  expect(Math.abs(hot - 0.3)).toBeLessThan(5 * 0.026);
  expect(cold).toBeGreaterThan(0.8);
});

test("an aggregator chooses among the finished answers", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.8, 0.2, 0] });
  const aggregator = majority<TextState>({ canonical: ({ state }) => state.text });
  const by = async (settings: object) =>
    await solve(model, rebase<TextState>({ n: 20, scorer: liked, ...settings }), { seed: 2 });
  expect((await by({})).text).toBe("b");
  const voted = await by({ balance: 1e6, aggregator });
  expect([voted.text, voted.outcome?.tally?.map(({ answer }) => answer)]).toEqual(["a", ["a", "b"]]);
  expect(voted.confidence).toBe((voted.outcome?.tally?.[0]?.weight as number) / 20);
});

test.each([
  ["n", 0],
  ["balance", 0],
])("refuses %s = %d by name", (name, value) => {
  expect(() => rebase({ [name]: value })).toThrow(`'${name}'`);
});
