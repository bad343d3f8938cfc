/** `ponderosa solve`: one problem, one method, one model, one budget; shown while it goes on, reported at its end. */
import { writeFileSync } from "node:fs";
import { type Plan, planOf } from "../methods.ts";
import { decide } from "./abstain.ts";
import { type Calibration, calibrationFor } from "./calibrations.ts";
import type { CliContext } from "./context.ts";
import { openNamed } from "./open.ts";
import { methodNamed } from "./options.ts";
import { promptFor } from "../methods/prompt-for.ts";
import { confidenceOf, decided, exitCodeOf, isAnswered, reportOf, UsageError } from "./report.ts";
import { safeLines } from "./safe-text.ts";
import { checkWritable, metaOf, type Settings, type SolveFlags, settingsOf } from "./settings.ts";
import { picture, summarize, titleOf } from "./summary.ts";
import { checkSameRun, madeOrUsage, watch } from "./watch.ts";

export async function solve(this: CliContext, flags: SolveFlags, ...words: string[]): Promise<void> {
  const { stdout } = this.process;
  if (flags.svg !== undefined) checkWritable(flags.svg);
  const settings = await settingsOf(this, flags, words);
  const { task, seed, budget, resumed, question, journal, notes } = settings;
  const model = await openNamed(this, settings.model, budget);
  try {
    const problem = resumed ? settings.problem : promptFor(settings, model);
    const plan = madeOrUsage(() => planOf(methodNamed(settings.method), settings.given, { model, problem, task }));
    if (resumed) checkSameRun(resumed, plan, flags.resume);
    const { search, policy, scorer, whole } = plan;
    const calibration = calibrationOf(settings, plan, flags.calibration);
    const title = [titleOf(plan), model.id, ...(task ? [task.name] : []), `seed ${seed}`].join(" · ");
    const quiet = flags.quiet ?? false;
    const meta = metaOf(settings);
    const shown = { title, question, whole, notes, quiet };
    const result = await watch(this, { search, problem, policy, scorer, seed, budget, meta, journal, ...shown });
    const found = reportOf(result, { settings, plan, problem, model: model.id });
    const isHeld = settings.abstain !== undefined && isAnswered(found);
    const confidence = result.stopped.why === "aborted" ? undefined : confidenceOf(result); // of no whole search
    const report = isHeld ? decided(found, confidence, decide(settings.abstain, confidence, calibration)) : found;
    if (flags.svg !== undefined) writeFileSync(flags.svg, picture(result, plan, report, title));
    if (flags.json) stdout.write(`${JSON.stringify(report)}\n`);
    else if (report.answer !== null && isAnswered(report)) {
      const text = report.answer.endsWith("\n") ? report.answer : `${report.answer}\n`;
      stdout.write(stdout.isTTY ? safeLines(text) : text);
    }
    if (!quiet) summarize(report, title, this.process);
    this.process.exitCode = exitCodeOf(report.stopped, isAnswered(report), report.abstained);
  } finally {
    await model[Symbol.asyncDispose]?.();
  }
}

/** The table that the rule needs, before anything is spent. @throws UsageError where there is none */
function calibrationOf(
  { abstain, model, task, level, budget }: Settings,
  plan: Plan,
  path: string | undefined,
): Calibration | undefined {
  if (!abstain || (abstain.by === "confidence" && path === undefined)) return undefined;
  if (!task)
    throw new UsageError(
      `Cannot abstain by ${abstain.by} on free text, which nobody can grade: give --task, or --abstain confidence=0.8`,
    );
  if (plan.scorer?.kind === "verdict" && path === undefined)
    throw new UsageError(
      `Cannot abstain by ${abstain.by} with ${titleOf(plan)}, which knows what is right and gives no confidence: use --method majority, or --scorer value-token`,
    );
  const { method, settings } = plan;
  return calibrationFor({ model, task: task.name, level, method, settings, budget }, path);
}
