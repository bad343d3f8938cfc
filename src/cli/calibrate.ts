/** `ponderosa calibrate`: a method on many held-out problems of a task; how sure it was of each, and whether it was right. */
import { existsSync, writeFileSync } from "node:fs";
import { fold, key } from "../key.ts";
import { riskCoverage } from "../measure/calibration.ts";
import { planOf } from "../methods.ts";
import { promptFor } from "../methods/prompt-for.ts";
import { run } from "../run.ts";
import { type Calibration, readCalibrations, tabulated, withCalibration } from "./calibrations.ts";
import type { CliContext } from "./context.ts";
import { openNamed } from "./open.ts";
import { methodNamed, methodOptions, optionFlags, readBudget, readSeed, readSettings, taskOf } from "./options.ts";
import { confidenceOf, exitCodes, UsageError } from "./report.ts";
import { checkWritable } from "./settings.ts";
import { percent, plural } from "./words.ts";
import { madeOrUsage } from "./watch.ts";

export interface CalibrateFlags {
  readonly task?: string;
  readonly level?: string;
  readonly method?: string;
  readonly model?: string;
  readonly problems?: string;
  readonly budget?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly quiet?: boolean;
  /** The options of the method, as typed. */
  readonly [option: string]: string | boolean | undefined;
}

/** Problems in flight: enough to fill the batches of an engine. */
const together = 8;

export async function calibrate(this: CliContext, flags: CalibrateFlags): Promise<void> {
  const { out, level = "base", model: spec = "sapling" } = flags;
  if (out === undefined)
    throw new UsageError("Cannot calibrate without a file to keep it in: give --out calibration.json");
  const task = taskOf(flags.task ?? "countdown");
  if (!Object.hasOwn(task.levels, level))
    throw new UsageError(
      `Cannot make problems of level ${JSON.stringify(level)}: ${task.name} has ${Object.keys(task.levels).join(", ")}`,
    );
  const method = methodNamed(flags.method ?? "majority");
  const given = readSettings(method, optionFlags(flags, methodOptions));
  const budget = flags.budget === undefined ? {} : readBudget(flags.budget);
  const seed = readSeed(flags.seed ?? "0");
  const problems = Number(flags.problems ?? "500");
  if (!(Number.isInteger(problems) && problems >= 1 && problems <= 100_000))
    throw new UsageError(
      `Cannot use ${JSON.stringify(flags.problems)} as --problems: it must be a whole number in [1, 100000]`,
    );
  checkWritable(out);
  const others = existsSync(out) ? readCalibrations(out) : [];

  const model = await openNamed(this, spec, budget);
  const stopping = new AbortController();
  const forget = this.onInterrupt(() => stopping.abort());
  const { stderr } = this.process;
  try {
    let settings = given;
    const graded = async (i: number): Promise<readonly [confidence: number | undefined, correct: boolean]> => {
      const place = fold(fold(key(seed), "calibration"), i);
      const problem = promptFor({ problem: task.make(place, { level }), task }, model);
      const plan = madeOrUsage(() => planOf(method, given, { model, problem, task }));
      settings = plan.settings;
      const { search, policy, scorer } = plan;
      const result = await run(search, problem, { policy, scorer, seed: i, budget, signal: stopping.signal });
      if (result.stopped.why === "all-failed")
        throw new Error(`Cannot calibrate as no sample succeeded: ${result.stopped.failures[0]?.message}`);
      const { text } = result;
      return [confidenceOf(result), text !== undefined && task.check(problem, text).correct];
    };
    const confidences: number[] = [];
    const correct: (0 | 1)[] = [];
    for (let from = 0; from < problems; from += together) {
      const batch = Array.from({ length: Math.min(together, problems - from) }, (_, i) => graded(from + i));
      const results = await Promise.all(batch);
      if (stopping.signal.aborted) {
        stderr.write(`Stopped: nothing is kept in ${out}\n`);
        this.process.exitCode = exitCodes.interrupted;
        return;
      }
      if (results.every(([confidence]) => confidence === undefined) && confidences.length === 0)
        throw new UsageError(
          `Cannot calibrate ${method.name} as it gave no confidence in ${plural(results.length, "answer")}: use majority, or best-of-n with --scorer value-token`,
        );
      for (const [confidence, isRight] of results) {
        confidences.push(tabulated(confidence ?? 0));
        correct.push(confidence !== undefined && isRight ? 1 : 0);
      }
      if (!flags.quiet) stderr.write(`${confidences.length} of ${problems}${stderr.isTTY ? "\r" : "\n"}`);
    }
    const made: Calibration = {
      version: 1,
      model: spec,
      task: task.name,
      level,
      method: method.name,
      settings,
      budget,
      seed,
      confidences,
      correct,
    };
    writeFileSync(out, withCalibration(others, made));
    if (!flags.quiet) stderr.write(`${summary(made)}\nkept in ${out}\n`);
  } finally {
    forget();
    await model[Symbol.asyncDispose]?.();
  }
}

/** What answering everything, and the surest half, would come to. */
function summary({ confidences, correct }: Calibration): string {
  const right = correct.map((one) => one === 1);
  const half = riskCoverage(confidences, right).find(({ coverage }) => coverage >= 0.5);
  const shares = `${percent(right.filter(Boolean).length / right.length)} of ${plural(right.length, "answer")} right`;
  return half && half.coverage < 1
    ? `${shares}; of the surest ${percent(half.coverage)}, ${percent(1 - half.risk)}`
    : shares;
}
