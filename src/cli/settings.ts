/** What a run of `ponderosa solve` is made of: out of flags and arguments, or out of the journal that it goes on with. */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Budget } from "../budget.ts";
import type { Journal, RunStart } from "../event.ts";
import type { MethodSettings } from "../methods.ts";
import { shippedModels } from "../open-model.ts";
import type { Json, Problem } from "../problem.ts";
import { jsonlJournal } from "../runs/jsonl.ts";
import type { Task } from "../task.ts";
import { tasks } from "../tasks/index.ts";
import { type AbstainRule, readAbstainRule } from "./abstain.ts";
import type { CliContext } from "./context.ts";
import { methodNamed, methodOptions, optionFlags, readBudget, readSeed, readSettings, taskOf } from "./options.ts";
import { madeQuestion, type Question, readText, statedQuestion } from "./question.ts";
import { UsageError } from "./report.ts";

/** Flags of every command that runs a search. */
export interface RunFlags {
  readonly method?: string;
  readonly budget?: string;
  readonly seed?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly journal?: string;
  readonly resume?: string;
  readonly svg?: string;
  /** The options of the method, as typed. */
  readonly [option: string]: string | boolean | undefined;
}

export interface SolveFlags extends RunFlags {
  readonly task?: string;
  readonly level?: string;
  readonly file?: string;
  readonly model?: string;
  readonly abstain?: string;
  readonly calibration?: string;
}

/** What a run is made of; kept in its journal, so that `--resume` needs the file alone. */
export interface Settings {
  readonly model: string;
  readonly method: string;
  readonly given: MethodSettings;
  readonly seed: number;
  readonly budget: Budget;
  readonly task: Task | undefined;
  /** Of the problem that the task made; "base" where it was stated. */
  readonly level: string;
  /** When to hold an answer back. */
  readonly abstain?: AbstainRule;
  /** As the user stated it. */
  readonly question: string;
  /** Of a fresh run as the task or the user states it, of a resumed one as it began: in the form of its model. */
  readonly problem: Problem;
  /** The first event of the run that is gone on with. */
  readonly resumed?: RunStart;
  readonly journal?: JournalFile;
  readonly notes: readonly string[];
}

export async function settingsOf(context: CliContext, flags: SolveFlags, words: string[]): Promise<Settings> {
  return flags.resume === undefined
    ? freshSettings(context, flags, words)
    : resumedSettings(flags.resume, flags, words);
}

async function freshSettings(context: CliContext, flags: SolveFlags, words: string[]): Promise<Settings> {
  const task = flags.task === undefined ? undefined : taskOf(flags.task);
  const seed = readSeed(flags.seed ?? "0");
  const budget = flags.budget === undefined ? {} : readBudget(flags.budget);
  const model = flags.model ?? "sapling";
  // All that can be wrong with the flags is said before standard input is waited for.
  const chosen = flags.method === undefined ? undefined : methodNamed(flags.method);
  if (chosen) readSettings(chosen, optionFlags(flags, methodOptions));
  const abstain = abstainOf(flags);
  const journal = flags.journal === undefined ? undefined : freshJournal(flags.journal);
  const question = await questionOf(context, flags, words, {
    task,
    seed,
    knowsTasks: shippedModels.some(({ name }) => name === model),
  });
  const method = chosen ?? methodNamed(question.task ? "best-of-n" : "greedy");
  const given = readSettings(method, optionFlags(flags, methodOptions));
  const notes = [
    ...(question.note === undefined ? [] : [question.note]),
    ...(flags.method === undefined && !question.task
      ? ["Free text has no checker: this is the model's greedy answer. See ponderosa methods for others."]
      : []),
  ];
  return {
    model,
    method: method.name,
    given,
    seed,
    budget,
    task: question.task,
    level: flags.level ?? "base",
    ...(abstain && { abstain }),
    question: question.text,
    problem: question.problem,
    ...(journal && { journal }),
    notes,
  };
}

/** @throws UsageError where a calibration is given that nothing asks for */
function abstainOf({ abstain, calibration }: SolveFlags): AbstainRule | undefined {
  if (abstain !== undefined) return readAbstainRule(abstain);
  if (calibration === undefined) return undefined;
  throw new UsageError("Cannot use --calibration without --abstain: give a rule as well, as in --abstain risk=0.05");
}

