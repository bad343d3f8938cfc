import { describe, expect, test } from "vitest";
import type { Check } from "../../check.ts";
import type { Json, Problem } from "../../problem.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { checkerOf } from "./checker-of.ts";
import { programIn } from "./program.ts";

const checker = checkerOf({ format: "made" });
const problemOf = (check: Check, reference?: string): Problem => ({
  id: "p",
  prompt: "?",
  data: check as Json,
  ...(reference !== undefined && { reference }),
});

interface Case {
  readonly check: Check;
  readonly reference?: string;
  /** Answers, and what votes are counted for; of right ones, then of wrong ones. */
  readonly right: readonly (readonly [answer: string, canonical: string])[];
  readonly wrong: readonly (readonly [answer: string, canonical: string | undefined])[];
}

const letters = "ABCD";
const cases: readonly Case[] = [
  {
    check: { kind: "exact" },
    reference: "St. Louis",
    right: [
      ["St. Louis", "St. Louis"],
      ["I think of rivers.\n\nAnswer:  **St.  Louis**.", "St. Louis"],
      ["The answer is St. Louis.\nQuestion: And then?\nAnswer: Paris", "St. Louis"],
      ["Answer:\nSt. Louis", "St. Louis"],
    ],
    wrong: [
      ["st. louis", "st. louis"],
      ["St. Louis it is not", "St. Louis it is not"],
      ["", undefined],
    ],
  },
  { check: { kind: "exact" }, reference: "one\ntwo", right: [["one\r\ntwo\n", "two"]], wrong: [["two", "two"]] },
  {
    check: { kind: "number" },
    reference: "1200",
    right: [
      ["so\n#### 1,200", "1200"],
      ["The answer is $1200.00 because 3 times 400 is it", "1200"],
      ["It makes 1200 eggs", "1200"],
      ["\\boxed{1{,}200\\text{ eggs}}", "1200"],
      ["#### 1200\n\nQuestion: What is 7?\nAnswer: 7\n#### 7", "1200"],
      ["#### 2400/2", "1200"],
      ["#### 1200%", "1200"],
      ["#### 3 * 400 = 1200", "1200"],
      ["The answer is 3 bags × 400 = 1200 eggs", "1200"],
    ],
    wrong: [
      ["#### 1201", "1201"],
      ["#### -1200", "-1200"],
      ["1200 or else 1300", "1300"],
      ["#### 1200 or 1300", undefined],
      ["#### 1200/0", undefined],
      ["#### 1200^9^9^9", undefined],
      ["#### 1 200 0", "1"],
      ["many", undefined],
    ],
  },
  {
    check: { kind: "math" },
    reference: "\\frac{1}{2}",
    right: [
      ["\\boxed{0.5}", "1/2"],
      ["Answer: 2/4", "1/2"],
      ["½", "1/2"],
    ],
    wrong: [
      ["\\boxed{\\frac{1}{3}}", "1/3"],
      ["\n", undefined],
    ],
  },
  {
    check: { kind: "choice", letters },
    reference: "B",
    right: [
      ["B", "B"],
      ["(b)", "B"],
      ["B. because A is not", "B"],
      ["Answer: B", "B"],
      ["The answer is **(B)** I think", "B"],
      ["The correct answer is option B.", "B"],
      ["First A seems right. The answer is A. No: the answer is B, as D is not.", "B"],
      ["So \\boxed{\\text{B}}", "B"],
      ["A is not.\n**Answer**: B, the second", "B"],
      ["It follows that\n\n**B**", "B"],
      ["**B.** the second", "B"],
      ["B\nas the others are not", "B"],
      ["Answer: B\n\nQuestion: Which?\nAnswer: C", "B"],
      ["A man walks in. The answer is B", "B"],
      ["The final answer is $B$. I hope it is correct.", "B"],
      ["The answer is \\(\\text{B}\\)", "B"],
      ['Answer: "B"', "B"],
      ["Answer：b", "B"],
      ["The correct option is B.", "B"],
      ["So \\boxed{\\mathrm{(B)}}", "B"],
      ["<answer>B</answer>", "B"],
      ["b)", "B"],
      ["B - the second", "B"],
      ["The answer is B, not A", "B"],
    ],
    wrong: [
      ["C", "C"],
      ["A dog", undefined],
      ["The answer is a dog", undefined],
      ["Answer: E", undefined],
      ["Before all", undefined],
      ["I'd say B or C is right", undefined],
      ["The answer is A man", undefined],
      ["The answer is B or C", undefined],
      ["Answer: B, C", undefined],
      ["The answer is B. No: the answer is A/B", undefined],
      ["\\boxed{B, C}", undefined],
      ["The answer isn't B", undefined],
      ["A. first\nB. second", undefined],
    ],
  },
  {
    check: { kind: "contains" },
    reference: "12",
    right: [["They are 12, I think", "They are 12, I think"]],
    wrong: [
      ["They are 112", "They are 112"],
      ["It is 12.5", "It is 12.5"],
      ["It is 3.12", "It is 3.12"],
      ["It is -12", "It is -12"],
      ["They are 12th", "They are 12th"],
    ],
  },
  { check: { kind: "contains" }, reference: "日本", right: [["私は日本に", "私は日本に"]], wrong: [] },
  { check: { kind: "exact" }, reference: "*", right: [["*", "*"]], wrong: [["+", "+"]] },
  {
    check: { kind: "regex", pattern: "^(red|blue)$" },
    right: [["It is\nred", "red"]],
    wrong: [["redder", "redder"]],
  },
  {
    check: { kind: "grid" },
    reference: "1 0\n0 1",
    right: [
      ["Turn it.\n\n1 0\n0 1", "1 0\n0 1"],
      ["```\n10\n01\n```", "1 0\n0 1"],
      ["[[1, 0],\n [0, 1]]", "1 0\n0 1"],
      ["1 1\n1 1\n\nno:\n1,0\n0,1\nThat is it.", "1 0\n0 1"],
      ["[[2]] or rather [[1,0],[0,1]].", "1 0\n0 1"],
      ["[1, 0]\n[0, 1]", "1 0\n0 1"],
      ["[\n  [1, 0],\n  [0, 1]\n]\nby rule 4", "1 0\n0 1"],
      ["[\n [\n  1,\n  0\n ],\n [\n  0,\n  1\n ]\n]", "1 0\n0 1"],
      ["| 1 | 0 |\n| 0 | 1 |", "1 0\n0 1"],
      ["1\t0\n0\t1", "1 0\n0 1"],
      ["1 0\n0 1\n\nQuestion: Example 1\nInput:\n2 2", "1 0\n0 1"],
    ],
    wrong: [
      ["1 0\n0 2", "1 0\n0 2"],
      ["1 0", "1 0"],
      ["1 0\n0", undefined],
      ["[[1, 0], [0, 12]]", undefined],
      ["none", undefined],
    ],
  },
  {
    check: { kind: "expression", numbers: [3, 3, 8, 8], value: 24 },
    right: [
      ["Answer: 8 / (3 - 8 / 3) = 24", "8/(3-8/3)"],
      ["\\boxed{8 \\div (3 - 8 \\div 3)}", "8/(3-8/3)"],
      ["8 ÷ (3 − 8 ÷ 3)", "8/(3-8/3)"],
      ["24 = 8 / (3 - 8 / 3)", "8/(3-8/3)"],
      ["8 / (3 - 8 / 3)\n\nQuestion: Use 1, 1, 4, 6\nAnswer: 1 * 1 * 4 * 6", "8/(3-8/3)"],
      ["\\[ 8 / (3 - 8 / 3) = 24 \\]", "8/(3-8/3)"],
    ],
    wrong: [
      ["3 * 8", "3*8"],
      ["8 * 3 + 8 - 8", "8*3+8-8"],
      ["8 + 8 + 3 + 3", "8+8+3+3"],
      ["(8 + 8 + 3 * 3", "(8+8+3*3"],
      ["3 3 8 8", "3388"],
      ["24", "24"],
      ["no", undefined],
    ],
  },
];

