import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { formatNamed, formats, openProblemSet } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "ponderosa-formats-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function file(content: string | Uint8Array, name = "set"): string {
  const path = join(folder, `${++files}`, name);
  mkdirSync(join(path, ".."));
  writeFileSync(path, content);
  return path;
}

const lines = (...records: readonly object[]): string => records.map((one) => JSON.stringify(one)).join("\n");
const open = (content: string | Uint8Array, options = {}, name = "set.jsonl") =>
  openProblemSet(file(content, name), options);

const plain = { prompt: "Two and two?", reference: "4" };
const header = "Rank,Puzzles,AMT (s),Solved rate,1-sigma Mean (s),1-sigma STD (s)\n";

describe("every format", () => {
  test.each(formats.map(({ name }) => name))("%s reads its example, and no other format takes it", async (name) => {
    const { example } = formatNamed(name);
    const set = await open(name === "game24" ? header + example : example);
    expect([set.format, set.problems.length]).toEqual([name, 1]);
  });

  test("has names that are asked for", () => {
    expect(formats.map(({ name }) => name)).toEqual(
      ["gsm8k", "math-500", "humaneval", "mbpp", "arc-agi", "multiple-choice", "game24", "jsonl"],
    ); // biome-ignore format: a list
    expect(() => formatNamed("gsm")).toThrow('Cannot find a format named "gsm": there are gsm8k, math-500');
  });
});

