/** Problems of one's own: an object a line, with the question, and what is known of the answer. */
import type { Check } from "../../check.ts";
import type { Message } from "../../problem.ts";
import { type Fields, fieldsOf, fileProblem, type Format, hasFields } from "./format.ts";

const checkers = ["exact", "number", "math", "choice", "regex", "contains"] as const;
const known = ["prompt", "messages", "id", "reference", "checker", "level", "cluster", "worked"];

export const jsonl: Format = {
  name: "jsonl",
  title: "problems of your own",
  example: '{"prompt": "Two and two?", "reference": "4", "checker": "number", "level": "easy"}',
  fits: (value) =>
    hasFields(value) &&
    ("prompt" in value || "messages" in value) &&
    Object.keys(value).every((name) => known.includes(name)),
  read(record) {
    const fields = fieldsOf(record, "jsonl");
    const { text, label, has, names, fault } = fields;
    for (const name of names())
      if (!known.includes(name)) throw fault(name, `left out, as the fields are ${known.join(", ")}`);
    if (has("prompt") === has("messages")) throw fault("prompt", "there, or 'messages' in its place, and not both");
    const reference = label("reference");
    const check = checkOf(fields, reference);
    return [
      fileProblem({
        id: label("id") ?? `${record.file}/${record.number}`,
        prompt: has("prompt") ? text("prompt") : messagesOf(fields),
        check,
        // A pattern says which answers are right; it is none itself.
        reference: check?.kind === "regex" ? undefined : reference,
        level: label("level") ?? null,
        cluster: label("cluster") ?? null,
        worked: has("worked") ? text("worked") : undefined,
      }),
    ];
  },
};

/** Undefined where no right answer is known. */
function checkOf({ value, has, fault }: Fields, reference: string | undefined): Check | undefined {
  const kind = checkers.find((one) => one === (value("checker") ?? "exact"));
  if (kind === undefined) throw fault("checker", `one of ${checkers.join(", ")}`);
  if (reference === undefined) {
    if (has("checker")) throw fault("reference", `there, as the checker is '${kind}'`);
    return undefined;
  }
  if (reference.trim() === "") throw fault("reference", "text or a number");
  if (kind === "regex") {
    try {
      RegExp(reference, "mu");
    } catch (error) {
      throw fault("reference", `a regular expression (${(error as Error).message})`);
    }
    return { kind, pattern: reference };
  }
  // Against anything else every answer would be wrong, and nobody would know why.
  if (kind === "number" && !/\p{N}/u.test(reference)) throw fault("reference", "a number, as the checker is 'number'");
  if (kind !== "choice") return { kind };
  if (!/^[A-Z]$/.test(reference)) throw fault("reference", "a letter from A to Z, as the checker is 'choice'");
  return { kind, letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" };
}

function messagesOf({ value, fault }: Fields): Message[] {
  const messages = value("messages");
  const isMessage = (one: unknown) =>
    hasFields(one, "role", "content") &&
    ["system", "user", "assistant"].includes(one.role as string) &&
    typeof one.content === "string";
  if (!Array.isArray(messages) || messages.length === 0 || !messages.every(isMessage))
    throw fault("messages", "a list of { role: system | user | assistant, content: text }");
  return messages.map(({ role, content }: Message) => ({ role, content }));
}
