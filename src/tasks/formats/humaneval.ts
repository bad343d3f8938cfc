/** HumanEval: the beginning of a Python function, and tests of it. Chen et al. 2021, arXiv:2107.03374. */
import { fieldsOf, fileProblem, type Format, hasFields } from "./format.ts";

export const humaneval: Format = {
  name: "humaneval",
  title: "beginnings of Python functions, with tests",
  example:
    '{"task_id": "add/0", "prompt": "def add(a, b):\\n    \\"\\"\\"The sum.\\"\\"\\"\\n", "entry_point": "add", "test": "def check(candidate):\\n    assert candidate(1, 2) == 3\\n", "canonical_solution": "    return a + b\\n"}',
  source: "openai/human-eval, MIT",
  fits: (value) => hasFields(value, "task_id", "prompt", "entry_point", "test"),
  read(record) {
    const { text, has, fault } = fieldsOf(record, "humaneval");
    const [begin, name] = [text("prompt"), text("entry_point")];
    if (!/^[A-Za-z_]\w*$/.test(name)) throw fault("entry_point", "the name of a function");
    return [
      fileProblem({
        id: text("task_id"),
        prompt: begin,
        check: { kind: "program", function: name, tests: text("test"), setup: helpersOf(begin, name), begin },
        worked: has("canonical_solution")
          ? `\`\`\`python\n${begin}${text("canonical_solution").trimEnd()}\n\`\`\``
          : undefined,
      }),
    ];
  },
  beginning: (question) => question,
};

/** What stands before the function: tests use it, too. */
function helpersOf(begin: string, name: string): string {
  const at = begin.search(new RegExp(`^(?:async\\s+)?def\\s+${name}\\b`, "m"));
  return at < 0 ? begin : begin.slice(0, at);
}
