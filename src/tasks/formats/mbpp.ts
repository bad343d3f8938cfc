/**
 * MBPP: a Python function in a sentence, and asserts. Austin et al. 2021, arXiv:2108.07732. Both public files: `mbpp.jsonl`
 * (`text`, `test_setup_code`), and the array `sanitized-mbpp.json` (`prompt`, `test_imports`). The asserts are part of the
 * question, as in the paper: they name the function. `challenge_test_list` is not used.
 */
import { type Fields, fieldsOf, fileProblem, type Format, hasFields } from "./format.ts";

export const mbpp: Format = {
  name: "mbpp",
  title: "Python functions in a sentence, with asserts",
  example:
    '{"task_id": 1, "text": "Write a function to add two numbers.", "code": "def add(a, b):\\n    return a + b", "test_list": ["assert add(1, 2) == 3"], "test_setup_code": ""}',
  source: "google-research/google-research (mbpp), CC BY 4.0",
  fits: (value) => hasFields(value, "task_id", "code", "test_list"),
  read(record) {
    const fields = fieldsOf(record, "mbpp");
    const { text, label, texts, has, fault } = fields;
    const asked = has("text") ? text("text") : text("prompt");
    const [code, tests] = [text("code").replaceAll("\r\n", "\n"), texts("test_list")];
    const id = label("task_id");
    if (id === undefined) throw fault("task_id", "text or a number");
    const setup = [...(has("test_imports") ? texts("test_imports") : []), label("test_setup_code") ?? ""];
    return [
      fileProblem({
        id: `mbpp/${id}`,
        prompt: `${asked.trim()} Your code should pass these tests:\n\n${tests.join("\n")}`,
        check: {
          kind: "program",
          function: testedFunction(code, tests, fields),
          tests: tests.join("\n"),
          setup: setup.join("\n").replaceAll("\r\n", "\n"),
        },
        worked: `\`\`\`python\n${code.trim()}\n\`\`\``,
      }),
    ];
  },
  beginning: (question) => `You are an expert Python programmer, and here is your task: ${question}\n[BEGIN]\n`,
};

/** The one function of the reference that the tests call. */
function testedFunction(code: string, tests: readonly string[], { fault }: Fields): string {
  const defined = Array.from(code.matchAll(/^def\s+([A-Za-z_]\w*)/gm), ([, name]) => name as string);
  const called = defined.filter((name) => tests.some((test) => new RegExp(`\\b${name}\\s*\\(`).test(test)));
  const [name] = called.slice(-1);
  if (name === undefined) throw fault("test_list", "asserts that call a function of 'code'");
  return name;
}
