/** Drawing until a verifier accepts that errs: what `measure` says in closed form is what the search does. */
import { expect, test } from "vitest";
import { bestAttempts, resample } from "../measure/saturation.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import type { Scorer } from "../scorer.ts";
import { simulated } from "../scorers/simulated.ts";
import { type SimulatedState, simulatedSolver, successLaw } from "../testing/simulated-solver.ts";
import { selfAssessment } from "./self-assessment.ts";

const problem: Problem = { id: "simulated", prompt: "" };
const truth: Scorer<SimulatedState> = {
  name: "truth",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === "right" }),
};
const rates = [0.8, 0.3, 0.05];
const verifier = { tpr: 0.9, fpr: 0.2 };
const runs = 600;

/** Shares over the rates that end with an accepted right answer, an accepted wrong one, and none. */
async function drawnUntilAccepted(most: number): Promise<{ right: number; wrong: number; none: number }> {
  const shares = { right: 0, wrong: 0, none: 0 };
  for (const rate of rates)
    for (let seed = 0; seed < runs; seed++) {
      const scorer = simulated({
        truth,
        truePositive: verifier.tpr,
        falsePositive: verifier.fpr,
        fresh: true,
        seed,
      });
      const { answer } = await run(selfAssessment<SimulatedState>({ enough: 1, most, scorer }), problem, {
        policy: simulatedSolver({ law: successLaw(rate) }),
        seed,
      });
      const isAccepted = answer?.score?.kind === "verdict" && answer.score.correct;
      shares[isAccepted ? (answer.state.answer as "right" | "wrong") : "none"] += 1 / runs / rates.length;
    }
  return shares;
}

test("shares of right, wrong and none are those of the closed form, and the best number of attempts is small", async () => {
  const costOfWrong = 2;
  const utilities: number[] = [];
  const best = bestAttempts(rates, { ...verifier, costOfWrong });
  expect(best.attempts).toBeLessThanOrEqual(2); // what is left is hard, and what is accepted of it mostly wrong
  for (const attempts of [best.attempts, 4, 16]) {
    const expected = resample(rates, attempts, { ...verifier, costOfWrong });
    const shares = await drawnUntilAccepted(attempts);
    for (const name of ["right", "wrong", "none"] as const) {
      const error = Math.sqrt((expected[name] * (1 - expected[name])) / (runs * rates.length));
      expect(Math.abs(shares[name] - expected[name])).toBeLessThanOrEqual(4.5 * error + 1e-9); // false alarm: 7e-6
    }
    utilities.push(shares.right - costOfWrong * shares.wrong);
  }
  expect(Math.max(...utilities)).toBe(utilities[0]);
  expect(utilities.at(-1)).toBeLessThan(0); // worse than to answer nothing
});