describe.each(cases)("$check.kind against '$reference'", ({ check, reference, right, wrong }) => {
  const problem = problemOf(check, reference);
  test.each(right)("%j is right", (answer, canonical) => {
    expect(checker.check(problem, answer)).toMatchObject({ correct: true, steps: [] });
    expect(checker.canonical(problem, answer)).toBe(canonical);
  });

  test.each(wrong)("%j is wrong, and why does not tell the reference", (answer, canonical) => {
    const verdict = checker.check(problem, answer);
    expect(verdict).toMatchObject({ correct: false, steps: [] });
    if (reference !== undefined && !answer.includes(reference))
      expect((verdict as { evidence: string }).evidence).not.toContain(reference);
    expect(checker.canonical(problem, answer)).toBe(canonical);
  });
});

describe("programs", () => {
  const begin = "import math\ndef f(x):\n    '''One more.'''\n";
  const of = { function: "f", begin };

  test.each([
    ["    return x + 1\n\ndef g(): pass", `${begin}    return x + 1\n`],
    ["    return x + 1", `${begin}    return x + 1`],
    ["So:\n```python\ndef f(x):\n    return x\n```\nDone.", "import math\n\ndef f(x):\n    return x"],
    ["```\nf = math.sqrt\n```", "import math\n\nf = math.sqrt"],
  ])("%j is a whole program", (answer, program) => expect(programIn(answer, of)).toBe(program));

  test("what a model writes after its answer is no part of it", () => {
    expect(programIn("def f(x): return 1\n[DONE]\n\nYou are", { function: "f" })).toBe("def f(x): return 1\n");
  });

  test("runs in the sandbox that is given, and a broken sandbox is an error, not a verdict", async () => {
    const asked: string[] = [];
    const sandbox: Sandbox = {
      name: "none",
      languages: ["python"],
      strength: "none",
      async run({ code }) {
        asked.push(code);
        throw new Error("no processes here");
      },
    };
    const problem = problemOf({ kind: "program", function: "f", tests: "assert f(1) == 2" });
    const withSandbox = checkerOf({ format: "made" }, { sandbox });
    await expect(withSandbox.check(problem, "def f(x): return 2")).rejects.toThrow("no processes here");
    expect(asked.length).toBeGreaterThan(0);
    expect(withSandbox.canonical(problem, "```python\ndef f(x): return 2\n```")).toBe("def f(x): return 2");
  });
});

