/**
 * Questions with lettered options, as MMLU: Hendrycks et al. 2020, arXiv:2009.03300. Its CSV files have no header: question,
 * options, letter. JSON has `question`, `choices`, and `answer` as a letter or an index from 0; `subject` is the level.
 */
import { faultAt, fieldsOf, type FileProblem, fileProblem, type Format, hasFields } from "./format.ts";
import type { FileRecord } from "./records.ts";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const name = "multiple-choice";

export const multipleChoice: Format = {
  name,
  title: "questions with lettered options, as MMLU; CSV or JSON",
  example: '{"question": "Two and two?", "choices": ["3", "4"], "answer": 1, "subject": "arithmetic"}',
  source: "hendrycks/test (MMLU), MIT",
  fits: (value) =>
    hasFields(value, "question", "choices", "answer") ||
    (Array.isArray(value) && value.length >= 4 && isLetter(value.at(-1), value.length - 2)),
  read: (record) => [Array.isArray(record.value) ? ofRow(record.value, record) : ofObject(record)],
};

const lettersOf = (choices: number): string => alphabet.slice(0, choices);
const isLetter = (value: unknown, choices: number): value is string =>
  typeof value === "string" && value.length === 1 && lettersOf(choices).includes(value);

function ofRow(row: readonly string[], record: FileRecord): FileProblem {
  const [question = "", choices, letter = ""] = [row[0], row.slice(1, -1), row.at(-1)];
  const fault = (field: string, expected: string, value: unknown) =>
    faultAt(record.place, name, { field, expected, value });
  if (choices.length < 2 || choices.length > alphabet.length)
    throw fault("row", "question, two to 26 options, letter", row);
  if (question.trim() === "") throw fault("question", "text", question);
  if (!isLetter(letter, choices.length)) throw fault("answer", `a letter of ${lettersOf(choices.length)}`, letter);
  return made(record, { question, choices, letter, subject: null });
}

function ofObject(record: FileRecord): FileProblem {
  const { text, texts, label, value, fault } = fieldsOf(record, name);
  const [question, choices, answer] = [text("question"), texts("choices"), value("answer")];
  if (choices.length < 2 || choices.length > alphabet.length) throw fault("choices", "a list of 2 to 26 texts");
  const letter = typeof answer === "number" ? alphabet[answer] : answer;
  if (!isLetter(letter, choices.length))
    throw fault("answer", `a letter of ${lettersOf(choices.length)}, or an index from 0 to ${choices.length - 1}`);
  return made(record, { question, choices, letter, subject: label("subject") ?? null });
}

function made(
  { number, file }: FileRecord,
  of: { question: string; choices: readonly string[]; letter: string; subject: string | null },
): FileProblem {
  const options = of.choices.map((choice, i) => `${alphabet[i]}. ${choice.trim()}`);
  return fileProblem({
    id: `${file}/${number}`,
    prompt: [of.question.trim(), ...options].join("\n"),
    check: { kind: "choice", letters: lettersOf(of.choices.length) },
    reference: of.letter,
    level: of.subject,
    worked: `Answer: ${of.letter}`,
  });
}
