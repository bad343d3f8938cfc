/** What the server says of itself: one line of JSON an event, without prompts, answers or keys unless the operator asks. */
import type { Json } from "../problem.ts";

export type Log = (event: string, fields: Readonly<Record<string, Json | undefined>>) => void;

export const jsonLog =
  (write: (line: string) => void): Log =>
  (event, fields) =>
    write(`${JSON.stringify({ time: new Date().toISOString(), event, ...fields })}\n`);

/** A defect as it may be told: its message could quote what was asked, so only its kind and its place. */
export function placeOf(error: unknown, withMessage: boolean): Json {
  if (!(error instanceof Error)) return withMessage ? String(error) : typeof error;
  const { stack = "", message } = error;
  const frames = stack.includes(message) ? stack.slice(stack.indexOf(message) + message.length) : "";
  return { name: error.name, ...(withMessage && { message: error.message }), stack: linesOf(frames) };
}

const linesOf = (text: string): string[] =>
  text.split("\n").flatMap((line) => (/^\s+at /.test(line) ? [line.trim()] : []));
