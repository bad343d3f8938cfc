/** `ponderosa solve`: one problem, one method, one model, one budget; shown while it goes on, reported at its end. */
import { writeFileSync } from "node:fs";
import { Failed } from "../errors.ts";
import type { RunStart } from "../event.ts";
import { type Plan, planOf } from "../methods.ts";
import { run } from "../run.ts";
import { type CliContext, usesColor } from "./context.ts";
import { liveView, plainView, type View } from "./live.ts";
import { openNamed } from "./open.ts";
import { methodNamed } from "./options.ts";
import { promptFor } from "./question.ts";
import { exitCodeOf, isAnswered, reportOf, UsageError } from "./report.ts";
import { safeLines } from "./safe-text.ts";
import { checkWritable, metaOf, type SolveFlags, settingsOf } from "./settings.ts";
import { picture, summarize, titleOf } from "./summary.ts";
import { span, writer } from "./terminal.ts";

export async function solve(this: CliContext, flags: SolveFlags, ...words: string[]): Promise<void> {
  const { stdout, stderr, env } = this.process;
  const color = usesColor(stderr, env);
  const say = writer(stderr, color);
  if (flags.svg !== undefined) checkWritable(flags.svg);
  const settings = await settingsOf(this, flags, words);
  const { task, seed, budget, resumed } = settings;
  const model = await openNamed(this, settings.model);
  try {
    const problem = resumed ? settings.problem : promptFor(settings, model);
    const plan = planOrUsage(() => planOf(methodNamed(settings.method), settings.given, { model, problem, task }));
    if (resumed) checkSameRun(resumed, plan, flags.resume);
    const title = [titleOf(plan), model.id, ...(task ? [task.name] : []), `seed ${seed}`].join(" · ");
    const journal = settings.journal?.open();
    const stopping = new AbortController();
    const forget = this.onInterrupt(() => stopping.abort());
    try {
      if (!flags.quiet) for (const note of settings.notes) say(span(note));
      const { policy, scorer } = plan;
      const running = run(plan.search, problem, {
        policy,
        scorer,
        seed,
        budget,
        signal: stopping.signal,
        meta: metaOf(settings),
        ...(journal && { journal }),
      });
      const options = {
        output: stderr,
        color,
        run: running,
        policy,
        title,
        question: settings.question,
        budget,
        whole: plan.whole,
      };
      const view: View | undefined = flags.quiet
        ? undefined
        : stderr.isTTY && env.TERM !== "dumb"
          ? liveView(options)
          : plainView(options);
      try {
        for await (const event of running) view?.event(event);
      } finally {
        view?.end();
      }
      const result = await running;
      const report = reportOf(result, { settings, plan, problem, model: model.id });
      if (flags.svg !== undefined) writeFileSync(flags.svg, picture(result, plan, report, title));
      if (flags.json) stdout.write(`${JSON.stringify(report)}\n`);
      else if (report.answer !== null && isAnswered(report)) {
        const text = report.answer.endsWith("\n") ? report.answer : `${report.answer}\n`;
        stdout.write(stdout.isTTY ? safeLines(text) : text);
      }
      if (!flags.quiet) summarize(report, title, this.process);
      this.process.exitCode = exitCodeOf(report);
    } finally {
      forget();
      journal?.close?.();
    }
  } finally {
    await model[Symbol.asyncDispose]?.();
  }
}

/** @throws UsageError where this program would ask other questions than those that the journal answers */
function checkSameRun(start: RunStart, { search, policy, scorer }: Plan, path: string | undefined): void {
  const now = {
    search: { name: search.name, options: search.options },
    policy: policy.name,
    scorer: scorer?.name ?? null,
  };
  for (const what of ["search", "policy", "scorer"] as const)
    if (JSON.stringify(start[what]) !== JSON.stringify(now[what]))
      throw new UsageError(
        `Cannot resume ${path} as it is of another run: its ${what} is ${JSON.stringify(start[what])}, not ${JSON.stringify(now[what])}`,
      );
}

function planOrUsage(plan: () => Plan): Plan {
  try {
    return plan();
  } catch (error) {
    const isMistake = error instanceof RangeError || (error instanceof Failed && error.code === "unsupported");
    throw isMistake ? new UsageError(error.message, { cause: error }) : error;
  }
}
