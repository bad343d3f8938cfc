import { describe, expect, test } from "vitest";
import { fold, key } from "../../key.ts";
import { entropy } from "../../math/information.ts";
import { random } from "../../math/random.ts";
import { auroc } from "../../measure/calibration.ts";
import type { Problem } from "../../problem.ts";
import { run } from "../../run.ts";
import type { Comparison } from "../../scorer.ts";
import { type SimulatedState, simulatedSolver } from "../../testing/simulated-solver.ts";
import { iteratedPrompting } from "./iterated-prompting.ts";

type Law = Readonly<Record<string, number>>;

const problem: Problem = { id: "p", prompt: "" };
const solver = (law: Law) =>
  simulatedSolver({ law: Object.entries(law).map(([answer, probability]) => ({ answer, probability })) });
/** What is answered once an answer was shown. */
const after = (lawOf: (shown: string) => Law): Comparison<SimulatedState> => ({
  name: "after",
  against: ({ state: shown }) => ({
    name: `after ${shown.answer}`,
    kind: "log-likelihood",
    score: ({ state }) => ({ kind: "log-likelihood", value: Math.log(lawOf(shown.answer)[state.answer] ?? 0) }),
  }),
});
const canonical = ({ state }: { state: SimulatedState }) => state.answer;

/** The shown answer is taken over with probability `pull`. */
const pulled = (law: Law, pull: number) => (shown: string) =>
  Object.fromEntries(
    Object.entries(law).map(([answer, p]) => [answer, (1 - pull) * p + (answer === shown ? pull : 0)]),
  );

test("once all answers were drawn it is the exact information of the pair", async () => {
  const law = { a: 0.5, b: 0.3, c: 0.2 };
  const pull = 0.4;
  const given = after(pulled(law, pull));
  const { outcome, text, confidence } = await run(iteratedPrompting({ n: 60, given, canonical }), problem, {
    policy: solver(law),
  });
  // The marginal of the second answer is the law itself, so I = H(law) − Σ p H(row).
  const rows = Object.entries(law).map(([shown, p]) => p * entropy(Object.values(pulled(law, pull)(shown))));
  const exact = entropy(Object.values(law)) - rows.reduce((sum, one) => sum + one, 0);
  expect(outcome?.information).toBeCloseTo(exact, 12);
  expect(outcome?.entropy).toBeCloseTo(entropy(Object.values(law)), 12);
  expect(confidence).toBeCloseTo(Math.exp(-exact), 12);
  expect(text).toBe("a");
});

describe("many answers that are known, against as many that are guessed", () => {
  // Both answer by equally scattered laws, so that entropy can tell nothing; the guesser follows what it is shown.
  const cases = Array.from({ length: 120 }, (_, i) => {
    const stream = random(fold(key(5), i));
    const weights = Array.from({ length: 2 + stream.integer(5) }, () => 0.2 + stream.uniform());
    const total = weights.reduce((sum, one) => sum + one, 0);
    const law = Object.fromEntries(weights.map((one, j) => [`answer ${j}`, one / total]));
    const known = i % 2 === 0;
    return { law, known, pull: known ? 0.1 * stream.uniform() : 0.3 + 0.6 * stream.uniform() };
  });

  test("are told apart by information, not by entropy", async () => {
    const outcomes = await Promise.all(
      cases.map(async ({ law, pull }, seed) => {
        const search = iteratedPrompting({ given: after(pulled(law, pull)), canonical });
        return (await run(search, problem, { policy: solver(law), seed })).outcome;
      }),
    );
    const known = cases.map((one) => one.known);
    const byInformation = auroc(
      outcomes.map((one) => -(one?.information as number)),
      known,
    );
    const byEntropy = auroc(
      outcomes.map((one) => -(one?.entropy as number)),
      known,
    );
    expect(byInformation.value).toBeGreaterThan(0.9);
    expect(Math.abs((byEntropy.value as number) - 0.5)).toBeLessThan(0.15); // 0.5 ± 2.9 standard errors of 60 against 60
  });
});

test("the earliest answer of a meaning speaks for it, however often a later one comes", async () => {
  const law = { "4": 0.5, four: 0.5 };
  const search = iteratedPrompting({ n: 12, given: after(() => law), canonical: () => "4" });
  for (let seed = 0; seed < 8; seed++) {
    const { answer, outcome } = await run(search, problem, { policy: solver(law), seed });
    expect(answer?.id).toBe(outcome?.candidates[0]?.id);
  }
});

test("equal meanings add up, and what cannot be scored leaves no confidence", async () => {
  const law = { "4": 0.4, four: 0.4, "5": 0.2 };
  const meaning = ({ state }: { state: SimulatedState }) => (state.answer === "5" ? "5" : "4");
  const sure = await run(iteratedPrompting({ n: 60, given: after(() => law), canonical: meaning }), problem, {
    policy: solver(law),
  });
  expect(sure.outcome?.entropy).toBeCloseTo(entropy([0.8, 0.2]), 12);
  expect(sure.outcome?.information).toBeCloseTo(0, 12);

  const mute: Comparison<SimulatedState> = {
    name: "mute",
    against: () => ({
      name: "mute",
      kind: "log-likelihood",
      score() {
        throw new Error("down");
      },
    }),
  };
  const unsure = await run(iteratedPrompting({ n: 20, given: mute, canonical }), problem, { policy: solver(law) });
  expect([unsure.outcome?.information, unsure.confidence]).toEqual([undefined, undefined]);
  expect(unsure.text).toBeDefined();
});
