import { expect, test } from "vitest";
import { majority } from "../../aggregators/majority.ts";
import type { Problem } from "../../problem.ts";
import { run } from "../../run.ts";
import { type SimulatedState, simulatedSolver } from "../../testing/simulated-solver.ts";
import { hintMarginal, type HintMarginalOptions } from "./hint-marginal.ts";
import { vote } from "./vote.ts";

const problem: Problem = { id: "hints", prompt: "" };
const answers = ["right", "wrong", "other"] as const;
/** Without a hint most go wrong the same way; a right hint is mostly kept, a wrong one is often given up. */
const unhinted = [0.32, 0.43, 0.25] as const;
const matrix = { right: [0.85, 0.1, 0.05], wrong: [0.45, 0.45, 0.1], other: [0.35, 0.15, 0.5] } as const;

const solver = (name: string, shares: readonly number[]) =>
  simulatedSolver({ name, law: answers.map((answer, i) => ({ answer, probability: shares[i] as number })) });
const policy = solver("unhinted", unhinted);
const canonical = ({ state }: { state: SimulatedState }) => state.answer;
const hinted = (hint: string) => solver(`hint ${hint}`, matrix[hint as keyof typeof matrix]);
const search = (options: Partial<HintMarginalOptions<SimulatedState>> = {}) =>
  hintMarginal({ canonical, hinted, ...options });

/** The law that the hint matrix leaves as it is, by going on for long. */
function stationary(): number[] {
  let law: number[] = [...unhinted];
  for (let i = 0; i < 1000; i++)
    law = answers.map((_, to) =>
      answers.reduce((sum, from, j) => sum + (law[j] as number) * matrix[from][to as 0 | 1 | 2], 0),
    );
  return law;
}

test("with many answers to each hint the law becomes the stationary one of the hint matrix", async () => {
  const { outcome } = await run(search({ n: 200, rounds: 8, each: 250 }), problem, { policy, seed: 1 });
  const exact = stationary();
  const last = new Map(outcome?.tally.map(({ answer, weight }) => [answer, weight]));
  // 2000 answers to each hint: a row errs by 0.011, and the stationary law, whose rows forget fast, by less than thrice that.
  for (const [i, answer] of answers.entries())
    expect(Math.abs((last.get(answer) ?? 0) - (exact[i] as number))).toBeLessThan(0.05);
  expect(outcome?.confidence).toBe(outcome?.tally[0]?.weight);
  const firstLaw = new Map(outcome?.laws[0]?.map(({ answer, weight }) => [answer, weight]));
  for (const [i, answer] of answers.entries()) {
    const p = unhinted[i] as number;
    expect(Math.abs((firstLaw.get(answer) ?? 0) - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / 200)); // false alarm: 6e-7
  }
  for (const law of outcome?.laws ?? []) expect(law.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
});

test("it finds the right mode more often than a vote of as many calls", async () => {
  const runs = 300;
  let [right, voted, calls] = [0, 0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const marginal = await run(search(), problem, { policy, seed });
    const n = marginal.spent.calls;
    calls += n;
    if (marginal.text === "right") right++;
    const plain = await run(vote({ n, aggregator: majority({ canonical }) }), problem, { policy, seed: 1000 + seed });
    expect(plain.spent.calls).toBe(n);
    if (plain.text === "right") voted++;
  }
  expect((right - voted) / runs).toBeGreaterThan(5 * Math.sqrt(0.5 / runs)); // 5 standard errors of the difference, at most
  expect(calls / runs).toBeLessThanOrEqual(8 + 2 * 3 * 4);
});

/** Answers in a fixed order. */
const reply = (answer: string) => simulatedSolver({ name: answer, law: [{ answer, probability: 1 }] });

test("by hand: every hint leads to one answer, so the law moves as one says", async () => {
  const leads: Record<string, string> = { right: "right", wrong: "other", other: "right" };
  const { outcome, text } = await run(
    search({ n: 30, rounds: 2, each: 1, hinted: (hint) => reply(leads[hint] as string) }),
    problem,
    {
      policy,
      seed: 3,
    },
  );
  const shares = (law: readonly { answer: string; weight: number }[] = []) =>
    new Map(law.map(({ answer, weight }) => [answer, weight]));
  const [before, one, two] = outcome?.laws.map((law) => shares(law)) ?? [];
  expect(one?.get("other")).toBeCloseTo(before?.get("wrong") as number, 12);
  expect(one?.get("right")).toBeCloseTo(1 - (before?.get("wrong") as number), 12);
  expect(two?.get("right")).toBeCloseTo(1, 12);
  expect(text).toBe("right");
});

test("a hint that nobody answers readably keeps its mass; the answer is one without a hint where there is one", async () => {
  const canonicalOrNot = ({ state }: { state: SimulatedState }) => (state.answer === "?" ? undefined : state.answer);
  const { outcome, answer } = await run(
    search({ n: 12, hinted: () => reply("?"), canonical: canonicalOrNot }),
    problem,
    { policy },
  );
  expect(outcome?.laws[2]).toEqual(outcome?.laws[0]);
  expect(answer?.id).toMatch(/^0\./);
  const mute = await run(search({ n: 2, canonical: () => undefined }), problem, { policy });
  expect([mute.answer?.id, mute.confidence, mute.outcome?.tally]).toEqual(["0.0.0#0", undefined, []]);
});

test("a budget that ends within a round leaves the law of the round before", async () => {
  const { outcome, stopped } = await run(search({ n: 6 }), problem, { policy, seed: 2, budget: { calls: 9 } });
  expect(stopped.why).toBe("budget-spent");
  expect(outcome?.laws).toHaveLength(1);
  expect(outcome?.answer?.state.answer).toBe(outcome?.laws[0]?.[0]?.answer);
});

test.each(["n", "rounds", "each"])("refuses no %s by name", (name) => {
  expect(() => search({ [name]: 0 })).toThrow(`'${name}'`);
});