test("where nobody knows a right answer there is no verdict, but something to vote for", () => {
  const problem: Problem = { id: "why", prompt: "Why?" };
  expect(() => checker.check(problem, "so")).toThrow("'why' as it is not known which answers are right");
  expect(checker.canonical(problem, "Hm.\nAnswer: so")).toBe("so");
  for (const reference of [undefined, " "])
    expect(() => checker.check(problemOf({ kind: "contains" }, reference), "so")).toThrow(
      "'p' by contains as it has no reference",
    );
  const strange = problemOf({ kind: "close" } as unknown as Check, "so");
  expect(() => checker.check(strange, "so")).toThrow("kind must be one of exact, number, math");
});

describe("hostile answers are read in linear time", () => {
  const many = 2 ** 18;
  // A quadratic scan of any of these would take minutes: 10^10 steps.
  test.each([
    ["answers", "answer: ".repeat(many / 8)],
    ["stars", "*".repeat(many)],
    ["spaces", `answer:${" ".repeat(many)}`],
    ["rows", "1 ".repeat(many)],
    ["lines of rows", "1\n".repeat(many)],
    ["open brackets", "[[".repeat(many / 2)],
    ["open brackets and spaces", `[${" ".repeat(many)}`],
    ["closed brackets", `[[${"] ".repeat(many / 2)}`],
    ["boxes", "\\boxed{".repeat(many / 7)],
    ["questions", "\nQuestion:".repeat(many / 10)],
    ["letters", "A ".repeat(many)],
    ["digits", "1".repeat(many)],
    ["commas", `#### 1${",".repeat(many)}`],
  ])("%s", (_, answer) => {
    for (const { check, reference } of cases) checker.check(problemOf(check, reference), answer);
  });
});
