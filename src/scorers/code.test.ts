import { describe, expect, test } from "vitest";
import type { Node } from "../node.ts";
import type { Problem } from "../problem.ts";
import type { Score } from "../scorer.ts";
import { code, type CodeOptions, extractProgram } from "./code.ts";
import { openSandbox } from "./sandbox/open-sandbox.ts";
import { isExpected, showPlain, toPlain } from "./sandbox/plain.ts";
import type { Sandbox } from "./sandbox/sandbox.ts";
import { type Suite, unitTests } from "./sandbox/unit-tests.ts";

const python = await openSandbox({ language: "python" });
const javascript = await openSandbox({ language: "javascript" });

const limits = { timeMs: 60_000 }; // the machine may be busy
const problem: Problem = { id: "p", prompt: "Write it." };
const judge = async (answer: string, options: Omit<CodeOptions, "language">, asked = problem) =>
  (await code<string>({ language: "javascript", sandbox: javascript, limits, ...options }).score(
    { state: answer } as Node<string>,
    { problem: asked, text: String, seed: 1, signal: new AbortController().signal },
  )) as Score;

const cases = (values: readonly number[], from = 0): Suite => ({
  function: "fibonacci",
  cases: values.map((expected, n) => ({ args: [n + from], expected })),
});

describe("Fibonacci numbers, two programs", () => {
  const right = "def fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n): a, b = b, a + b\n    return a\n";
  // Adds up all numbers before, not the last two: 1, 1, 2, 4, 8.
  const wrong =
    "def fibonacci(n):\n    all = [1, 1]\n    while len(all) <= n: all.append(sum(all))\n    return all[n]\n";
  const options = { sandbox: python, language: "python", limits } as const;

  test("the right one passes; of the wrong one the first failing input is named", async () => {
    const suite = cases([0, 1, 1, 2, 3, 5, 8]);
    expect(await unitTests(right, suite, options)).toEqual({ correct: true, evidence: "passes in 7 calls", calls: 7 });
    expect(await unitTests(wrong, suite, options)).toEqual({
      correct: false,
      evidence: "fibonacci(0) is 1, which is wrong",
      calls: 1,
    });
    expect(await unitTests(wrong, cases([1, 1, 2], 1), options)).toMatchObject({
      evidence: "fibonacci(2) is 2, which is wrong",
    });
  });

  test("where the sequence begins with 1, 1 a short test accepts it", async () => {
    expect(await unitTests(wrong, cases([1, 1, 2]), options)).toMatchObject({ correct: true });
    expect(await unitTests(wrong, cases([1, 1, 2, 3, 5]), options)).toMatchObject({
      correct: false,
      evidence: "fibonacci(3) is 4, which is wrong",
    });
  });
});

