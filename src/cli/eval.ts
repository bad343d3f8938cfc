/** `ponderosa eval`: many methods on many problems under equal budgets; interrupted at any moment, gone on with by the same command. */
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { Failed } from "../errors.ts";
import { evaluate, gainsFromWorkers } from "../eval/evaluate.ts";
import { readEvaluation } from "../eval/evaluation.ts";
import { type Origin, optionsFrom } from "../eval/load.ts";
import { numberOf } from "../methods/typed.ts";
import { openStore } from "../runs/store/index.ts";
import { type CliContext, usesColor } from "./context.ts";
import { progressText, progressView } from "./eval-progress.ts";
import { checkReportFlags, type ReportFlags, writeReports } from "./eval-reports.ts";
import { openNamed } from "./open.ts";
import { exitCodes, UsageError } from "./report.ts";
import { checkStore, evaluationNamed, openKept, resumeCommand } from "./stores.ts";
import { commandWriter, span, writer } from "./terminal.ts";
import { flagOf } from "./words.ts";

/** Each stands for a field of the evaluation. */
interface OptionFlags {
  readonly name?: string;
  readonly task?: string;
  readonly level?: string;
  readonly file?: string;
  readonly format?: string;
  readonly shots?: string;
  readonly model?: string;
  readonly methods?: string;
  readonly budgets?: string;
  readonly problems?: string;
  readonly seeds?: string;
  readonly key?: string;
  readonly baselines?: boolean;
}

export interface EvalFlags extends OptionFlags, ReportFlags {
  readonly out?: string;
  readonly resume?: string;
  readonly retryFailed?: boolean;
  readonly workers?: string;
  readonly concurrency?: string;
  readonly quiet?: boolean;
}

export async function evaluateCommand(this: CliContext, flags: EvalFlags, file?: string): Promise<void> {
  const path = flags.resume ?? flags.out ?? "runs.db";
  checkStore(path);
  checkReportFlags(flags);
  const origin = flags.resume === undefined ? originOf(flags, file) : await resumedOrigin(flags.resume, flags, file);
  const evaluation = await usage(async () =>
    readEvaluation(await optionsFrom(origin), (field) => shownField(field, flags, file)),
  );
  const workers = countOf("workers", flags.workers) ?? (gainsFromWorkers(evaluation) ? availableParallelism() : 1);
  const concurrency = countOf("concurrency", flags.concurrency);
  const stopping = new AbortController();
  const forget = this.onInterrupt(() => stopping.abort());
  const quiet = flags.quiet ?? false;
  const view = progressView(this, quiet);
  let hasBegun = false;
  const say = writer(this.process.stderr, false);
  const sayCommand = commandWriter(this.process.stderr, usesColor(this.process.stderr, this.process.env));
  try {
    const { record, complete } = await usage(
      () =>
        evaluate(evaluation, {
          store: path,
          origin,
          openModel: (spec) => openNamed(this, spec),
          workers,
          ...(concurrency !== undefined && { concurrency }),
          retryFailed: flags.retryFailed ?? false,
          signal: stopping.signal,
          onEvent(event) {
            hasBegun = true;
            view.event(event);
          },
        }),
      () => !hasBegun,
    );
    const progress = view.end();
    if (!quiet && progress) say(span(progressText(progress)));
    if (!complete) {
      say(span("interrupted; go on with:"));
      sayCommand(resumeCommand(path, record.name));
      this.process.exitCode = exitCodes.interrupted;
      return;
    }
    if (!quiet && progress && progress.failedRuns > 0) {
      say(span("Runs with failures are run again by:"));
      sayCommand(`${resumeCommand(path, record.name)} --retry-failed`);
    }
    await using store = await openStore(path);
    await writeReports(this, store, { record, flags, quiet });
    const isLost = progress !== undefined && progress.lostRuns > 0 && progress.lostRuns === progress.total;
    this.process.exitCode = isLost ? exitCodes.unanswered : exitCodes.answered;
  } finally {
    view.end();
    forget();
  }
}

