import { expect, test } from "vitest";
import { majority } from "../aggregators/majority.ts";
import { logGamma } from "../math/special.ts";
import { run } from "../run.ts";
import { vote } from "../search/sampling/vote.ts";
import { type SimulatedState, simulatedSolver, successLaw } from "../testing/simulated-solver.ts";
import { bestCell, standardStakes, utilityGrid } from "./utility-grid.ts";

/** A third of the problems each: easy, even, and believed wrongly. */
const difficulties = [0.9, 0.6, 0.2];
const budgets = [1, 5, 15];
const thresholds = [0, 0.7, 0.9];
const seeds = 120;

const binomial = (k: number, n: number, p: number): number =>
  Math.exp(logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1) + k * Math.log(p) + (n - k) * Math.log(1 - p));

/** Of a vote of n between right and wrong: mean and second moment of the utility, and the shares of right and wrong ones given. */
function exact(n: number, threshold: number, wrong: number) {
  let [right, errors] = [0, 0];
  for (const p of difficulties)
    for (let k = 0; k <= n; k++) {
      if (Math.max(k, n - k) / n < threshold) continue;
      const mass = binomial(k, n, p) / difficulties.length;
      if (k > n / 2) right += mass;
      else errors += mass;
    }
  return { utility: right + wrong * errors, second: right + wrong ** 2 * errors, coverage: right + errors, errors };
}

test("threshold × budget, by votes of a simulated solver, is the closed form under all three stakes", async () => {
  const records = await Promise.all(
    budgets.map(async (n) => {
      const search = vote({ n, aggregator: majority<SimulatedState>({ canonical: ({ state }) => state.answer }) });
      const policies = difficulties.map((p) => simulatedSolver({ law: successLaw(p), name: `p ${p}` }));
      const results = await Promise.all(
        policies.flatMap((policy, i) =>
          Array.from({ length: seeds }, (_, j) =>
            run(search, { id: "p", prompt: "" }, { policy, seed: i * seeds + j }),
          ),
        ),
      );
      const confidences = results.map(({ confidence }) => confidence as number);
      return { budget: n, confidences, correct: results.map(({ text }) => text === "right") };
    }),
  );
  for (const stakes of Object.values(standardStakes)) {
    const cells = utilityGrid(records, { stakes, thresholds });
    expect(cells).toHaveLength(budgets.length * thresholds.length);
    for (const { budget, threshold, utility, coverage, risk } of cells) {
      const law = exact(budget, threshold, stakes.wrong);
      const sd = Math.sqrt((law.second - law.utility ** 2) / (seeds * difficulties.length));
      expect(Math.abs(utility - law.utility)).toBeLessThanOrEqual(4.5 * sd); // 27 cells, false alarm: 2e-4; strata only help
      const trials = seeds * difficulties.length;
      expect(Math.abs(coverage - law.coverage)).toBeLessThan(4.5 * Math.sqrt(0.25 / trials));
      expect(risk).toBeGreaterThan(0);
      expect(Math.abs((risk as number) - law.errors / law.coverage)).toBeLessThan(
        4.5 * Math.sqrt(0.25 / (trials * coverage)),
      );
    }
    if (stakes.wrong === 0) expect(bestCell(cells)?.threshold).toBe(0); // nothing is lost by being wrong
    if (stakes.wrong === -20) expect(bestCell(cells)?.utility).toBeLessThan(0); // better say nothing at all
  }
});

test("no cells, no best one", () => {
  expect(bestCell(utilityGrid([], { stakes: standardStakes.exam, thresholds }))).toBeUndefined();
});
