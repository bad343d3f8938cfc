/**
 * What an evaluation compares, as its author writes it, and as it is run.
 *
 * ```ts
 * export default defineEvaluation({
 *   task: "countdown",
 *   methods: ["greedy", "majority:16", "best-of-n:16", "particle-filter:16"],
 *   budgets: [256, 1024, 4096],
 *   problems: 500,
 *   seeds: 3,
 * });
 * ```
 */
import { z } from "zod";
import { checkBudget } from "../account.ts";
import type { Budget } from "../budget.ts";
import type { MethodContext, MethodSettings } from "../methods.ts";
import { methodOf, parseMethod } from "../methods/compact.ts";
import { budgetText, readBudget } from "../methods/typed.ts";
import type { Model } from "../model.ts";
import { listed, suggestion } from "../nearest.ts";
import type { Json } from "../problem.ts";
import { taskNamed, tasks } from "../tasks/index.ts";
import type { Contender, MadeContender } from "./contenders.ts";

/** A task of the package, with its levels of difficulty taken in turn; always the split that no shipped model was trained on. */
export interface MadeProblems {
  readonly name: string;
  /** @default ["base"] */
  readonly levels?: readonly string[];
}

/** Problems of a file; `format` as in `ponderosa/tasks/formats`, by default what the first record looks like. */
export interface ProblemFile {
  readonly file: string;
  readonly format?: string;
  /** Worked examples before each question. @default 0 */
  readonly shots?: number;
}

export interface MethodEntry {
  readonly method: string;
  readonly settings?: MethodSettings;
  readonly label?: string;
}

/** A method that is no entry of the table; in a TypeScript file only. */
export interface MadeEntry {
  readonly label: string;
  /** A new search, policy and scorer for each run. The model is to be taken from the context: it is the one whose calls are counted. */
  readonly make: (context: MethodContext) => MadeContender;
}

export interface EvaluationOptions {
  /** Names it in its store. @default the task and the model */
  readonly name?: string;
  readonly task: string | MadeProblems | ProblemFile;
  /** As on the command line; in a TypeScript file also what opens one. @default "sapling" */
  readonly model?: string | (() => Model | Promise<Model>);
  readonly methods: readonly (string | MethodEntry | MadeEntry)[];
  /** Numbers are tokens; texts as in `calls=8` or `tokens=256+calls=8`; `{}` has no limits. @default [{}] */
  readonly budgets?: readonly (number | string | Budget)[];
  /** @default 100, or all of a file */
  readonly problems?: number;
  /** Runs of each method on each problem under each budget. @default 1 */
  readonly seeds?: number;
  /** Another key, other problems and other draws: an integer in [0, 2^53). @default 0 */
  readonly key?: number;
  /** Whether one sample, majority and best-of-n are compared with. @default true */
  readonly baselines?: boolean;
}

/** Gives back what it is given: for the types of an editor. */
export const defineEvaluation = (options: EvaluationOptions): EvaluationOptions => options;

/** An evaluation with all that follows by default, checked. */
export interface Evaluation {
  readonly name: string;
  readonly task: Required<MadeProblems> | ProblemFile;
  readonly model: string | (() => Model | Promise<Model>);
  /** Without the baselines that are added. */
  readonly contenders: readonly Contender[];
  readonly budgets: readonly Budget[];
  /** Null: all of the file. */
  readonly problems: number | null;
  readonly seeds: number;
  readonly key: number;
  readonly baselines: boolean;
}

/** Each schema says what it wishes for, as the end of "it must be …". */
const whole = (least: number, error = `a whole number >= ${least}`) => {
  const wish = { error };
  return z.int(wish).min(least, wish);
};
const text = z.string({ error: "a text" }).min(1, { error: "a text that is not empty" });
/** A part of ids and a cell of tables. */
const label = z.string().regex(/^[^\p{Cc}]{1,200}$/u, { error: "a text of one line, of at most 200 characters" });
const someLevels = { error: "a list of at least one level" };
const levels = z.array(text, someLevels).min(1, someLevels);
const settings = z.record(z.string(), z.union([z.number(), z.string()], { error: "a number or a text" }), {
  error: "an object of options",
});
const aFunction = <T>(wish: string) => z.custom<T>((value) => typeof value === "function", { error: wish });
const aBudget = "tokens as a number, a text as in calls=8, or an object of limits";

