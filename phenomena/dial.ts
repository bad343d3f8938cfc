/** More effort is never worse: one dial from little to much. */
import { majority } from "../src/aggregators/majority.ts";
import { adaptiveConsistency } from "../src/allocate/adaptive-consistency.ts";
import { dial } from "../src/allocate/effort.ts";
import { cost } from "../src/budget.ts";
import { fold, key } from "../src/key.ts";
import { drawBeta } from "../src/math/distributions.ts";
import { random } from "../src/math/random.ts";
import { bootstrapMean, type Estimate } from "../src/measure/index.ts";
import type { TextState } from "../src/policies/text.ts";
import type { Policy } from "../src/policy.ts";
import { run } from "../src/run.ts";
import { productChain } from "../src/tasks/index.ts";
import { simulatedSolver, successLaw } from "../src/testing/simulated-solver.ts";
import { wrongAnswers } from "./coverage.ts";
import type { Effect, Measurement, Panel, Phenomenon } from "./phenomenon.ts";
import { judged } from "./phenomenon.ts";
import { mean, nodeOf, type PoolRow, problemOf, productPool, shareOver, shown, tokensOf } from "./samples.ts";

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

/** A policy for one run, which gets the samples of a pool in their order, as it asks for one after the other. */
function pooled({ problem, samples }: PoolRow): Policy<TextState> {
  const left = samples.entries();
  return {
    name: `pool of ${problem}`,
    root: ({ prompt }) => ({ prompt, text: "", length: 0 }),
    text: (state) => state.text,
    bound: () => cost({ calls: 1 }),
    async *extend(_, { seeds }) {
      for (const index of seeds.keys()) {
        const { value } = left.next();
        if (!value) return;
        const { state, logProb, length } = nodeOf(value[1], value[0]);
        const paid = cost({ calls: 1, tokens: length });
        yield {
          type: "extension",
          index,
          extension: { state, done: true, logProb, logProposal: logProb, length, cost: paid },
        };
      }
    },
  };
}

async function replayed(row: PoolRow, unit: number): Promise<Row> {
  const problem = problemOf(productChain, unit);
  const aggregator = majority<TextState>({ canonical: ({ state }) => productChain.canonical(problem, state.text) });
  const made: At[] = [];
  for (const effort of efforts) {
    const search = adaptiveConsistency({ aggregator, ...dial(effort) });
    const { text, outcome } = await run(search, problem, { policy: pooled(row) });
    const right = text !== undefined && productChain.canonical(problem, text) === problem.reference;
    made.push({ right, draws: outcome?.draws ?? 0 });
  }
  return made;
}

const rightAt = (rows: readonly Row[], at: number): number[] => rows.map((row) => Number(row[at]?.right));
const drawsAt = (rows: readonly Row[], at: number): number[] => rows.map((row) => row[at]?.draws ?? 0);

/** Of the quality from one effort to the next, all of them together with 95 percent. */
const steps = (rows: readonly Row[]): Estimate[] =>
  efforts.slice(1).map((_, i) => {
    const [before, after] = [rightAt(rows, i), rightAt(rows, i + 1)];
    const level = 1 - 0.05 / (efforts.length - 1);
    return bootstrapMean(
      after.map((right, j) => right - (before[j] ?? 0)),
      { level, within: { low: -1, high: 1 } },
    );
  });

function effectsOf(rows: readonly Row[], world: Effect["world"]): Effect[] {
  const [first, last] = [rightAt(rows, 0), rightAt(rows, efforts.length - 1)];
  const rise = bootstrapMean(
    last.map((right, i) => right - (first[i] ?? 0)),
    { within: { low: -1, high: 1 } },
  );
  const worst = steps(rows).reduce((least, step) => ((step.value ?? 0) < (least.value ?? 0) ? step : least));
  const falls = steps(rows).some(({ high }) => high !== undefined && high < 0);
  const cheaper = mean(rows.map((row) => Number(row.some(({ draws }, i) => draws < (row[i - 1]?.draws ?? 0)))));
  return [
    judged({ name: "right at effort 1 less right at effort 0", world, unit: "points", estimate: rise }),
    {
      name: "smallest step of quality between neighbouring efforts",
      world,
      unit: "points",
      estimate: worst,
      margin: 0,
      verdict: falls ? "reversed" : "reproduced",
    },
    {
      name: "problems on which more effort drew less",
      world,
      unit: "points",
      estimate: { value: cheaper, low: cheaper, high: cheaper },
      margin: 0,
      verdict: cheaper === 0 ? "reproduced" : "reversed",
    },
  ];
}

const panel = (title: string, rows: readonly Row[]): Panel => ({
  kind: "curves",
  title,
  x: { label: "draws a problem, mean", log: true },
  y: { label: "right", percent: true },
  points: efforts.map((effort, at) => {
    const { value, low, high } = shareOver(rightAt(rows, at));
    return { series: "quality", label: String(effort), x: mean(drawsAt(rows, at)), y: value ?? 0, low, high };
  }),
});

export const monotoneDial: Phenomenon = {
  name: "dial",
  title: "One dial, and more effort is never worse",
  claim:
    "At deployment one can choose how hard to try, and performance rises with the compute that is spent on a request.",
  source: {
    text: "Muennighoff et al. 2025, s1: Simple test-time scaling, §3.2",
    url: "https://arxiv.org/abs/2501.19393",
  },
  method:
    "Five settings of the one dial of adaptive voting (0: one draw; 1: at most 64, stopping when the vote is decided). Simulated: 1,000 problems with rates of success from Beta(2, 2). Sapling: 240 product chains, every setting on the same 64 samples.",
  rule: "In both: quality at effort 1 less that at effort 0 lies above 0; no step between neighbouring efforts surely falls (a test of isotonicity: intervals at 1 − 0.05/4, none of them below 0); and on no single problem does more effort draw less.",
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
    return {
      effects: [...effectsOf(worlds, "simulated"), ...effectsOf(runs, "sapling")],
      statement: `Simulated, quality goes from ${ends(worlds)}; on sapling from ${ends(runs)}.`,
      table: {
        head: ["effort", "right, simulated", "draws", "right, sapling", "draws"],
        rows: efforts.map((effort, at) => [String(effort), ...line(worlds, at), ...line(runs, at)]),
      },
      panels: [panel("Simulated, by effort", worlds), panel("Sapling, product chains, by effort", runs)],
      outlay: {
        units: `${worlds.length} simulated problems; ${pool.length} problems of 64 samples, one seed`,
        tokens: tokensOf(pool),
      },
    };
  },
};
