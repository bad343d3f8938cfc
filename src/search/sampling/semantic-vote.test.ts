import { expect, test } from "vitest";
import { majority } from "../../aggregators/majority.ts";
import { semanticEntropy } from "../../aggregators/semantic-entropy.ts";
import type { Problem } from "../../problem.ts";
import { run } from "../../run.ts";
import type { Comparison } from "../../scorer.ts";
import { type SimulatedState, simulatedSolver } from "../../testing/simulated-solver.ts";
import { semanticVote } from "./semantic-vote.ts";

const problem: Problem = { id: "p", prompt: "" };
const law = { Paris: 0.3, "It is Paris": 0.25, Lyon: 0.35, "Lyon it is": 0.1 };
const policy = simulatedSolver({
  law: Object.entries(law).map(([answer, probability]) => ({ answer, probability })),
});
const city = (answer: string) => /Paris|Lyon/.exec(answer)?.[0];

/** Judges rightly, and counts. */
const judge = (asked: string[][] = []): Comparison<SimulatedState> => ({
  name: "judge",
  against: (other) => ({
    name: `judge ${other.id}`,
    kind: "probability",
    score({ state }) {
      asked.push([state.answer, other.state.answer]);
      return { kind: "probability", value: Number(city(state.answer) === city(other.state.answer)) };
    },
  }),
});

test("meanings are found by asking, once for each text and meaning", async () => {
  const asked: string[][] = [];
  const search = semanticVote({ n: 60, same: judge(asked), aggregator: (meaning) => majority({ canonical: meaning }) });
  const { outcome, confidence } = await run(search, problem, { policy, seed: 4 });
  const drawn = outcome?.candidates.map(({ state }) => city(state.answer)) ?? [];
  const most = Math.max(drawn.filter((one) => one === "Paris").length, drawn.filter((one) => one === "Lyon").length);
  expect(outcome?.tally.map(({ weight }) => weight)).toEqual([most, 60 - most]);
  expect(confidence).toBe(most / 60);
  expect(asked.length).toBeLessThanOrEqual(5); // 4 texts, 2 meanings
});

test("with likelihoods and everything drawn, the entropy over meanings is exact", async () => {
  const search = semanticVote({
    n: 100,
    same: judge(),
    aggregator: (meaning) => semanticEntropy({ meaning, weighing: "likelihood" }),
  });
  const { confidence, text } = await run(search, problem, { policy, seed: 1 });
  const exact = -(0.55 * Math.log(0.55) + 0.45 * Math.log(0.45));
  expect(confidence).toBeCloseTo(Math.exp(-exact), 12);
  expect(text).toMatch("Paris"); // the most frequent single answer is Lyon
});

test("pairs that nobody can judge are different", async () => {
  const mute: Comparison<SimulatedState> = {
    name: "mute",
    against: () => ({
      name: "mute",
      kind: "probability",
      score() {
        throw new Error("down");
      },
    }),
  };
  const aggregator = (meaning: Parameters<typeof semanticEntropy<SimulatedState>>[0]["meaning"]) =>
    semanticEntropy({ meaning });
  const { outcome } = await run(semanticVote({ n: 40, same: mute, aggregator }), problem, { policy, seed: 1 });
  expect(outcome?.tally).toHaveLength(4);
});