const schema = z.strictObject(
  {
    name: text.exactOptional(),
    task: z.union(
      [
        text,
        z.strictObject({ name: text, levels: levels.exactOptional() }),
        z.strictObject({ file: text, format: text.exactOptional(), shots: whole(0).exactOptional() }),
      ],
      { error: "the name of a task, { name, levels } or { file, format, shots }" },
    ),
    model: z
      .union([text, aFunction<() => Model | Promise<Model>>("a function")], {
        error: "a model's name or a function that opens one",
      })
      .default("sapling"),
    methods: z
      .array(
        z.union(
          [
            text,
            z.strictObject({ method: text, settings: settings.exactOptional(), label: label.exactOptional() }),
            z.strictObject({ label, make: aFunction<MadeEntry["make"]>("a function") }),
          ],
          { error: 'a text as in "best-of-n:16", { method, settings, label } or { label, make }' },
        ),
        { error: "a list of methods" },
      )
      .min(1, { error: "a list of at least one method" }),
    budgets: z
      .array(z.union([whole(0), text, z.record(z.string(), z.unknown())], { error: aBudget }), {
        error: "a list of budgets",
      })
      .min(1, { error: "a list of at least one budget" })
      .default([{}]),
    problems: whole(1).nullish(),
    seeds: whole(1).default(1),
    key: whole(0, "a whole number in [0, 2^53)").default(0),
    baselines: z.boolean({ error: "true or false" }).default(true),
  },
  { error: "an object as defineEvaluation takes it" },
);

/** The names that an evaluation may have: they are parts of the ids of its runs. */
const names = /^[\w.,:@+ -]{1,100}$/;

/**
 * Checks what was written, and fills in what follows by default.
 * @param source how the fields were written: `methods[2]` in a file, `--methods` on the command line
 * @throws RangeError that names the field, what it must be, and what it is
 */
