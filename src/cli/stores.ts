/** Stores as they are named on the command line: a file, or the URL of a database, whose password is never shown. */
import { existsSync } from "node:fs";
import type { EvaluationRecord } from "../record.ts";
import { openStore, type SqlStore, type Store } from "../runs/store/index.ts";
import { readText } from "./question.ts";
import { UsageError } from "./report.ts";
import { checkWritable } from "./settings.ts";
import { shellQuoted } from "./words.ts";

const isUrl = (where: string): boolean => /^postgres(ql)?:\/\//.test(where);

/** What a message may say of it. */
export const shownStore = (where: string): string =>
  isUrl(where) ? where.replace(/(\/\/[^:@/]*:).*@/, "$1***@").replaceAll(/([?&]password=)[^&]*/g, "$1***") : where;

/** @throws UsageError where a file cannot be written */
export function checkStore(where: string): void {
  if (!isUrl(where)) checkWritable(where);
}

/** A store that is there. @throws UsageError */
export async function openKept(where: string): Promise<SqlStore> {
  if (!isUrl(where) && !existsSync(where)) readText(where); // says what is wrong
  return openStore(where);
}

/** The evaluation of this name, or the newest. @throws UsageError */
export async function evaluationNamed(
  store: Store,
  name: string | undefined,
  where: string,
): Promise<EvaluationRecord> {
  const all = await store.evaluations();
  const found = name === undefined ? all[0] : all.find((one) => one.name === name);
  if (found) return found;
  const shown = shownStore(where);
  if (all.length === 0) throw new UsageError(`Cannot find an evaluation in ${shown} as it has none`);
  const names = all.map((one) => JSON.stringify(one.name)).join(", ");
  throw new UsageError(`Cannot find an evaluation named ${JSON.stringify(name)} in ${shown}: there are ${names}`);
}

/** The command that goes on with it. */
export const resumeCommand = (where: string, name: string): string =>
  `ponderosa eval --resume ${shellQuoted(shownStore(where))} --name ${shellQuoted(name)}`;
