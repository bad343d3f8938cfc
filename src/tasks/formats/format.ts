/** What a format of problem files is, and how the fields of its records are read. One format is one file beside this. */
import type { Check } from "../../check.ts";
import type { Json, Message } from "../../problem.ts";
import type { AskedProblem } from "../../record.ts";
import type { FileRecord } from "./records.ts";

/** A problem as its file states it. */
export interface FileProblem extends AskedProblem {
  /** A right answer in the form that is asked for; an example for prompts. */
  readonly worked?: string | undefined;
}

export interface Format {
  readonly name: string;
  /** What is in such files, in one line. */
  readonly title: string;
  /** A record of it, on one line. */
  readonly example: string;
  /** Where the public files of this format come from, their licence with it; absent for formats of one's own. */
  readonly source?: string;
  /** Whether a record with these names of fields (of CSV: these fields) can hardly be of another format. */
  fits(value: unknown): boolean;
  /** The problems that a record states; none for a header. @throws SyntaxError with the place and the field */
  read(record: FileRecord): readonly FileProblem[];
  /** The beginning that a model which only continues text goes on from. @default `Question: …` and `Answer:` */
  beginning?(question: string): string;
}

/** A problem out of what every format knows. */
export function fileProblem(of: {
  readonly id: string;
  readonly prompt: string | readonly Message[];
  readonly check: Check | undefined;
  readonly reference?: string | undefined;
  readonly level?: string | null;
  readonly cluster?: string | null;
  readonly worked?: string | undefined;
}): FileProblem {
  const { id, prompt, check, reference, level = null, cluster = null, worked } = of;
  return {
    problem: {
      id,
      prompt,
      ...(reference !== undefined && { reference }),
      ...(check && { data: check as Json }),
    },
    level,
    cluster,
    ...(worked !== undefined && { worked }),
  };
}

/** Whether a value is an object that has all these fields. */
export const hasFields = (value: unknown, ...names: readonly string[]): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  names.every((name) => Object.hasOwn(value, name));

/** The fields of a record by name, each checked as it is asked for. */
export interface Fields {
  has(name: string): boolean;
  names(): readonly string[];
  /** Text that is not empty. */
  text(name: string): string;
  /** Text or a number, as text; undefined where the field is absent or null. */
  label(name: string): string | undefined;
  /** A list of texts. */
  texts(name: string): readonly string[];
  value(name: string): unknown;
  /** The error for a field that is not what it must be. */
  fault(name: string, expected: string): SyntaxError;
}

export function fieldsOf({ place, value }: FileRecord, format: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new SyntaxError(
      `Cannot read ${place} as ${format}: expected an object with fields: current value is ${shown(value)}`,
    );
  const fields = value as Readonly<Record<string, unknown>>;
  const fault = (name: string, expected: string) =>
    faultAt(place, format, { field: name, expected, value: fields[name] });
  return {
    fault,
    has: (name) => fields[name] !== undefined && fields[name] !== null,
    names: () => Object.keys(fields),
    value: (name) => fields[name],
    text(name) {
      const text = fields[name];
      if (typeof text !== "string" || text.trim() === "") throw fault(name, "text");
      return text;
    },
    label(name) {
      const label = fields[name];
      if (label === undefined || label === null) return undefined;
      if (typeof label !== "string" && typeof label !== "number") throw fault(name, "text or a number");
      return String(label);
    },
    texts(name) {
      const list = fields[name];
      if (!Array.isArray(list) || !list.every((one) => typeof one === "string")) throw fault(name, "a list of texts");
      return list;
    },
  };
}

/** Names the place, the field, what was expected there, and what is there. */
export const faultAt = (
  place: string,
  format: string,
  { field, expected, value }: { readonly field: string; readonly expected: string; readonly value: unknown },
): SyntaxError =>
  new SyntaxError(
    `Cannot read ${place} as ${format}: field '${field}' must be ${expected}: current value is ${shown(value)}`,
  );

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? "missing";
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Stands before the question and after it, for models that only continue text. */
export const questionAndAnswer = (question: string): string => `Question: ${question.trim()}\nAnswer:`;
