/**
 * Every method on the same held-out problems, with the same tokens:
 *
 *     npx node bench/methods.ts [--study methods] [--task countdown] [--problems 300] [--seeds 3] [--tokens 600] [--only beam,DVTS]
 *
 * A token is one that was generated, or one reading of the model for a score. A method goes on until that budget or its own end,
 * whichever comes first; what it really spent stands beside its figure. Problems are held out and nobody selected them.
 *
 * Share right: mean over problems and seeds, with a 95% interval; difference to best of n by the same knowledge, paired by
 * problem. Both intervals are bootstrapped over problems (10,000 resamples), as the seeds of one problem are not independent.
 *
 * The study `noise` adds noise to the value read-out, in logits, and compares what samples from a weighted law with what hunts
 * the best point. One worker for each core; the result does not depend on how many there are.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { fold, key, split } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { type MethodContext, methods, planOf } from "../src/methods.ts";
import { openModel } from "../src/open-model.ts";
import { text } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { valueToken } from "../src/scorers/value-token.ts";
import { isRightAnswer, type Task } from "../src/task.ts";
import { taskNamed } from "../src/tasks/index.ts";
import { mean } from "./mean.ts";
import { type Row, studies } from "./rows.ts";

interface Job {
  readonly study: string;
  readonly task: string;
  readonly problems: number;
  readonly seeds: number;
  readonly tokens: number;
  readonly only: string;
  readonly model: string;
}

/** What one run of one row came to. */
interface Outcome {
  readonly row: number;
  readonly problem: number;
  readonly right: boolean;
  readonly tokens: number;
  readonly failed: boolean;
}

const rowsOf = ({ study, only }: Job): readonly Row[] => {
  const rows = studies[study];
  if (!rows)
    throw new RangeError(`Cannot run '${study}' as there are only the studies ${Object.keys(studies).join(", ")}`);
  const wanted = only.split(",");
  return rows.filter(({ label, baseline }) => baseline || wanted.some((part) => label.includes(part)));
};

/** Of one answer, and reserved for every step in flight: half as much again as the longest right answers have. */
const maxTokens = 60;

function prepare(row: Row, context: MethodContext & { readonly task: Task }, seed: number) {
  if ("make" in row) {
    const limits = { maxTokens, ...(row.step !== "answer" && { maxAnswerTokens: maxTokens }) };
    const policy = text(context.model, { step: row.step, ...limits });
    return { search: row.make(valueToken(context.model), seed), policy, scorer: undefined };
  }
  const method = methods.find(({ name }) => name === row.method);
  if (!method) throw new RangeError(`There is no method '${row.method}'`);
  return planOf(method, { ...row.settings, maxTokens }, context);
}

async function work(job: Job, part: number, parts: number): Promise<void> {
  const task = taskNamed(job.task);
  const model = await openModel(job.model);
  const rows = rowsOf(job);
  const problems = split(fold(key(1), "bench"), job.problems).map((place) => task.make(place, { split: "test" }));
  for (const [i, problem] of problems.entries()) {
    if (i % parts !== part) continue;
    const outcomes: Outcome[] = [];
    for (const [index, row] of rows.entries())
      for (let seed = 0; seed < job.seeds; seed++) {
        const { search, policy, scorer } = prepare(row, { model, problem, task }, seed);
        const result = await run(search, problem, { policy, scorer, seed, budget: { tokens: job.tokens } });
        const { text: answer, spent, stopped } = result;
        outcomes.push({
          row: index,
          problem: i,
          right: answer !== undefined && isRightAnswer(task, problem, answer),
          tokens: spent.tokens,
          failed: stopped.why === "all-failed",
        });
      }
    parentPort?.postMessage(outcomes); // oxlint-disable-line unicorn/require-post-message-target-origin -- a worker, not a window
  }
  await model[Symbol.asyncDispose]?.();
}

