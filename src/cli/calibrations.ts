/**
 * Tables of graded answers: how sure a method was of each, and whether it was right. `ponderosa calibrate` makes them, `--abstain` uses
 * them. A table speaks for one model, task, level, method, settings and budget, and for no other.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Budget } from "../budget.ts";
import type { MethodSettings } from "../methods.ts";
import { listed } from "../nearest.ts";
import type { Json } from "../problem.ts";
import { budgetText } from "./options.ts";
import { readText } from "./question.ts";
import { UsageError } from "./report.ts";
import { flagOf } from "./words.ts";

/** What a table speaks for. */
export interface Calibrated {
  /** As it was given: `sapling`, a path, a URL. */
  readonly model: string;
  readonly task: string;
  readonly level: string;
  readonly method: string;
  /** Defaults filled in. */
  readonly settings: MethodSettings;
  readonly budget: Budget;
}

export interface Calibration extends Calibrated {
  readonly version: 1;
  /** Of the problems and the runs. */
  readonly seed: number;
  /** [problems] in [0, 1], rounded by `tabulated`; 0 where none was given. */
  readonly confidences: readonly number[];
  /** [problems] 1 for right, 0 for wrong. Answers without a confidence are always held back, and count as wrong: no risk is lower by them. */
  readonly correct: readonly (0 | 1)[];
}

/** A confidence as a table keeps it: what a table decides about must be rounded in the same way. */
export const tabulated = (confidence: number): number => Number(confidence.toPrecision(6));

/** Of the models that are shipped. */
export const shippedCalibrations: string = fileURLToPath(new URL("../../sapling/calibrations.json", import.meta.url));

/** Tables of a file: one, or a list. @throws UsageError where it holds something else */
export function readCalibrations(path: string): Calibration[] {
  const text = readText(path);
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot read ${path} as a calibration: it is no JSON`, { cause: error });
  }
  const tables = Array.isArray(found) ? found : [found];
  if (!tables.every(isCalibration))
    throw new UsageError(
      `Cannot use ${path} as a calibration as it holds something else: ponderosa calibrate --out makes one in a new file`,
    );
  return tables;
}

function isCalibration(value: unknown): value is Calibration {
  const { version, model, task, level, method, settings, confidences, correct } = (value ?? {}) as Record<
    string,
    unknown
  >;
  return (
    version === 1 &&
    [model, task, level, method].every((one) => typeof one === "string") &&
    typeof settings === "object" &&
    Array.isArray(confidences) &&
    Array.isArray(correct) &&
    confidences.length > 0 &&
    confidences.length === correct.length &&
    confidences.every((one) => typeof one === "number" && one >= 0 && one <= 1) &&
    correct.every((one) => one === 0 || one === 1)
  );
}

/**
 * The table that speaks for this run: of the file, or without one of those that are shipped.
 * @throws UsageError where there is none, with what differs and the command that makes one
 */
export function calibrationFor(asked: Calibrated, path: string | undefined): Calibration {
  const file = path ?? shippedCalibrations;
  const tables = path !== undefined || existsSync(file) ? readCalibrations(file) : [];
  const found = tables.find((table) => differences(table, asked).length === 0);
  if (found) return found;
  const [nearest] = tables.map((table) => differences(table, asked)).sort((a, b) => a.length - b.length);
  const differs = nearest ? `differs in ${listed(nearest)}` : "holds none";
  throw new UsageError(
    `Cannot abstain without a calibration: ${path ?? "the nearest that is shipped"} ${differs}. Make one, and name it by --calibration:\n  ${makingOf(asked)}`,
  );
}

/** What of a table is not as asked. */
function differences(table: Calibrated, asked: Calibrated): string[] {
  return (["model", "task", "level", "method", "settings", "budget"] as const).filter(
    (name) => sorted(table[name] ?? {}) !== sorted(asked[name]),
  );
}

/** Equal data, equal text, whatever the order of its fields. */
const sorted = (value: unknown): string =>
  typeof value === "object" && value !== null
    ? JSON.stringify(Object.entries(value as Readonly<Record<string, Json>>).sort(([a], [b]) => (a < b ? -1 : 1)))
    : JSON.stringify(value);

function makingOf({ model, task, level, method, settings, budget }: Calibrated): string {
  const options = Object.entries(settings).map(([name, value]) => `${flagOf(name)} ${value}`);
  const limits = budgetText(budget);
  const parts = [
    `ponderosa calibrate --model ${model} --task ${task}`,
    ...(level === "base" ? [] : [`--level ${level}`]),
    `--method ${method}`,
    ...options,
    ...(limits === "" ? [] : [`--budget ${limits}`]),
    "--out calibration.json",
  ];
  return parts.join(" ");
}

/** The tables of a file and one more, in place of one that speaks for the same. One line each. */
export function withCalibration(tables: readonly Calibration[], table: Calibration): string {
  const kept = tables.filter((one) => differences(one, table).length > 0);
  return `[\n${[...kept, table].map((one) => JSON.stringify(one)).join(",\n")}\n]\n`;
}
