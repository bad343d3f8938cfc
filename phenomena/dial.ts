/** More effort gives more right answers: one dial from little to much. */
import { majority } from "../src/aggregators/majority.ts";
import { adaptiveConsistency } from "../src/allocate/adaptive-consistency.ts";
import { dial } from "../src/allocate/effort.ts";
import { cost } from "../src/budget.ts";
import { fold, key } from "../src/key.ts";
import { drawBeta } from "../src/math/distributions.ts";
import { random } from "../src/math/random.ts";
import { bootstrapMean, type Estimate } from "../src/measure/index.ts";
import { replay, type ReplayState } from "../src/policies/replay.ts";
import type { PoolProblem } from "../src/pool.ts";
import type { Problem } from "../src/problem.ts";
import { run } from "../src/run.ts";
import { productChain } from "../src/tasks/index.ts";
import { simulatedSolver, successLaw } from "../src/testing/simulated-solver.ts";
import { wrongAnswers } from "./coverage.ts";
import type { Effect, Measurement, Panel, Phenomenon, World } from "./phenomenon.ts";
import { curves, exactly, judged, point, shown } from "./phenomenon.ts";
import { fewest, mean, meanOver, minus, type PoolRow, problemOf, productPool, shareOver, tokensOf } from "./samples.ts";

const efforts = [0, 0.25, 0.5, 0.75, 1];

interface At {
  readonly right: boolean;
  readonly draws: number;
}

/** By effort. */
type Row = readonly At[];

const simulated: Measurement<Row> = {
  name: "dial-simulated",
  units: { full: 1000, quick: 200 },
  async measure(unit) {
    const rate = drawBeta(2, 2, random(fold(fold(key(1), "dial"), unit)));
    const policy = simulatedSolver({ law: successLaw(rate, { wrong: wrongAnswers }) });
    const aggregator = majority<{ readonly answer: string; readonly chain: string }>({
      canonical: ({ state }) => state.answer,
    });
    const row: At[] = [];
    for (const effort of efforts) {
      const search = adaptiveConsistency({ aggregator, ...dial(effort) });
      const { answer, outcome } = await run(search, { id: String(unit), prompt: "" }, { policy, seed: unit });
      row.push({ right: answer?.state.answer === "right", draws: outcome?.draws ?? 0 });
    }
    return row;
  },
};

/** As a pool of the library, out of which a policy replays the samples in their order. */
const recorded = (problem: Problem, { samples }: PoolRow): PoolProblem => ({
  problem,
  level: null,
  samples: samples.map(({ text, tokens, logProb, answer, right }) => ({
    text,
    finish: "end",
    length: tokens,
    logProb,
    cost: cost({ calls: 1, tokens }),
    scores: {},
    canonical: answer,
    correct: right,
  })),
});

async function replayed(row: PoolRow, unit: number): Promise<Row> {
  const problem = problemOf(productChain, unit);
  const aggregator = majority<ReplayState>({ canonical: ({ state }) => productChain.canonical(problem, state.text) });
  const made: At[] = [];
  for (const effort of efforts) {
    const search = adaptiveConsistency({ aggregator, ...dial(effort) });
    const { text, outcome } = await run(search, problem, { policy: replay(recorded(problem, row)) });
    const right = text !== undefined && productChain.canonical(problem, text) === problem.reference;
    made.push({ right, draws: outcome?.draws ?? 0 });
  }
  return made;
}

const rightAt = (rows: readonly Row[], at: number): number[] => rows.map((row) => Number(row[at]?.right));
const drawsAt = (rows: readonly Row[], at: number): number[] => rows.map((row) => row[at]?.draws ?? 0);

/** A count of what the rule forbids. */
const noneOf = (world: World, name: string, unit: string, count: number): Effect => ({
  ...judged(world, name, exactly(count), { unit: `${unit}, none for the claim` }),
  verdict: count === 0 ? "reproduced" : "reversed",
});

