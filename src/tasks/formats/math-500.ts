/**
 * MATH-500, a part of MATH: competition problems with answers in LaTeX, in a field of their own.
 * Hendrycks et al. 2021, arXiv:2103.03874; the part: Lightman et al. 2023, arXiv:2305.20050. Reported by level, 1 to 5; the
 * subject stands in the public file's ids. Subjects are no clusters: two problems of algebra do not stand or fall together.
 */
import { fieldsOf, fileProblem, type Format, hasFields } from "./format.ts";

export const math500: Format = {
  name: "math-500",
  title: "competition problems with answers in LaTeX, by level",
  example:
    '{"problem": "What is $1/2+1/3$?", "answer": "\\\\frac{5}{6}", "subject": "Algebra", "level": 1, "unique_id": "a/1"}',
  source: "openai/prm800k (math_splits) out of hendrycks/math, MIT",
  fits: (value) => hasFields(value, "problem", "answer", "subject", "level"),
  read(record) {
    const { text, label, has } = fieldsOf(record, "math-500");
    const [problem, answer] = [text("problem"), text("answer")];
    const worked = has("solution") ? text("solution") : `\\boxed{${answer}}`;
    return [
      fileProblem({
        id: label("unique_id") ?? `math-500/${record.number}`,
        prompt: problem,
        check: { kind: "math" },
        reference: answer,
        level: label("level")?.replace(/^level\s*/i, "") ?? null,
        worked: worked.trim(),
      }),
    ];
  },
};
