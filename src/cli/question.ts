/** What is asked: out of arguments, a file or standard input, or made by a task. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { fold, key } from "../key.ts";
import { nearest } from "../nearest.ts";
import type { Problem } from "../problem.ts";
import type { Task } from "../task.ts";
import { tasks } from "../tasks/index.ts";
import { UsageError } from "./report.ts";
import { oneLine } from "./safe-text.ts";

export interface Question {
  readonly problem: Problem;
  readonly task: Task | undefined;
  /** As it was asked, for views. */
  readonly text: string;
  /** What was decided for the user, to be said. */
  readonly note?: string;
}

/** What a file says. @throws UsageError where it cannot be read, with the nearest name there is */
export function readText(path: string): string {
  const folder = dirname(resolve(path));
  if (!existsSync(path)) {
    const near = existsSync(folder) ? nearest(basename(path), readdirSync(folder)) : undefined;
    throw new UsageError(
      `Cannot read ${path} as there is no such file${near === undefined ? "" : `: did you mean ${join(dirname(path), near)}?`}`,
    );
  }
  if (!statSync(path).isFile()) throw new UsageError(`Cannot read ${path} as it is no file`);
  return readFileSync(path, "utf8");
}

/** A problem that the task makes. */
export function madeQuestion(task: Task, level: string | undefined, seed: number): Question {
  try {
    const problem = task.make(fold(key(seed), "problem"), level === undefined ? {} : { level });
    return {
      problem,
      task,
      text: String(problem.prompt).trim(),
      note: `No problem given: one of ${task.name} is made from seed ${seed}.`,
    };
  } catch (error) {
    throw usage(error);
  }
}

/**
 * The problem that a text states. Without a task, a text that only one task understands is taken as a problem of it where
 * the model knows the tasks; for other models it is free text.
 */
export function statedQuestion(
  text: string,
  { task, source, knowsTasks }: { task: Task | undefined; source: string; knowsTasks: boolean },
): Question {
  const stated = text.trim();
  if (stated === "")
    throw new UsageError(
      `Cannot solve an empty problem: ${source} ${source === "the argument" ? "is empty" : "has no text"}`,
    );
  if (task) return { problem: parsed(task, stated), task, text: stated };
  if (!knowsTasks) {
    const id = `text ${oneLine(stated.length > 60 ? `${stated.slice(0, 59)}…` : stated)}`;
    return { problem: { id, prompt: stated }, task: undefined, text: stated };
  }
  const readings = tasks.flatMap((one) => {
    try {
      return [{ task: one, problem: one.parse(stated) }];
    } catch {
      return [];
    }
  });
  const [reading] = readings;
  if (!reading)
    throw new UsageError(
      `Cannot read ${JSON.stringify(stated.slice(0, 60))} as a problem of ${tasks.map(({ name }) => name).join(", ")}, and the shipped models answer no others: see ponderosa tasks, or give a model for free text as in --model http://host:port/v1#name`,
    );
  return { ...reading, text: stated, note: `Read as a problem of ${reading.task.name}.` };
}

function parsed(task: Task, text: string): Problem {
  try {
    return task.parse(text);
  } catch (error) {
    throw usage(error);
  }
}

const usage = (error: unknown): unknown =>
  error instanceof SyntaxError || error instanceof RangeError ? new UsageError(error.message, { cause: error }) : error;
