/** `ponderosa solve`: one problem, one method, one model, one budget; shown while it goes on, reported at its end. */
import { writeFileSync } from "node:fs";
import { planOf } from "../methods.ts";
import type { CliContext } from "./context.ts";
import { openNamed } from "./open.ts";
import { methodNamed } from "./options.ts";
import { promptFor } from "./question.ts";
import { exitCodeOf, isAnswered, reportOf } from "./report.ts";
import { safeLines } from "./safe-text.ts";
import { checkWritable, metaOf, type SolveFlags, settingsOf } from "./settings.ts";
import { picture, summarize, titleOf } from "./summary.ts";
import { checkSameRun, madeOrUsage, watch } from "./watch.ts";

export async function solve(this: CliContext, flags: SolveFlags, ...words: string[]): Promise<void> {
  const { stdout } = this.process;
  if (flags.svg !== undefined) checkWritable(flags.svg);
  const settings = await settingsOf(this, flags, words);
  const { task, seed, budget, resumed, question, journal, notes } = settings;
  const model = await openNamed(this, settings.model);
  try {
    const problem = resumed ? settings.problem : promptFor(settings, model);
    const plan = madeOrUsage(() => planOf(methodNamed(settings.method), settings.given, { model, problem, task }));
    if (resumed) checkSameRun(resumed, plan, flags.resume);
    const { search, policy, scorer, whole } = plan;
    const title = [titleOf(plan), model.id, ...(task ? [task.name] : []), `seed ${seed}`].join(" · ");
    const quiet = flags.quiet ?? false;
    const meta = metaOf(settings);
    const shown = { title, question, whole, notes, quiet };
    const result = await watch(this, { search, problem, policy, scorer, seed, budget, meta, journal, ...shown });
    const report = reportOf(result, { settings, plan, problem, model: model.id });
    if (flags.svg !== undefined) writeFileSync(flags.svg, picture(result, plan, report, title));
    if (flags.json) stdout.write(`${JSON.stringify(report)}\n`);
    else if (report.answer !== null && isAnswered(report)) {
      const text = report.answer.endsWith("\n") ? report.answer : `${report.answer}\n`;
      stdout.write(stdout.isTTY ? safeLines(text) : text);
    }
    if (!quiet) summarize(report, title, this.process);
    this.process.exitCode = exitCodeOf(report.stopped, isAnswered(report));
  } finally {
    await model[Symbol.asyncDispose]?.();
  }
}