describe("what is read", () => {
  test("gsm8k: the number after the mark, without commas; notes for a calculator are taken out of worked answers", async () => {
    const set = await open(lines({ question: "How many?", answer: "1,000+200=<<1000+200=1200>>1,200.\n#### 1,200" }));
    expect(set.problems).toEqual([
      {
        problem: { id: "gsm8k/1", prompt: "How many?", reference: "1200", data: { kind: "number" } },
        level: null,
        cluster: null,
      },
    ]);
    expect(set.worked.get("gsm8k/1")).toBe("1,000+200=1,200.\n#### 1,200");
    expect(set.source).toBe("openai/grade-school-math, MIT");
  });

  test("math-500: level 1 to 5, however it is written; ids of the file", async () => {
    const row = { problem: "$1+1$?", answer: "2", subject: "Algebra" };
    const set = await open(lines({ ...row, level: 3, unique_id: "test/algebra/1.json" }, { ...row, level: "Level 5" }));
    expect(set.problems.map(({ problem, level }) => [problem.id, level])).toEqual([
      ["test/algebra/1.json", "3"],
      ["math-500/2", "5"],
    ]);
    expect([...set.worked.values()]).toEqual(["\\boxed{2}", "\\boxed{2}"]);
  });

  test("humaneval: before the tests run the helpers of the beginning, not its function without a body", async () => {
    const [helpers, head] = ["import math\n\ndef twice(x):\n    return 2 * x\n\n", "def f(x):\n"];
    const row = {
      task_id: "a/0",
      prompt: helpers + head,
      entry_point: "f",
      test: "def check(f): assert f(1) == twice(1)",
    };
    const set = await open(lines(row));
    expect(set.problems[0]?.problem.data).toMatchObject({ function: "f", setup: helpers, begin: helpers + head });
  });

  test("mbpp: the function that the tests call, out of the reference; asserts are part of the question", async () => {
    const row = {
      task_id: 6,
      text: "Do they differ in one bit?",
      code: "def power(x):\r\n  return x\r\ndef differ(a, b):\r\n  return power(a ^ b)",
      test_setup_code: "",
      test_list: ["assert differ(13, 9) == True"],
      challenge_test_list: [],
    };
    const sanitized = {
      task_id: 7,
      prompt: "A sum.",
      code: "def add(a, b): return a+b",
      test_imports: ["import math"],
      test_list: ["assert math.isclose(add(1, 2), 3)"],
    };
    const set = await open(lines(row, sanitized));
    expect(set.problems.map(({ problem }) => problem)).toMatchObject([
      { id: "mbpp/6", data: { kind: "program", function: "differ", setup: "" } },
      { id: "mbpp/7", data: { function: "add", setup: "import math\n" } },
    ]);
    expect(set.problems[0]?.problem.prompt).toContain("these tests:\n\nassert differ(13, 9) == True");
    const array = await open(JSON.stringify([sanitized]), {}, "sanitized.json");
    expect([array.format, array.problems.length]).toEqual(["mbpp", 1]);
  });

  test("arc-agi: each test is a problem, those of a task are one cluster; a file, an object of tasks, a folder", async () => {
    const one = { train: [{ input: [[0, 1]], output: [[1, 0]] }], test: [{ input: [[2, 3]], output: [[3], [2]] }] };
    const two = { ...one, test: [one.test[0], { input: [[4]], output: [[4]] }] };
    const single = await open(JSON.stringify(one, null, 2), {}, "007bbfb7.json");
    expect(single.problems).toEqual([
      {
        problem: {
          id: "007bbfb7",
          prompt: "Example 1\nInput:\n0 1\nOutput:\n1 0\n\nTest\nInput:\n2 3",
          reference: "3\n2",
          data: { kind: "grid" },
        },
        level: null,
        cluster: "007bbfb7",
      },
    ]);
    const many = await open(JSON.stringify({ a: one, b: two }), {}, "tasks.json");
    const idsOf = (set: typeof many) => set.problems.map(({ problem, cluster }) => [problem.id, cluster]);
    expect(idsOf(many)).toEqual([["a", "a"], ["b/1", "b"], ["b/2", "b"]]); // biome-ignore format: a table
    const path = file(JSON.stringify(two), "b.json");
    writeFileSync(join(path, "../a.json"), JSON.stringify(one));
    expect(idsOf(await openProblemSet(join(path, "..")))).toEqual(idsOf(many));
  });

  test("multiple-choice: CSV without a header, JSON with a letter or an index", async () => {
    const rows = 'Which?,"a, b",c,d,e,B\n"Two\nlines",1,2,3,4,D\n';
    const csv = await open(rows, {}, "global_facts_test.csv");
    expect(csv.problems.map(({ problem }) => [problem.id, problem.prompt, problem.reference])).toEqual([
      ["global_facts_test/1", "Which?\nA. a, b\nB. c\nC. d\nD. e", "B"],
      ["global_facts_test/2", "Two\nlines\nA. 1\nB. 2\nC. 3\nD. 4", "D"],
    ]);
    const row = { question: "Which?", choices: ["x", "y", "z"], subject: "letters" };
    const json = await open(lines({ ...row, answer: 2 }, { ...row, answer: "A" }));
    expect(json.problems.map(({ problem, level }) => [problem.reference, level])).toEqual([["C", "letters"], ["A", "letters"]]); // biome-ignore format: short
  });

  test("game24: the level is the rank in hundreds", async () => {
    const set = await open(`${header}100,1 1 4 6,4.4\n901,2 3 5 12,9\n`, {}, "24.csv");
    expect(set.problems.map(({ problem, level }) => [problem.id, problem.data, level])).toEqual([
      ["1 1 4 6", { kind: "expression", numbers: [1, 1, 4, 6], value: 24 }, "1-100"],
      ["2 3 5 12", { kind: "expression", numbers: [2, 3, 5, 12], value: 24 }, "901-1000"],
    ]);
  });

  test("jsonl: what is known of the answer is optional; a pattern is no right answer", async () => {
    const messages = [{ role: "user", content: "Why?" }];
    const set = await open(
      lines(
        { messages },
        { prompt: "One?", reference: 1, checker: "number", id: 17, level: "easy", cluster: "ones", worked: "1" },
        { prompt: "A colour?", reference: "red|blue", checker: "regex" },
        { prompt: "A or B?", reference: "B", checker: "choice" },
        plain,
      ),
    );
    expect(set.problems.map(({ problem }) => problem)).toEqual([
      { id: "set/1", prompt: messages },
      { id: "17", prompt: "One?", reference: "1", data: { kind: "number" } },
      { id: "set/3", prompt: "A colour?", data: { kind: "regex", pattern: "red|blue" } },
      {
        id: "set/4",
        prompt: "A or B?",
        reference: "B",
        data: { kind: "choice", letters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
      },
      { id: "set/5", prompt: "Two and two?", reference: "4", data: { kind: "exact" } },
    ]);
    expect(set.problems[1]).toMatchObject({ level: "easy", cluster: "ones" });
  });
});

describe("files", () => {
  test("compressed, with a byte order mark, with CRLF and empty lines: the same problems", async () => {
    const text = lines(plain, { ...plain, id: "é数🙂" });
    const { problems } = await open(text);
    for (const other of [`\ufeff${text}`, `${text.replaceAll("\n", "\r\n\r\n")}\r\n`, gzipSync(text)])
      expect((await open(other)).problems).toEqual(problems);
  });

  test("lines of JSON are read back, whatever they hold", async () => {
    const texts = fc.array(fc.string({ unit: "grapheme", minLength: 1 }).filter((text) => text.trim() !== ""), { minLength: 1, maxLength: 5 }); // biome-ignore format: short
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom("\n", "\r\n"), async (prompts, end) => {
        const text = prompts.map((prompt) => JSON.stringify({ prompt })).join(end);
        const set = await open(text);
        expect(set.problems.map(({ problem }) => problem.prompt)).toEqual(prompts);
      }),
      { seed: 3, numRuns: 50 },
    );
  });

  test("a limit keeps the first ones, and what comes after must be whole all the same", async () => {
    const set = await open(lines(plain, plain, plain), { limit: 2 });
    expect(set.problems.map(({ problem }) => problem.id)).toEqual(["set/1", "set/2"]);
    await expect(open(`${lines(plain, plain)}\n{`, { limit: 1 })).rejects.toThrow("line 3 as JSON");
    await expect(open(lines(plain), { limit: 0 })).rejects.toThrow(
      "'limit' must be a positive integer: current value is 0",
    );
  });

  // biome-ignore format: a table
  const refused: readonly (readonly [name: string, content: string | Uint8Array, options: object, message: string | RegExp])[] = [
    ["an empty file", " \n", {}, "set.jsonl as it is empty"],
    ["nothing but a header", header, {}, "as game24: it has none"],
    ["an empty list", "[]", { format: "jsonl" }, "as jsonl: it has none"],
    ["other things", lines({ a: 1 }), {}, "give 'format' as one of gsm8k, math-500, humaneval"],
    ["two formats", lines({ question: "?", choices: ["a", "b"], answer: "#### 4" }), {}, "Cannot tell the format"],
    ["no such format", lines(plain), { format: "gsm9k" }, 'Cannot find a format named "gsm9k"'],
    ["no JSON", `${lines(plain)}\n{"prompt": `, {}, "set.jsonl, line 2 as JSON"],
    ["a broken list", '[\n  {"prompt": "a"},\n  {]', {}, /set\.jsonl as JSON: .* \(line 3 column 4\)/],
    ["no object", `${lines(plain)}\n4`, {}, "line 2 as jsonl: expected an object with fields: current value is 4"],
    ["a broken quote", 'q,a,b,A\n"q', {}, "set.jsonl as CSV: line 2: expected the quote"],
    ["a cut archive", gzipSync(lines(plain)).subarray(0, 20), {}, "set.jsonl as gzip: unexpected end of file"],
    ["no UTF-8", new Uint8Array([0x7b, 0xff]), {}, "set.jsonl as it is not text in UTF-8"],
    ["an id twice", lines({ ...plain, id: "a" }, { ...plain, id: "a" }), {}, "line 2: its id 'a' is that of"],
    ["gsm8k without mark", lines({ question: "?", answer: "#### 1" }, { question: "?", answer: "18" }), {}, "line 2 as gsm8k: field 'answer' must be text that ends in '#### number': current value is \"18\""],
    ["math without answer", lines({ problem: "?", subject: "a", level: 1 }), { format: "math-500" }, "line 1 as math-500: field 'answer' must be text: current value is missing"],
    ["humaneval with no function", lines({ task_id: "1", prompt: "def", entry_point: "a b", test: "x" }), {}, "field 'entry_point' must be the name of a function"],
    ["mbpp that tests nothing", lines({ task_id: 1, text: "x", code: "def f(): pass", test_list: ["assert g()"] }), {}, "field 'test_list' must be asserts that call a function of 'code'"],
    ["a grid that is none", lines({ train: [{ input: [[1], [1, 2]], output: [[1]] }], test: [] }), {}, "field 'train[0].input' must be a grid"],
    ["a task without solutions", lines({ train: [{ input: [[1]], output: [[1]] }], test: [{ input: [[1]] }] }), {}, "field 'test[0].output' must be a grid: rows of one length, of whole numbers from 0 to 9: current value is missing"],
    ["a letter too far", "q,a,b,B\nq,a,b,C", {}, "line 2 as multiple-choice: field 'answer' must be a letter of AB: current value is \"C\""],
    ["an index too far", lines({ question: "?", choices: ["a", "b"], answer: 2 }), {}, "field 'answer' must be a letter of AB, or an index from 0 to 1: current value is 2"],
    ["no letter at all", "q,a,b,", {}, "Cannot tell the format"],
    ["three numbers", `${header}1,1 2 3,4`, {}, "line 2 as game24: field 'Puzzles' must be four whole numbers"],
    ["an unknown field", lines(plain, { ...plain, refrence: "4" }), {}, "line 2 as jsonl: field 'refrence' must be left out"],
    ["an unknown checker", lines({ ...plain, checker: "fuzzy" }), {}, "field 'checker' must be one of exact, number, math"],
    ["a number that is none", lines({ prompt: "?", reference: "many", checker: "number" }), {}, "field 'reference' must be a number, as the checker is 'number'"],
    ["a checker without reference", lines({ prompt: "?", checker: "math" }), {}, "field 'reference' must be there, as the checker is 'math'"],
    ["a broken pattern", lines({ ...plain, reference: "(", checker: "regex" }), {}, "field 'reference' must be a regular expression"],
    ["prompt and messages", lines({ ...plain, messages: [] }), {}, "and not both"],
    ["messages of nobody", lines({ messages: [{ role: "x", content: "" }] }), {}, "field 'messages' must be a list of"],
  ];
  test.each(refused)("%s is refused", async (_, content, options, message) => {
    await expect(open(content, options)).rejects.toThrow(message);
  });
});