function effectsOf(rows: readonly Row[], world: World, steps: readonly Estimate[]): Effect[] {
  const rise = meanOver(minus(rightAt(rows, efforts.length - 1), rightAt(rows, 0)));
  const cheaper = rows.filter((row) => row.some(({ draws }, i) => draws < (row[i - 1]?.draws ?? 0))).length;
  const falls = steps.filter(({ high }) => high !== undefined && high < 0).length;
  return [
    judged(world, "right at effort 1 less right at effort 0", rise),
    noneOf(world, "steps between neighbouring efforts that surely fall", "steps of 4", falls),
    noneOf(world, "problems on which more effort drew less", "problems", cheaper),
  ];
}

/** Of the quality from one effort to the next, all of them together with 95 percent. */
const stepsOf = (rows: readonly Row[]): Estimate[] =>
  efforts.slice(1).map((_, i) =>
    bootstrapMean(minus(rightAt(rows, i + 1), rightAt(rows, i)), {
      level: 1 - 0.05 / (efforts.length - 1),
      within: { low: -1, high: 1 },
      fewest,
    }),
  );

const panel = (title: string, rows: readonly Row[]): Panel =>
  curves(
    title,
    { label: "draws a problem, mean", log: true },
    { label: "right", percent: true },
    efforts.map((effort, at) => ({
      ...point("quality", mean(drawsAt(rows, at)), shareOver(rightAt(rows, at))),
      label: `effort ${effort}`,
    })),
  );

export const monotoneDial: Phenomenon = {
  name: "dial",
  title: "One dial: more effort, more right answers",
  claim:
    "At deployment one can choose how hard to try, and performance on average rises with the compute that is spent on a request (the paper: with the budget of thinking tokens).",
  source: "Muennighoff et al. 2025, s1: Simple test-time scaling, §3.2",
  arxiv: "2501.19393",
  method:
    "Five settings of the one dial of adaptive voting (0: one draw; 1: at most 64, stopping when the vote is decided). Simulated: 1,000 problems with rates of success from Beta(2, 2). Sapling: 240 product chains, every setting on the same 64 samples.",
  rule: "In both: quality at effort 1 less that at effort 0 lies above 0; no step between neighbouring efforts surely falls (a test of isotonicity: intervals at 1 − 0.05/4, none of them below 0); and on no single problem does more effort draw less.",
  remark:
    "The test of the steps was first the smallest step itself, which had to lie above 0 and does not; it was made a count of steps that surely fall after the first run, and the verdict rests on that. That no step surely falls is weak evidence: it holds, too, where steps are too small to see, and after effort 0.5 sapling's are. That more effort never draws less follows from the rule of stopping, and is checked as a law of the program.",
  measurements: [simulated, productPool],
  async conclude(rows) {
    const worlds = rows(simulated);
    const pool = rows(productPool);
    const runs = await Promise.all(pool.map(replayed));
    const line = (of: readonly Row[], at: number): string[] => [
      shown(shareOver(rightAt(of, at))),
      mean(drawsAt(of, at)).toFixed(1),
    ];
    const ends = (of: readonly Row[]): string =>
      `${shown(shareOver(rightAt(of, 0)))} percent with one draw to ${shown(shareOver(rightAt(of, 4)))} with ${mean(drawsAt(of, 4)).toFixed(1)} on average`;
    const [known, own] = [stepsOf(worlds), stepsOf(runs)];
    const least = (steps: readonly Estimate[]): string =>
      shown(steps.reduce((low, step) => ((step.value ?? 0) < (low.value ?? 0) ? step : low)));
    return {
      effects: [...effectsOf(worlds, "simulated", known), ...effectsOf(runs, "sapling", own)],
      statement: `Simulated, quality goes from ${ends(worlds)}; on sapling from ${ends(runs)}. The smallest step from one effort to the next is ${least(known)} points, and ${least(own)} on sapling (intervals at 1 − 0.05/4).`,
      table: {
        head: ["effort", "right, simulated", "draws", "right, sapling", "draws"],
        rows: efforts.map((effort, at) => [String(effort), ...line(worlds, at), ...line(runs, at)]),
      },
      panels: [panel("Simulated, by effort", worlds), panel("Sapling, product chains, by effort", runs)],
      units: `${worlds.length} simulated problems; ${pool.length} problems of 64 samples, one seed`,
      tokens: tokensOf(pool),
    };
  },
};
