import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import type { Node } from "../node.ts";
import { rankOf, type Judgement, type Scorer } from "../scorer.ts";
import { custom } from "./custom.ts";
import { noisy, simulated, verifierCeiling } from "./simulated.ts";

const signal = new AbortController().signal;
const request = { problem: { id: "p", prompt: "q" }, text: (state: string) => state, seed: 5, signal };
const rankBy = async (scorer: Scorer<string>, state: string, seed = 5): Promise<number> => {
  const given = await scorer.score({ state } as Node<string>, { ...request, seed });
  return rankOf("score" in given ? (given as Judgement).score : given);
};
const truth: Scorer<string> = { name: "truth", kind: "verdict", score: ({ state }) => ({ kind: "verdict", correct: state.startsWith("r") }) }; // biome-ignore format: one line

const answers = 4000;
const shareAccepted = async (scorer: Scorer<string>, letter: string): Promise<number> => {
  let accepted = 0;
  for (let i = 0; i < answers; i++) accepted += await rankBy(scorer, `${letter}${i}`);
  return accepted / answers;
};
const within = (share: number, rate: number, n: number): boolean =>
  Math.abs(share - rate) <= 5 * Math.sqrt((rate * (1 - rate)) / n); // false alarm: 6e-7

describe("a simulated verifier", () => {
  test("accepts right and wrong answers at its rates; sure ones never err", async () => {
    const scorer = simulated({ truth, truePositive: 0.8, falsePositive: 0.15 });
    expect(within(await shareAccepted(scorer, "r"), 0.8, answers)).toBe(true);
    expect(within(await shareAccepted(scorer, "w"), 0.15, answers)).toBe(true);
    const sure = simulated({ truth, truePositive: 1, falsePositive: 0 });
    expect([await shareAccepted(sure, "r"), await shareAccepted(sure, "w")]).toEqual([1, 0]);
  });

  test("says the same of the same answer whenever it is asked, something else under another seed or for another problem", async () => {
    const scorer = simulated({ truth, truePositive: 0.5, falsePositive: 0.5 });
    const other = simulated({ truth, truePositive: 0.5, falsePositive: 0.5, seed: 1 });
    let differ = 0;
    for (let i = 0; i < 200; i++) {
      const first = await rankBy(scorer, `r${i}`, i);
      expect(await rankBy(scorer, `r${i}`, i + 1000)).toBe(first);
      if ((await rankBy(other, `r${i}`)) !== first) differ++;
    }
    expect(within(differ / 200, 0.5, 200)).toBe(true);
    const elsewhere = { ...request, problem: { id: "p2", prompt: "q" } };
    const there = await Promise.all(
      Array.from({ length: 200 }, async (_, i) => {
        const given = (await scorer.score({ state: `r${i}` } as Node<string>, elsewhere)) as Judgement;
        return Number(rankOf(given.score) !== (await rankBy(scorer, `r${i}`)));
      }),
    );
    expect(within(there.reduce((sum, one) => sum + one, 0) / 200, 0.5, 200)).toBe(true);
  });

  test("fresh errors average out, the others do not", async () => {
    const asked = 400;
    const shares = async (fresh: boolean) => {
      const scorer = simulated({ truth, truePositive: 0.7, falsePositive: 0, fresh });
      let accepted = 0;
      for (let seed = 0; seed < asked; seed++) accepted += await rankBy(scorer, "r", seed);
      return accepted / asked;
    };
    expect(within(await shares(true), 0.7, asked)).toBe(true);
    expect([0, 1]).toContain(await shares(false));
  });

  test("refuses rates that are none, and truths that are no verdicts", () => {
    expect(() => simulated({ truth, truePositive: 1.1, falsePositive: 0 })).toThrow("'truePositive'");
    expect(() => simulated({ truth: custom("l", () => 1), truePositive: 1, falsePositive: 0 })).toThrow("no verdict");
  });
});

describe("resampling until the verifier accepts", () => {
  test.each([
    [0.3, 0.9, 0.2],
    [0.05, 1, 0.1],
    [0.9, 0.5, 0.5],
  ])("p %d, true positives %d, false positives %d: the share of right answers is the ceiling", async (p, tpr, fpr) => {
    const scorer = simulated({ truth, truePositive: tpr, falsePositive: fpr });
    const ceiling = verifierCeiling({ p, truePositive: tpr, falsePositive: fpr }) as number;
    const trials = 2000;
    let right = 0;
    for (let trial = 0; trial < trials; trial++) {
      const stream = random(fold(key(9), trial));
      for (let draw = 0; ; draw++) {
        const state = `${stream.uniform() < p ? "r" : "w"}${trial}.${draw}`;
        if ((await rankBy(scorer, state)) === 0) continue;
        if (state.startsWith("r")) right++;
        break;
      }
    }
    expect(within(right / trials, ceiling, trials)).toBe(true);
  });

  test("the ceiling at its ends", () => {
    expect(verifierCeiling({ p: 0.2, truePositive: 0.7, falsePositive: 0 })).toBe(1);
    expect(verifierCeiling({ p: 0.2, truePositive: 0.6, falsePositive: 0.6 })).toBeCloseTo(0.2, 12);
    expect(verifierCeiling({ p: 0, truePositive: 1, falsePositive: 0 })).toBeUndefined();
    expect(() => verifierCeiling({ p: -1, truePositive: 1, falsePositive: 0 })).toThrow("'p'");
  });
});

describe("noise", () => {
  const half: Scorer<string> = {
    name: "half",
    kind: "probability",
    score: () => ({ kind: "probability", value: 0.25 }),
  };
  test.each(["reward", "probability"] as const)("is normal with the given deviation: %s", async (kind) => {
    const base = kind === "reward" ? custom<string>("ten", () => 10) : half;
    const centre = kind === "reward" ? 10 : Math.log(0.25 / 0.75);
    const scorer = noisy(base, { sd: 2 });
    let [sum, squares] = [0, 0];
    for (let i = 0; i < answers; i++) {
      const value = await rankBy(scorer, String(i));
      const error = (kind === "reward" ? value : Math.log(value / (1 - value))) - centre;
      [sum, squares] = [sum + error, squares + error * error];
    }
    expect(Math.abs(sum / answers)).toBeLessThan((5 * 2) / Math.sqrt(answers)); // false alarm: 6e-7
    expect(Math.abs(squares / answers - 4)).toBeLessThan(5 * 4 * Math.sqrt(2 / answers));
    expect([scorer.kind, await rankBy(scorer, "a", 1)]).toEqual([kind, await rankBy(scorer, "a", 2)]);
  });

  test("leaves certainties as they are, and verdicts to `simulated`", async () => {
    for (const value of [0, 1]) {
      const sure: Scorer<string> = { name: "sure", kind: "probability", score: () => ({ kind: "probability", value }) };
      for (const sd of [5, 1e6]) expect(await rankBy(noisy(sure, { sd }), "a")).toBe(value);
    }
    for (const state of ["a", "b", "c", "d"]) expect([0, 1]).toContain(await rankBy(noisy(half, { sd: 1e6 }), state));
    expect(() => noisy(truth, { sd: 1 })).toThrow("`simulated`");
    expect(() => noisy(half, { sd: -1 })).toThrow("'sd'");
  });
});