export function readEvaluation(options: unknown, source: (field: string) => string = (field) => field): Evaluation {
  const parsed = schema.safeParse(options);
  if (!parsed.success) throw new RangeError(issueText(parsed.error.issues[0] as z.core.$ZodIssue, options, source));
  const { methods, budgets, problems, ...given } = parsed.data;
  const at = <T>(field: string, read: () => T): T => {
    try {
      return read();
    } catch (error) {
      throw error instanceof RangeError
        ? new RangeError(`${source(field)}: ${error.message}`, { cause: error })
        : error;
    }
  };
  const task = at("task", () => taskOf(given.task));
  if ("levels" in task) at("task.levels", () => checkLevels(task));
  const contenders = methods.map((entry, i) =>
    at(`methods[${i}]`, () =>
      typeof entry === "string"
        ? parseMethod(entry)
        : "make" in entry
          ? entry
          : methodOf(entry.method, entry.settings ?? {}, entry.label),
    ),
  );
  checkDistinct(
    "methods",
    contenders.map(({ label }) => label),
    source,
  );
  const limited = budgets.map((one, i) => at(`budgets[${i}]`, () => budgetOf(one)));
  checkDistinct("budgets", limited.map(budgetLabel), source);
  const about = "file" in task ? (task.file.split(/[\\/]/).at(-1) ?? "file") : task.name;
  const modelName = typeof given.model === "string" ? (given.model.split(/[\\/#]/).at(-1) ?? "model") : "model";
  const name = given.name ?? `${about} on ${modelName}`.replaceAll(/[^\w.,:@+ -]/g, "-").slice(0, 100);
  if (!names.test(name))
    throw new RangeError(
      `Cannot use ${JSON.stringify(name)} as ${source("name")}: it must be at most 100 letters, digits, spaces and . , : @ + - _`,
    );
  return {
    ...given,
    name,
    task,
    contenders,
    budgets: limited,
    problems: problems ?? ("file" in task ? null : 100),
  };
}

function taskOf(given: string | MadeProblems | ProblemFile): Evaluation["task"] {
  if (typeof given === "object" && "file" in given) return given;
  const { name, levels = ["base"] } = typeof given === "string" ? { name: given } : given;
  if (!tasks.some((one) => one.name === name))
    throw new RangeError(
      `Cannot find a task named ${JSON.stringify(name)}: ${suggestion(
        name,
        tasks.map((one) => one.name),
      )}`,
    );
  return { name, levels };
}

function checkLevels({ name, levels }: MadeProblems): void {
  const known = Object.keys(taskNamed(name).levels);
  const unknown = levels?.find((level) => !known.includes(level));
  if (unknown !== undefined)
    throw new RangeError(`Cannot make problems of level ${JSON.stringify(unknown)}: ${name} has ${listed(known)}`);
}

/** In a text `+` joins limits as a comma does: on the command line commas separate budgets. */
function budgetOf(given: number | string | Readonly<Record<string, unknown>>): Budget {
  if (typeof given === "number") return { tokens: given };
  if (typeof given === "string")
    return readBudget(/^\d+$/.test(given) ? `tokens=${given}` : given.replaceAll(/\+(?=[a-z])/g, ","), "a budget");
  const budget = given as Budget;
  checkBudget(budget);
  return budget;
}

/** As in `tokens=256`; `no limit` where there is none. */
export const budgetLabel = (budget: Budget): string => budgetText(budget) || "no limit";

function checkDistinct(field: string, labels: readonly string[], source: (field: string) => string): void {
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined)
    throw new RangeError(
      `Cannot use ${source(field)} as ${JSON.stringify(twice)} is there twice: give the other a label, or leave it out`,
    );
}

/** Where one of several forms was all but met, what is wrong with that one. */
function nearestIssue(issue: z.core.$ZodIssue): z.core.$ZodIssue {
  if (issue.code !== "invalid_union") return issue;
  const [best, next] = [...issue.errors]
    .sort((a, b) => a.length - b.length)
    .filter(([one]) => one && one.path.length > 0);
  if (!best || best.length > 1 || best.length === next?.length) return issue;
  const [inner] = best as [z.core.$ZodIssue];
  return { ...inner, path: [...issue.path, ...inner.path] };
}

function issueText(found: z.core.$ZodIssue, options: unknown, source: (field: string) => string): string {
  const issue = nearestIssue(found);
  const path = issue.path
    .map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`))
    .join("");
  if (issue.code === "unrecognized_keys") {
    const [unknown = ""] = issue.keys;
    return `Cannot use ${JSON.stringify(unknown)} as a field of ${path === "" ? `the evaluation: ${suggestion(unknown, Object.keys(schema.shape))}` : `${source(path)}: there is none of this name`}`;
  }
  let value = options;
  for (const part of issue.path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  const shown = value === undefined ? "nothing" : (JSON.stringify(value) ?? `a ${typeof value}`);
  return `Cannot use ${shown} as ${path === "" ? "an evaluation" : source(path)}: it must be ${issue.message}`;
}

/** What a store keeps of it: all that is data. What a program made is known by its label alone. */
export const configOf = (evaluation: Evaluation): { readonly [field: string]: Json } => ({
  name: evaluation.name,
  task: evaluation.task as unknown as Json,
  model: typeof evaluation.model === "string" ? evaluation.model : null,
  methods: evaluation.contenders.map((one) =>
    "method" in one ? { method: one.method.name, settings: one.settings, label: one.label } : { label: one.label },
  ),
  budgets: evaluation.budgets as unknown as Json,
  problems: evaluation.problems,
  seeds: evaluation.seeds,
  key: evaluation.key,
  baselines: evaluation.baselines,
});