async function questionOf(
  context: CliContext,
  { file, level }: SolveFlags,
  words: string[],
  { task, seed, knowsTasks }: { task: Task | undefined; seed: number; knowsTasks: boolean },
): Promise<Question> {
  if (file !== undefined && words.length > 0)
    throw new UsageError(`Cannot solve two problems: give --file ${file} or a problem as argument`);
  const stated = (text: string, source: string) => {
    if (level !== undefined)
      throw new UsageError("Cannot use --level with a problem that is given: it is for problems that the task makes");
    return statedQuestion(text, { task, source, knowsTasks });
  };
  if (file !== undefined) return stated(readText(file), file);
  if (words.length > 0 && words.join() !== "-") return stated(words.join(" "), "the argument");
  const piped = await context.readStdin();
  if (piped !== undefined) return stated(piped, "standard input");
  if (words.length > 0) throw new UsageError("Cannot read the problem from standard input as nothing is piped in");
  const chosen = task ?? (knowsTasks ? tasks[0] : undefined);
  if (!chosen)
    throw new UsageError(
      'Cannot solve nothing: give a problem, as in ponderosa solve --model … "Why is the sky blue?", or a task by --task',
    );
  if (level !== undefined && !Object.hasOwn(chosen.levels, level))
    throw new UsageError(
      `Cannot make a problem of level ${JSON.stringify(level)}: ${chosen.name} has ${Object.keys(chosen.levels).join(", ")}`,
    );
  return madeQuestion(chosen, level, seed);
}

/** Where a run is kept, opened once nothing can be wrong any more. */
export interface JournalFile {
  readonly path: string;
  readonly open: () => Journal;
}

export function freshJournal(path: string): JournalFile {
  if (existsSync(path))
    throw new UsageError(
      `Cannot start journal ${path} as the file exists: go on with it by --resume ${path}, or choose another name`,
    );
  checkWritable(path);
  return { path, open: () => jsonlJournal(path, { mode: "create" }) };
}

/** What may be given to a run that is resumed. */
const changeable: ReadonlySet<string> = new Set(["abstain", "budget", "calibration", "json", "quiet", "resume", "svg"]);

/** A run that is gone on with, as its journal says. */
export interface Resumed<M> {
  readonly start: RunStart;
  readonly meta: M;
  readonly budget: Budget;
  readonly journal: JournalFile;
}

/**
 * From the first event of the journal. Only the budget may change: anything else would be another run.
 * @throws UsageError where more is to change, or another command began it
 */
export function resumedRun<M extends { readonly by: string }>(
  path: string,
  flags: Readonly<Record<string, string | boolean | undefined>>,
  by: M["by"],
): Resumed<M> {
  const tooMuch = Object.keys(flags).find((name) => flags[name] !== undefined && !changeable.has(name));
  if (tooMuch !== undefined)
    throw new UsageError(`Cannot change ${tooMuch} of a run that is resumed: only --budget may be given anew`);
  const journal = openJournal(path);
  try {
    const [start] = journal.read();
    const meta = start?.type === "run-start" ? (start.meta as Partial<M> | null | undefined) : undefined;
    if (start?.type !== "run-start" || meta?.by !== by)
      throw new UsageError(
        `Cannot resume ${path} as it was not begun by ${by}: resume it with the program that began it`,
      );
    return {
      start,
      meta: meta as M,
      budget: flags.budget === undefined ? lastBudget(start, journal) : readBudget(String(flags.budget)),
      journal: { path, open: () => openJournal(path) },
    };
  } finally {
    journal.close?.();
  }
}

function resumedSettings(path: string, flags: SolveFlags, words: string[]): Settings {
  if (words.length > 0)
    throw new UsageError("Cannot change the problem of a run that is resumed: only --budget may be given anew");
  const { start, meta, budget, journal } = resumedRun<Meta>(path, flags, "ponderosa solve");
  const { model, method, given, seed, task, level = "base", question } = meta;
  const abstain = abstainOf(flags);
  return {
    model,
    method,
    given,
    seed,
    budget,
    task: task === null ? undefined : taskOf(task),
    level,
    ...(abstain && { abstain }),
    question,
    problem: start.problem,
    resumed: start,
    journal,
    notes: [`Going on with ${path}.`],
  };
}

function openJournal(path: string): Journal {
  if (!existsSync(path)) readText(path); // says what is wrong
  try {
    return jsonlJournal(path, { mode: "resume" });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function lastBudget(start: RunStart, journal: Journal): Budget {
  let { budget } = start;
  for (const event of journal.read()) if (event.type === "run-resume") budget = event.budget;
  return budget;
}

interface Meta {
  readonly by: "ponderosa solve";
  readonly model: string;
  readonly method: string;
  readonly given: MethodSettings;
  readonly seed: number;
  readonly task: string | null;
  /** Absent in journals of earlier versions. */
  readonly level?: string;
  readonly question: string;
}

export const metaOf = ({ model, method, given, seed, task, level, question }: Settings): Json =>
  ({ by: "ponderosa solve", model, method, given, seed, task: task?.name ?? null, level, question }) satisfies Meta;

export function checkWritable(path: string, kind: "file" | "folder" = "file"): void {
  const folder = dirname(resolve(path));
  if (kind === "file" && statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`Cannot write ${path} as it is a folder`);
  try {
    accessSync(folder, constants.W_OK);
  } catch {
    throw new UsageError(
      `Cannot write ${path} as ${folder} ${existsSync(folder) ? "cannot be written to" : "is no folder"}`,
    );
  }
}