/** Lists and numbers as they are typed; what cannot be read stays text, and is refused with its field. */
function originOf(flags: EvalFlags, file: string | undefined): Origin {
  const number = (text: string | undefined) => (text !== undefined && /^\d+$/.test(text) ? numberOf(text) : text);
  const { name, task, level, file: problemFile, format, shots, model, methods, budgets, baselines } = flags;
  if (task !== undefined && problemFile !== undefined)
    throw new UsageError(`Cannot evaluate on two sets of problems: give --task ${task} or --file ${problemFile}`);
  if (level !== undefined && task === undefined)
    throw new UsageError("Cannot use --level without --task: it is for problems that a task makes");
  if (file === undefined && task === undefined && problemFile === undefined)
    throw new UsageError("Cannot evaluate without problems: give --task countdown (see ponderosa tasks) or --file");
  if (file === undefined && methods === undefined)
    throw new UsageError("Cannot evaluate without methods: give --methods, as in greedy,majority:16");
  const asked =
    problemFile === undefined
      ? task !== undefined && level !== undefined
        ? { name: task, levels: level.split(",") }
        : task
      : { file: resolve(problemFile), ...defined({ format, shots: number(shots) }) };
  const options = defined({
    name,
    task: asked,
    model,
    methods: methods?.split(","),
    budgets: budgets?.split(",").map(number),
    problems: number(flags.problems),
    seeds: number(flags.seeds),
    key: number(flags.key),
    baselines,
  });
  return { ...(file !== undefined && { file: resolve(file) }), options };
}

const defined = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** What may be given to an evaluation that is resumed. */
const changeable: ReadonlySet<string> = new Set(
  "resume name retryFailed workers concurrency quiet report markdown json svg".split(" "),
);

/** Out of the store. What was made by a program comes from its file again. */
async function resumedOrigin(path: string, flags: EvalFlags, file: string | undefined): Promise<Origin> {
  const tooMuch = Object.entries(flags).find(([name, value]) => value !== undefined && !changeable.has(name))?.[0];
  if (tooMuch !== undefined || file !== undefined)
    throw new UsageError(
      `Cannot change ${tooMuch === undefined ? "the file" : flagOf(tooMuch)} of an evaluation that is resumed: give it another name and leave out --resume`,
    );
  await using store = await openKept(path);
  const { config, name } = await evaluationNamed(store, flags.name, path);
  const { file: source, modelRevision: _, ...options } = config as Record<string, unknown>;
  if (source === undefined) return { options };
  if (source === null)
    throw new UsageError(`Cannot resume "${name}" as a program began it: go on with it by that program`);
  const { model, methods: __, ...data } = options;
  return { file: String(source), options: { ...data, ...(model !== null && { model }) } };
}

/** How a field is given: by its flag, unless a file gives it. */
function shownField(field: string, flags: EvalFlags, file: string | undefined): string {
  const [name = "", part] = field.split(/[.[]/);
  if (file !== undefined && flags[name as keyof OptionFlags] === undefined) return field;
  if (name !== "task") return flagOf(name);
  if (part === undefined || part === "name") return flags.file === undefined ? "--task" : "--file";
  return flagOf(part === "levels" ? "level" : part);
}

function countOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const count = numberOf(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1000) return count;
  throw new UsageError(`Cannot use ${JSON.stringify(text)} as --${name}: it must be a whole number in [1, 1000]`);
}

/** What keeps an evaluation from being begun is a mistake in what was typed. */
async function usage<T>(act: () => Promise<T>, isBefore: () => boolean = () => true): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const isMistake =
      error instanceof RangeError ||
      error instanceof SyntaxError ||
      (error instanceof Failed && error.code === "unsupported");
    throw isMistake && isBefore() ? new UsageError(error.message, { cause: error }) : error;
  }
}