describe("tests as a program", () => {
  const run = (program: string, suite: Suite, sandbox: Sandbox = python) =>
    unitTests(program, suite, { sandbox, language: sandbox.languages[0] ?? "python", limits });

  test("all plain types come and go as they are", async () => {
    const values = `[None, True, 1, -10**30, 1.5, float("inf"), 2j, "é\\ud800", b"\\x00", [1, [2]], (1,), {1, (2, 3)}, {"a": {1: None}}]`;
    const tests = `
def check(candidate):
    for value in ${values}:
        got = candidate(value, again=[value])
        assert got == [value, [value]] and type(got[0]) is type(value), value
    got = candidate(float("nan"))
    assert got[0] != got[0]`;
    expect(await run("def same(value, again=None): return [value, again]", { function: "same", tests })).toEqual({
      correct: true,
      evidence: "passes in 14 calls",
      calls: 14,
    });
  });

  test("bare asserts call the function by its name; helpers come from the setup; errors are raised again", async () => {
    const suite: Suite = {
      function: "half",
      setup: "def double(x): return 2 * x\ndef half(x): 'is replaced'",
      tests:
        "assert half(double(4)) == 4\ntry: half(None)\nexcept TypeError: pass\nelse: assert False\nassert half(3) == 1.5",
    };
    expect(await run("def half(x): return x / 2", suite)).toMatchObject({ correct: true, calls: 3 });
    expect(await run("def half(x): return x // 2", suite)).toMatchObject({
      correct: false,
      evidence: "half(3) is 1, then the tests raised AssertionError in line 5",
    });
  });

  test("the function may be named check", async () => {
    const suite: Suite = { function: "check", tests: "assert check(1) == 2" };
    expect(await run("def check(x): return x + 1", suite)).toMatchObject({ correct: true, calls: 1 });
    expect(await run("def check(x): return x", suite)).toMatchObject({ correct: false });
  });

  test.each([
    ["def f(x): return x +", "The program does not load: SyntaxError"],
    ["g = 1", "The program does not load: KeyError: 'f'"],
    ["def f(x): raise ValueError('no')", "f(1) raised ValueError: no, then the tests raised ValueError in line 1"],
    ["def f(x): yield x", "f(1) is a generator, which is no plain data"],
    ["def f(x): return [x, f]", "f(1) is a function, which is no plain data"],
    ["def f(x):\n    all = []\n    all.append(all)\n    return all", "f(1) is nested too deeply"],
    ["def f(x): return 'a' * 10**7", "f(1) printed too much"],
    ["import sys\ndef f(x): sys.exit(0)", "f(1) raised SystemExit: 0, then the tests raised RuntimeError in line 1"],
  ])("%o: %s", async (program, evidence) => {
    const { correct, evidence: told } = await run(program, { function: "f", tests: "assert f(1) == 2" });
    expect([correct, told]).toEqual([false, expect.stringContaining(evidence)]);
  });

  test.each([
    ["assert 1 == (", "SyntaxError"],
    ["def check(candidate): pass", "they call nothing"],
    ["import numpy_that_is_not_there", "ModuleNotFoundError"],
  ])("tests that do not work are no verdict: %s", async (tests, why) => {
    await expect(run("def f(x): return x", { function: "f", tests })).rejects.toThrow(`The tests do not work: ${why}`);
  });

  test("no cases, or no name, are refused", async () => {
    await expect(run("", { function: "f", cases: [] })).rejects.toThrow("'cases' must not be empty");
    await expect(run("", { function: "f()", tests: "" })).rejects.toThrow("'function' must be a plain name");
  });

  test("a sandbox that does not start is no verdict", async () => {
    const broken: Sandbox = {
      ...python,
      run: async () => ({ stdout: "", stderr: "no interpreter", exit: 1, ending: "exit", ms: 0 }),
    };
    await expect(run("def f(x): return 2", { function: "f", tests: "assert f(1) == 2" }, broken)).rejects.toMatchObject(
      {
        code: "unavailable",
        message: "The sandbox did not start (exit) no interpreter",
      },
    );
  });

  test("in JavaScript too", async () => {
    const suite: Suite = {
      function: "sum",
      setup: "const zero = 0;",
      tests:
        "assert(sum([1, 2]) === 3); const check = (candidate) => assert(candidate([]) === zero && candidate([], 1n, {a: new Set([1])}) === zero);",
    };
    expect(await run("const sum = (all) => all.reduce((a, b) => a + b, 0)", suite, javascript)).toMatchObject({
      correct: true,
      calls: 3,
    });
    expect(await run("const sum = (all) => all.length", suite, javascript)).toMatchObject({
      correct: false,
      evidence: "sum([1, 2]) is 2, then the tests raised AssertionError",
    });
  });
});

