import fc from "fast-check";
import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import { run } from "../run.ts";
import { memoryJournal } from "../runs/memory.ts";
import { askForSearch } from "../search/revision/ask-for-search.ts";
import { countdown } from "../tasks/countdown.ts";
import { promptText } from "./ask.ts";
import {
  askForTries,
  checkArithmetic,
  checkByTask,
  checkTree,
  pickTry,
  readTree,
  readTries,
  tryScorer,
  wholeTries,
} from "./asked-tree.ts";
import { text } from "./text.ts";

const question = "4 x 5 + 10";
const known = `Try 1:
4 x 5 = 20
20 + 10 = 30
Result: 30

Try 2:
5 + 10 = 15
4 x 15 = 70
Result: 70

Pick: 1
Answer: 30`;

test("4 x 5 + 10: tries of 30 and 70, the wrong one is marked, and the pick follows", () => {
  expect(checkTree(readTree(known), checkArithmetic(question))).toEqual({
    tries: [
      { name: "1", steps: ["4 x 5 = 20", "20 + 10 = 30"], result: "30", verdict: "right" },
      {
        name: "2",
        steps: ["5 + 10 = 15", "4 x 15 = 70"],
        result: "70",
        verdict: "wrong",
        why: "4 x 15 is 60, not 70",
      },
    ],
    pick: 0,
    pickFollows: true,
  });
});

test("a try whose equations hold is wrong all the same where it comes to something else than the question", () => {
  const [, , other] = checkTree(
    readTree("Try: 4*5=20, 20+10=30\nTry: 30\nTry: 5+10=15, 4*15=60"),
    checkArithmetic(question),
  ).tries;
  expect(other).toMatchObject({ verdict: "wrong", why: "the answer is 30, not 60" });
});

test.each(["4 x 5 + 10", "4x5+10=", "4 x 5 + 10 = ?", "What is 4 x 5 + 10?", "Compute: 4 x 5 + 10."])(
  "%s is arithmetic",
  (asked) => {
    expect(checkArithmetic(asked)({ name: "1", steps: [], result: "31" }).why).toBe("the answer is 30, not 31");
  },
);

test.each([
  ["a result that its steps do not come to", "4*5=20\nResult: 30", "wrong", "its steps come to 20, not 30"],
  ["words around equations", "First: 4 × 5 = 20, then 20 + 10 = 30.0\nso far so good", "right", undefined],
  ["a sentence", "Adding ten to it gives 20 + 10 = 30.", "right", undefined],
  ["thousands and money", "$1,000 * 2 = $2,000, 2000 / 1,000 * 15 = 30", "right", undefined],
  ["a result alone", "Result: 30", "right", undefined],
  ["a result in words", "Result: thirty", "unparsed", "a number is missing at character 1"],
  ["nothing to check", "hm", "unparsed", "it has no equation and no result"],
  ["nothing at all", "", "unparsed", "it has no equation and no result"],
])("%s", (_, steps, verdict, why) => {
  const [one] = checkTree(readTree(`Try 1:\n${steps}`), checkArithmetic(question)).tries;
  expect([one?.verdict, one?.why]).toEqual([verdict, why]);
});

test("a try goes on from another: the steps of both are its own", () => {
  const tree = readTree("Try 1:\n4*5=20\nTry 1.1:\n20+10=30\nTry 1.2:\n20+10=40\nTry 7.1.3: 1+1=2\nPick: 1.1");
  expect(tree.tries.map(({ name, parent }) => [name, parent])).toEqual([
    ["1", undefined],
    ["1.1", 0],
    ["1.2", 0],
    ["7.1.3", undefined],
  ]);
  const { tries, pick } = checkTree(tree, checkArithmetic(question));
  expect(tries.map(({ steps, verdict }) => [steps, verdict])).toEqual([
    [["4*5=20", "20+10=30"], "right"], // try 1 came to no end of its own
    [["4*5=20", "20+10=40"], "wrong"],
    [["1+1=2"], "wrong"],
  ]);
  expect(pick).toBe(0);
});

test.each([
  ["its number", "Pick: 1\nAnswer: 30", 0, true],
  ["its number in words", "Pick: Try 2", 1, true],
  ["its result", "Pick: 70", 1, true],
  ["the answer alone", "Answer: 30.0", 0, true],
  ["an answer that is another's", "Pick: 1\nAnswer: 70", 0, false],
  ["an answer of none", "Pick: 2\nAnswer: 45", 1, false],
  ["a try that is not there", "Pick: 9\nAnswer: 45", undefined, false],
  ["nothing", "", undefined, false],
])("the pick by %s", (_, ending, pick, pickFollows) => {
  const tree = readTree(`${known.slice(0, known.indexOf("Pick"))}${ending}`);
  expect(checkTree(tree, checkArithmetic())).toMatchObject({ pick, pickFollows });
});

