/** Reads what was typed: options of methods by their table, budgets, seeds. @throws UsageError, one clear line each */
import type { Budget } from "../budget.ts";
import {
  commonOptions,
  type Method,
  type MethodOption,
  type MethodSettings,
  methods,
  optionsOf,
  samplingOptions,
} from "../methods.ts";
import { type GameMethod, gameMethods } from "../methods/games.ts";
import { budgetText, numberOf, readBudget as readTypedBudget, readOption as readTyped } from "../methods/typed.ts";
import { listed, suggestion } from "../nearest.ts";
import type { Task } from "../task.ts";
import { tasks } from "../tasks/index.ts";
import { readText } from "./question.ts";
import { UsageError } from "./report.ts";
import { flagOf } from "./words.ts";

export { budgetText };

/** Options by name, and who has them. */
export type OptionUses = ReadonlyMap<string, readonly OptionUse[]>;

interface OptionUse {
  readonly option: MethodOption;
  readonly method: { readonly name: string };
}

const usesOf = (uses: readonly OptionUse[]): OptionUses => Map.groupBy(uses, ({ option }) => option.name);

/** Every option of every method, once. */
export const methodOptions: OptionUses = usesOf(
  methods.flatMap((method) => optionsOf(method).map((option) => ({ option, method }))),
);

/** Every option of the methods for games. */
export const gameOptions: OptionUses = usesOf(
  gameMethods.flatMap((method) => method.options.map((option) => ({ option, method }))),
);

/** Of all flags, those that are options of a method. */
export const optionFlags = (
  flags: Readonly<Record<string, string | boolean | undefined>>,
  options: OptionUses,
): Record<string, string> =>
  Object.fromEntries(
    Object.entries(flags).filter(
      (entry): entry is [string, string] => options.has(entry[0]) && typeof entry[1] === "string",
    ),
  );

export const methodNamed = (name: string): Method => named("method", name, methods);
export const gameMethodNamed = (name: string): GameMethod => named("method", name, gameMethods);
export const taskOf = (name: string): Task => named("task", name, tasks);

function named<T extends { readonly name: string }>(what: string, name: string, all: readonly T[]): T {
  const found = all.find((one) => one.name === name);
  if (found) return found;
  throw new UsageError(
    `Cannot find a ${what} named ${JSON.stringify(name)}: ${suggestion(
      name,
      all.map((one) => one.name),
    )}`,
  );
}

/** The options given, as values; that each belongs to the method is checked, and its range. */
export const readSettings = (method: Method, given: Readonly<Record<string, string>>): MethodSettings =>
  readOptions(method.name, optionsOf(method), given, methodOptions);

/** `uses`: whose option each is, for those that are of others. */
export function readOptions(
  owner: string,
  known: readonly MethodOption[],
  given: Readonly<Record<string, string>>,
  uses: OptionUses,
): MethodSettings {
  return Object.fromEntries(
    Object.entries(given).map(([name, text]) => {
      const option = known.find((one) => one.name === name);
      if (!option) {
        const owners = uses.get(name)?.map(({ method }) => method.name) ?? [];
        throw new UsageError(
          `Cannot use ${flagOf(name)} with ${owner}: ${owner} takes ${listed(known.map((one) => flagOf(one.name)))}${owners.length > 0 ? `; ${flagOf(name)} is an option of ${listed(owners)}` : ""}`,
        );
      }
      return [name, readOption(option, text)];
    }),
  );
}

const readOption = (option: MethodOption, text: string): number | string =>
  option.type === "text"
    ? readTextOption(option.name, text)
    : typed(() => readTyped(option, text, flagOf(option.name)));

function typed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof RangeError ? new UsageError(error.message, { cause: error }) : error;
  }
}

/** As typed, or after an @ what the file says, without the line break at its end. */
function readTextOption(name: string, text: string): string {
  const [, path] = /^@(.+)$/s.exec(text) ?? [];
  const value = path === undefined ? text : readText(path).replace(/\r?\n$/, "");
  if (value.trim() !== "") return value;
  throw new UsageError(
    `Cannot use ${JSON.stringify(text)} as ${flagOf(name)}: ${path === undefined ? "it is empty" : "the file has no text"}`,
  );
}

/** `tokens=20000,seconds=30` */
export const readBudget = (text: string): Budget => typed(() => readTypedBudget(text, "--budget"));

export function readSeed(text: string): number {
  const seed = numberOf(text);
  if (Number.isSafeInteger(seed) && seed >= 0) return seed;
  throw new UsageError(`Cannot use ${JSON.stringify(text)} as --seed: it must be a whole number >= 0`);
}

/** For help texts: who has the option and what it does, where it does several things each of them. */
export function optionBrief(name: string, options: OptionUses = methodOptions): string {
  const meanings = Map.groupBy(options.get(name) ?? [], ({ option }) => option.doc);
  const briefs = Array.from(meanings, ([doc, uses]) => {
    const choices = new Set(uses.flatMap(({ option }) => Object.keys(option.choices ?? {})));
    const values = choices.size > 0 ? ` (${[...choices].join(" | ")})` : "";
    const [preset, ...others] = new Set(uses.map(({ option }) => option.default));
    return `${ownersOf(uses)}${doc}${values}${preset !== undefined && others.length === 0 ? ` [${preset}]` : ""}`;
  });
  return briefs.join(" · ");
}

/** Whose option it is, as the beginning of its brief; empty where it is everyone's. */
function ownersOf(uses: readonly OptionUse[]): string {
  const isOneOf = (options: readonly MethodOption[]) => uses.every(({ option }) => options.includes(option));
  if (isOneOf(commonOptions)) return "";
  if (isOneOf(samplingOptions)) return "sampling: ";
  return `${uses.map(({ method }) => method.name).join(", ")}: `;
}
