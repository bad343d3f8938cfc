import { expect, test } from "vitest";
import { majority } from "../../aggregators/majority.ts";
import { scripted } from "../../models/scripted.ts";
import type { Node } from "../../node.ts";
import { synthesizeByPrompt } from "../../policies/candidate-prompts.ts";
import { text } from "../../policies/text.ts";
import type { Problem } from "../../problem.ts";
import { run } from "../../run.ts";
import type { Scorer } from "../../scorer.ts";
import { type SimulatedState, simulatedSolver } from "../../testing/simulated-solver.ts";
import { bestOfN } from "./best-of-n.ts";
import { synthesize } from "./synthesize.ts";
import { vote } from "./vote.ts";

const problem: Problem = { id: "four parts", prompt: "" };
const right = "1234";
const verifier: Scorer<SimulatedState> = {
  name: "all four parts",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === right }),
};

/** Four parts that are solved apart. Each candidate is wrong in one of them, any one, so none is right. */
const wrongSomewhere = simulatedSolver({
  name: "candidates",
  law: Array.from(right, (_, at) => ({ answer: `${right.slice(0, at)}x${right.slice(at + 1)}`, probability: 1 / 4 })),
});

/** Takes of each part what most candidates have; with a chance of `slip` it gets the first part wrong all the same. */
const merging = (slip: number) => (candidates: readonly Node<SimulatedState>[]) => {
  const merged = Array.from(right, (_, at) => {
    const { tally } = majority<SimulatedState>({ canonical: ({ state }) => state.answer[at] }).aggregate(candidates);
    return tally[0]?.answer;
  }).join("");
  return simulatedSolver({
    name: `merge ${merged}`,
    law: [
      { answer: merged, probability: 1 - slip },
      { answer: `y${merged.slice(1)}`, probability: slip },
    ],
  });
};

test("right where every candidate is wrong somewhere, while a vote and best of n cannot be", async () => {
  const [runs, slip] = [200, 0.2];
  const solved = { synthesis: 0, vote: 0, best: 0 };
  for (let seed = 0; seed < runs; seed++) {
    const made = await run(synthesize({ from: merging(slip), n: 5 }), problem, {
      policy: wrongSomewhere,
      scorer: verifier,
      seed,
    });
    if (made.text === right) {
      solved.synthesis++;
      expect([made.outcome?.synthesized, made.answer?.score]).toEqual([true, { kind: "verdict", correct: true }]);
    }
    const aggregator = majority<SimulatedState>({ canonical: ({ state }) => state.answer });
    if ((await run(vote({ n: 6, aggregator }), problem, { policy: wrongSomewhere, seed })).text === right)
      solved.vote++;
    if ((await run(bestOfN({ n: 6 }), problem, { policy: wrongSomewhere, scorer: verifier, seed })).text === right)
      solved.best++;
  }
  expect([solved.vote, solved.best]).toEqual([0, 0]);
  // It fails by a slip, or where three or more of the five are wrong in one place: in two places at once they cannot be.
  let many = 0;
  for (let k = 3; k <= 5; k++) many += 4 * ([10, 5, 1][k - 3] as number) * 0.25 ** k * 0.75 ** (5 - k);
  const p = (1 - slip) * (1 - many);
  expect(Math.abs(solved.synthesis / runs - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / runs)); // false alarm: 6e-7
});

const say = (answer: string) => simulatedSolver({ name: answer, law: [{ answer, probability: 1 }] });
const quality: Scorer<SimulatedState> = {
  name: "digits",
  kind: "reward",
  score: ({ state }) => ({ kind: "reward", value: state.answer.replaceAll(/\D/g, "").length }),
};

test("a bad synthesis does not win against its candidates; an equal one does", async () => {
  const of = async (answer: string) =>
    (await run(synthesize({ from: () => say(answer), n: 3, scorer: quality }), problem, { policy: wrongSomewhere }))
      .outcome;
  const bad = await of("x");
  expect([bad?.synthesized, bad?.syntheses.length, bad?.candidates.at(-1)?.state.answer]).toEqual([false, 1, "x"]);
  expect((await of("56x7"))?.synthesized).toBe(true);
});

test("unscored, the first synthesis is the answer; where none can be made, the first candidate is", async () => {
  const unscored = (from: () => ReturnType<typeof say>, budget = {}) =>
    run(synthesize({ from, n: 3, syntheses: 2, scorer: null }), problem, { policy: wrongSomewhere, budget });
  const made = await unscored(() => say("new"));
  expect([made.text, made.outcome?.syntheses.length, made.outcome?.synthesized]).toEqual(["new", 2, true]);
  const failing = await unscored(() => simulatedSolver({ name: "fails", law: [] }));
  expect([failing.answer?.id, failing.outcome?.synthesized]).toEqual(["0.0.0#0", false]);
  const poor = await unscored(() => say("new"), { calls: 2 });
  expect([poor.answer?.id, poor.stopped.why]).toEqual(["0.0.0#0", "budget-spent"]);
});

test("in words: question, numbered answers, and what to do with them", async () => {
  const model = scripted({ replies: ({ prompt }) => (String(prompt).includes("Answer 2:") ? "both" : "half") });
  const { text: answer } = await run(
    synthesize({ from: synthesizeByPrompt(model), n: 2, scorer: null }),
    { id: "q", prompt: "What?\n" },
    { policy: text(model) },
  );
  expect(answer).toBe("both");
  expect(model.calls[2]?.prompt).toMatch(/^What\?\n\nAnswer 1:\nhalf\n\nAnswer 2:\nhalf\n\nThese are 2 answers/);
});

test.each(["n", "syntheses"])("refuses no %s by name", (name) => {
  expect(() => synthesize({ from: () => undefined, [name]: 0 })).toThrow(`'${name}'`);
});