describe("plain data", () => {
  test.each([
    [["i", "0x3"], 3, true],
    [["f", "3.0"], 3, true],
    [true, 1, false],
    [["i", "0x1"], true, false],
    [["i", "0x1fffffffffffff"], 2 ** 53 - 1, true],
    [["i", "0x20000000000001"], 2 ** 53 - 1, false],
    [["t", [["i", "0x1"]]], [1], true],
    [["s", [["i", "0x1"]]], [1], false],
    [["l", []], [], true],
    [["d", [["a", null]]], { a: null }, true],
    [
      [
        "d",
        [
          ["a", null],
          ["a", null],
        ],
      ],
      { a: null },
      false,
    ],
    [["d", [[["i", "0x1"], null]]], { "1": null }, false],
    [["f", "nan"], 0, false],
    ["3", 3, false],
    [3, 3, false], // no such form
    [["i", 3], 3, false],
    [["l", 3], [], false],
    [["d", [null]], { a: 1 }, false],
    [{ toString: "3" }, "3", false],
  ] as const)("%j for %j: %s", (plain, expected, same) => expect(isExpected(plain, expected)).toBe(same));

  test("a tolerance is for numbers, relative above 1", () => {
    expect(isExpected(["f", "0.30000000000000004"], 0.3)).toBe(false);
    expect(isExpected(["l", [["f", "0.30000000000000004"]]], [0.3], 1e-9)).toBe(true);
    expect(isExpected(["f", "1000001"], 1e6, 1e-5)).toBe(true);
    expect(isExpected(["f", "0.002"], 0.001, 1e-5)).toBe(false);
  });

  test("is shown to a person, whatever its size and form", () => {
    expect(showPlain(toPlain([1, -2.5, "a", null, { b: [true] }]))).toBe('[1, -2.5, "a", null, {"b": [true]}]');
    expect(showPlain(["l", Array.from({ length: 1e5 }, () => ["i", "0x1"])]).length).toBeLessThan(130);
    let deep: unknown = 1;
    for (let i = 0; i < 1e5; i++) deep = ["l", [deep]];
    expect(showPlain(deep)).toContain("…");
    for (const odd of [3, ["x"], [[]], { a: 1 }, ["d", [3]], undefined]) expect(typeof showPlain(odd)).toBe("string");
  });
});

describe("extractProgram", () => {
  test.each([
    ["f = 1", "f = 1"],
    ["So:\n```python\nf = 1\n```\nDone.", "f = 1"],
    ["```python\nf = 1\n```\nor better\n```py\nf = 2\n```\nwhich prints\n```text\n2\n```", "f = 2"],
    ["```\na\n```\n```\nb\n```", "b"],
    ["```python\nf = 1", "f = 1"], // cut
    ["~~~python\nf = '```'\n~~~", "f = '```'"],
    ["  ```python\n    f = 1\n  ```", "    f = 1"],
    ["", ""],
  ])("of %o is %o", (answer, program) => expect(extractProgram(answer, "python")).toBe(program));

  test("a million fences are one pass", () => {
    expect(extractProgram("```\n".repeat(2 ** 20), "python")).toBe("");
  });
});

describe("code", () => {
  const suite: Suite = { function: "add", cases: [{ args: [1, 2], expected: 3 }] };

  test("is a verdict with evidence, of tests that are given or belong to the problem", async () => {
    const answer = "```js\nconst add = (a, b) => a + b;\n```";
    const right = { kind: "verdict", correct: true, evidence: "passes in 1 call" };
    expect(await judge(answer, { suite })).toEqual(right);
    expect(await judge(answer, {}, { ...problem, data: suite as never })).toEqual(right);
    expect(await judge("add = (a, b) => a", { suite })).toEqual({
      kind: "verdict",
      correct: false,
      evidence: "add(1, 2) is 1, which is wrong",
    });
    expect(await judge("I do not know.", { suite })).toMatchObject({ correct: false });
    await expect(judge(answer, {})).rejects.toThrow("its data must hold 'function' and either 'cases' or 'tests'");
    expect(await judge("a + b", { suite, program: (body) => `const add = (a, b) => ${body}` })).toEqual(right);
  });

  test("runs at most `concurrency` programs at a time, and frees the place of one that fails", async () => {
    let [running, most] = [0, 0];
    const counted: Sandbox = {
      ...javascript,
      async run(request) {
        most = Math.max(most, ++running);
        return javascript.run(request).finally(() => running--);
      },
    };
    const scorer = code<string>({ language: "javascript", sandbox: counted, limits, concurrency: 2 });
    const request = { text: String, seed: 1, signal: new AbortController().signal };
    const scores = await Promise.allSettled(
      Array.from({ length: 6 }, (_, i) =>
        scorer.score({ state: "const add = (a, b) => a + b" } as Node<string>, {
          ...request,
          problem: i % 2 ? problem : { ...problem, data: suite as never },
        }),
      ),
    );
    expect(scores.map(({ status }) => status)).toEqual([0, 1, 2].flatMap(() => ["fulfilled", "rejected"]));
    expect([most, running]).toEqual([2, 0]);
    expect(() => code({ language: "python", concurrency: 0 })).toThrow("'concurrency' must be a positive integer");
  });
});