test("white space, bullets, bold type, colons and numbers are forgiven", () => {
  const messy =
    "Sure!\r\n\n  ## Try 1 \r\n - 4 x 5 = 20\r\n 2) 20 + 10 = 30\r\n* **Result:**   30\r\n\n**TRY:**\n5+10=15\n Final answer = 30";
  expect(readTree(messy)).toEqual({
    tries: [
      { name: "1", parent: undefined, steps: ["4 x 5 = 20", "20 + 10 = 30"], result: "30" },
      { name: "2", parent: undefined, steps: ["5+10=15"], result: undefined },
    ],
    pick: undefined,
    answer: "30",
  });
  expect(readTree("Trying hard\nTry to add 4 and 5\nPicking").tries).toEqual([]);
});

test("nonsense makes an empty tree, and never throws", () => {
  expect(readTree("")).toEqual({ tries: [], pick: undefined, answer: undefined });
  const words = [
    "Try",
    " 1",
    ".1",
    ":",
    "\n",
    "Result:",
    "Pick:",
    "Answer:",
    "4*5=20",
    "(",
    "=",
    "**",
    "- ",
    "\r",
    "é",
    "9".repeat(9),
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 60 }), (parts) => {
      const tree = readTree(parts.join(""));
      const report = checkTree(tree, checkArithmetic(question));
      expect(report.tries.length).toBe(wholeTries(tree).length);
      for (const [at, { parent }] of tree.tries.entries()) expect(parent ?? -1).toBeLessThan(at);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("a long reply is read in one go", () => {
  const long = `Try 1:\n${"-".repeat(100_000)}\n${"1+".repeat(50_000)}\n${" ".repeat(100_000)}x\n${"* ".repeat(50_000)}\nPick:${" ".repeat(100_000)}`;
  expect(readTree(long).tries.length).toBe(1);
  expect(readTree("Try:\n".repeat(100_000)).tries.length).toBe(16); // no more are read
  const space = " ".repeat(200_000);
  expect(readTree(`try${space}!\ntry 1:${space}a\u2028b\nPick:${space}1\r2`)).toMatchObject({
    tries: [{ name: "1", steps: ["a\u2028b"] }],
    pick: "1\r2",
  });
});

const problem = { id: "sum", prompt: question };

async function solve(reply: string) {
  const model = scripted({ replies: [reply] });
  const search = askForSearch({
    ask: askForTries(model, { tries: 2 }),
    read: readTries(),
    pick: pickTry,
    scorer: tryScorer("arithmetic", checkArithmetic(question)),
  });
  const journal = memoryJournal();
  const result = await run(search, problem, { policy: text(model), journal });
  const again = await run(search, problem, { policy: text(model), journal });
  expect(again.text).toBe(result.text);
  return { model, ...result };
}

test("as a search: one call, the tries are nodes with verdicts, and the answer is the pick", async () => {
  const { model, text: answer, nodes, spent, outcome } = await solve(known);
  expect([answer, spent.calls, model.calls.length]).toEqual(["30", 1, 1]);
  expect(promptText(model.calls[0]?.prompt ?? "")).toMatch(
    /^4 x 5 \+ 10\n\nBefore you answer, search: try 2 different ways/,
  );
  expect(outcome?.reply?.state.text).toBe(known);
  expect(nodes.slice(2).map(({ state, parent, score }) => [state.text, parent?.id, score])).toEqual([
    ["30", outcome?.reply?.id, { kind: "verdict", correct: true, evidence: "right" }],
    ["70", outcome?.reply?.id, { kind: "verdict", correct: false, evidence: "4 x 15 is 60, not 70" }],
  ]);
});

test("the answer is what the model says, also where it does not follow from its tries", async () => {
  const { text: answer, nodes } = await solve(known.replace("Answer: 30", "Answer: 45"));
  expect([answer, nodes.slice(2).map(({ state }) => state.text)]).toEqual(["45", ["30", "70", "45"]]);
  expect((await solve(known.replace("Pick: 1\nAnswer: 30", "Pick: 2"))).text).toBe("70");
  expect((await solve("It is 30.")).text).toBe("It is 30.");
  expect((await solve("")).text).toBe("");
});

test("tries of a task are checked by the task", () => {
  const puzzle = countdown.parse("11,2,5,8>29");
  const tree = readTree("Try 1:\n5*2=10;11,8,10\n11+10=21;8,21\n21+8=29\nTry 2:\n11+2=14;5,8,14\nTry 3:\nPick: 1");
  expect(checkTree(tree, checkByTask(countdown, puzzle)).tries.map(({ verdict, why }) => [verdict, why])).toEqual([
    ["right", undefined],
    ["wrong", "line 1: 11+2 is 13, not 14"],
    ["unparsed", "it has no steps"],
  ]);
});
