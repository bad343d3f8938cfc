/**
 * Which system should answer? Four real ones on the 1,319 test questions of GSM8K, from their stored solutions.
 *
 *     npx node bench/gsm8k.ts path/to/example_model_solutions.jsonl [--splits 20]
 *
 * The file is that of github.com/openai/grade-school-math; without an argument it is looked for in `gsm8k/` of the folder `PONDEROSA_DATA`,
 * or of `shared/data` beside the repository. All that is fitted is fitted on one random half and tested on the other, both ways, over
 * several splits. Intervals are 95%, bootstrapped over questions, and do not know of the choice of the split. Seed 1; same table each time.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fold, key } from "../src/key.ts";
import { pairedDifference } from "../src/measure/compare.ts";
import { bootstrapMean } from "../src/measure/intervals.ts";
import type { Estimate } from "../src/measure/estimate.ts";
import { readSolutions, systems } from "./gsm8k-solutions.ts";
import { findBest, study, type WayFigures } from "./gsm8k-study.ts";
import { mean } from "./mean.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { splits: { type: "string", default: "20" } },
});
const folder = process.env.PONDEROSA_DATA ?? join(import.meta.dirname, "../../shared/data");
const questions = readSolutions(
  readFileSync(positionals[0] ?? join(folder, "gsm8k/example_model_solutions.jsonl"), "utf8"),
);
const dearest = systems.at(-1) as (typeof systems)[number];
const within = { low: 0, high: 1 };
const percent = ({ value = Number.NaN, low, high }: Estimate, sign = "") => {
  const show = (share: number) => `${share > 0 ? sign : ""}${(100 * share).toFixed(1)}`;
  return low === undefined ? show(value) : `${show(value)} (${show(low)} to ${show(high)})`;
};

const costOf = ({ cost }: WayFigures) => `${((100 * cost) / dearest.price).toFixed(1)}%`;
const rightOf = ({ right }: WayFigures) =>
  percent(
    bootstrapMean(
      right.map((one) => mean(one)),
      { within },
    ),
  );
const less = (one: WayFigures, other: WayFigures) =>
  one === other ? "—" : percent(pairedDifference(one.right, other.right, { within }), "+");
/** What chooses by lot between the same systems. */
const lotOf = ({ name }: WayFigures) =>
  /agreement|votes/.test(name) ? "by lot, votes of three or four" : "by lot, the router's two";

console.log(
  `${questions.length} questions, ${values.splits} splits, both ways; costs in shares of the dearest system's`,
);
for (const [b, share] of [0.25, 0.5, 0.75].entries()) {
  const rows = study(questions, { key: key(1), splits: Number(values.splits), budget: share * dearest.price });
  const named = (name: string) => rows.find((row) => row.name === name) as WayFigures;
  if (b === 0) {
    console.log("\n| | right | less the dearest alone | cost |\n|---|---|---|---|");
    for (const row of rows.filter(({ hasBudget }) => !hasBudget))
      console.log(`| ${row.name} | ${rightOf(row)} | ${less(row, named(dearest.name))} | ${costOf(row)} |`);
    console.log("\n| budget | | right | less the dearest alone | less by lot | cost |\n|---|---|---|---|---|---|");
  }
  for (const row of rows.filter(({ hasBudget }) => hasBudget))
    console.log(
      `| ${100 * share}% | ${row.name} | ${rightOf(row)} | ${less(row, named(dearest.name))} | ${less(row, named(lotOf(row)))} | ${costOf(row)} |`,
    );
}

const runs = Array.from({ length: 100 }, (_, i) => findBest(questions, fold(key(2), i), 0.05));
const right = (named: (run: (typeof runs)[number]) => number | undefined) =>
  runs.filter((run) => named(run) === systems.length - 1).length;
const average = (count: (run: (typeof runs)[number]) => number) => mean(runs.map(count)).toFixed(0);
console.log(
  `\nThe best system at delta 0.05, questions drawn with replacement, ${runs.length} runs: by bestArm right in ${right(({ best }) => best)}, ${average(({ answers }) => answers)} answers on average; by activeRanking, question by question, right in ${right(({ ranked }) => ranked)}, ${average(({ rankedAnswers }) => rankedAnswers)} answers`,
);
