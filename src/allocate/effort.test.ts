import { expect, test } from "vitest";
import { majority } from "../aggregators/majority.ts";
import { random } from "../math/random.ts";
import { run } from "../run.ts";
import { type SimulatedState, simulatedSolver, successLaw } from "../testing/simulated-solver.ts";
import { adaptiveConsistency } from "./adaptive-consistency.ts";
import { dial } from "./effort.ts";

test("more effort is better on average: over problems of spread difficulty quality rises with the dial, within its intervals", async () => {
  // Right with 0.35 to 0.95; wrong answers are scattered, so that the right one is the most frequent.
  const { uniform } = random(12);
  const problems = Array.from({ length: 250 }, (_, i) => ({ id: `p${i}`, prompt: "", data: 0.35 + 0.6 * uniform() }));
  const wrong = { a: 0.4, b: 0.3, c: 0.3 };
  const policy = simulatedSolver({ law: ({ data }) => successLaw(data as number, { wrong }) });
  const aggregator = majority<SimulatedState>({ canonical: ({ state }) => state.answer });
  const quality: number[][] = [];
  const draws: number[] = [];
  for (const effort of [0, 0.25, 0.5, 0.75, 1]) {
    const search = adaptiveConsistency<SimulatedState>({ aggregator, ...dial(effort) });
    const results = [];
    for (const [seed, problem] of problems.entries()) results.push(await run(search, problem, { policy, seed }));
    quality.push(results.map(({ text }) => Number(text === "right")));
    draws.push(results.reduce((sum, { outcome }) => sum + (outcome?.draws ?? 0), 0) / problems.length);
  }
  const mean = (of: readonly number[]) => of.reduce((sum, one) => sum + one, 0) / of.length;
  const gains = quality.slice(1).map((later, i) => later.map((one, j) => one - (quality[i]?.[j] as number)));
  for (const gain of gains) {
    const error = Math.sqrt((mean(gain.map((one) => one ** 2)) - mean(gain) ** 2) / gain.length);
    expect(mean(gain)).toBeGreaterThan(-2 * error); // paired: the same draws, more or fewer of them
  }
  const [least = [], most = []] = [quality[0], quality.at(-1)];
  expect(mean(least)).toBeCloseTo(0.65, 1); // one draw: the mean difficulty
  expect(mean(most) - mean(least)).toBeGreaterThan(0.2);
  expect(draws).toEqual(draws.toSorted((a, b) => a - b));
});