/** Mean, and the 2.5% and 97.5% points of its bootstrap over the values: percentiles, Efron & Tibshirani 1993, §13.3. */
function bootstrapped(values: readonly number[]): { mean: number; low: number; high: number } {
  const stream = random(9);
  const means = Float64Array.from({ length: 10_000 }, () => {
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[stream.integer(values.length)] as number;
    return sum / values.length;
  }).sort();
  return { mean: mean(values), low: means[250] as number, high: means[9749] as number };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)}`;
const interval = ({ mean, low, high }: { mean: number; low: number; high: number }, sign = ""): string =>
  `${sign && mean >= 0 ? sign : ""}${percent(mean)} (${percent(low)} to ${percent(high)})`;

function report(job: Job, outcomes: readonly Outcome[]): void {
  const rows = rowsOf(job);
  const shares = rows.map((_, row) => {
    const right = new Float64Array(job.problems);
    for (const one of outcomes)
      if (one.row === row && one.right) right[one.problem] = (right[one.problem] ?? 0) + 1 / job.seeds;
    return [...right];
  });
  console.log(
    `\n${job.task}, ${job.model}: ${job.problems} problems, ${job.seeds} seeds, at most ${job.tokens} tokens a run. Percent right (95% interval).\n`,
  );
  console.log(
    "| method | knows | right | less the baseline of its kind | tokens | failed |\n|---|---|---|---|---|---|",
  );
  for (const [row, one] of rows.entries()) {
    const { label, knows } = one;
    const settings = "settings" in one ? one.settings : {};
    const own = outcomes.filter((outcome) => outcome.row === row);
    const tokens = own.reduce((sum, { tokens }) => sum + tokens, 0) / own.length;
    const base = rows.findIndex((other) => other.baseline && other.knows === knows);
    const difference =
      base >= 0 && base !== row ? (shares[row] ?? []).map((share, i) => share - (shares[base]?.[i] ?? 0)) : undefined;
    const options = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
    console.log(
      `| ${label}${options.length > 0 ? ` (${options.join(", ")})` : ""} | ${knows} | ${interval(bootstrapped(shares[row] ?? []))} | ${
        difference ? interval(bootstrapped(difference), "+") : "—"
      } | ${tokens.toFixed(0)} | ${own.filter(({ failed }) => failed).length} |`,
    );
  }
}

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      study: { type: "string", default: "methods" },
      task: { type: "string", default: "countdown" },
      problems: { type: "string", default: "300" },
      seeds: { type: "string", default: "3" },
      tokens: { type: "string", default: "600" },
      only: { type: "string", default: "" },
      model: { type: "string", default: "sapling" },
    },
  });
  const job: Job = {
    ...values,
    problems: Number(values.problems),
    seeds: Number(values.seeds),
    tokens: Number(values.tokens),
  };
  const outcomes: Outcome[] = [];
  const began = Date.now();
  let done = 0;
  const parts = Math.min(availableParallelism(), job.problems);
  await Promise.all(
    Array.from({ length: parts }, (_, part) => {
      const worker = new Worker(new URL(import.meta.url), { workerData: { job, part, parts } });
      worker.on("message", (more: Outcome[]) => {
        outcomes.push(...more);
        done++;
        if (!process.stderr.isTTY && done % Math.ceil(job.problems / 10) !== 0) return;
        const minutes = (((Date.now() - began) / done) * (job.problems - done)) / 60_000;
        process.stderr.write(
          `${process.stderr.isTTY ? "\r" : ""}${done} of ${job.problems} problems, ${minutes.toFixed(1)} minutes left ${process.stderr.isTTY ? "" : "\n"}`,
        );
      });
      return new Promise((resolve, reject) => worker.on("error", reject).on("exit", resolve));
    }),
  );
  process.stderr.write(`${job.problems} problems in ${((Date.now() - began) / 60_000).toFixed(1)} minutes    \n`);
  report(job, outcomes);
} else {
  const { job, part, parts } = workerData as { job: Job; part: number; parts: number };
  await work(job, part, parts);
}
