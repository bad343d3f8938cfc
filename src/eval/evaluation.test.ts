import { expect, test } from "vitest";
import type { Json } from "../problem.ts";
import { budgetLabel, configOf, defineEvaluation, readEvaluation } from "./evaluation.ts";

const small = defineEvaluation({ task: "countdown", methods: ["greedy"] });

test("what is left out follows by default", () => {
  expect(readEvaluation(small)).toMatchObject({
    name: "countdown on sapling",
    task: { name: "countdown", levels: ["base"] },
    model: "sapling",
    budgets: [{}],
    problems: 100,
    seeds: 1,
    key: 0,
    baselines: true,
  });
});

test("budgets are numbers of tokens, texts or objects", () => {
  const { budgets } = readEvaluation({
    ...small,
    budgets: [256, "1024", "calls=8,seconds=2", "tokens=256+calls=8", { dollars: 0.5 }, {}],
  });
  expect(budgets).toEqual([
    { tokens: 256 },
    { tokens: 1024 },
    { calls: 8, seconds: 2 },
    { tokens: 256, calls: 8 },
    { dollars: 0.5 },
    {},
  ]);
  expect(budgets.map(budgetLabel)).toEqual([
    "tokens=256",
    "tokens=1024",
    "calls=8,seconds=2",
    "tokens=256,calls=8",
    "dollars=0.5",
    "no limit",
  ]);
});

test("what is kept as data is read again as the same evaluation", () => {
  const given = readEvaluation({
    ...small,
    methods: ["greedy", { method: "best-of-n", settings: { n: 4, scorer: "likelihood" }, label: "mine" }],
    budgets: [10, "calls=2"],
  });
  const kept = configOf(given);
  expect(readEvaluation(JSON.parse(JSON.stringify(kept)))).toEqual(given);
  const file = readEvaluation({ methods: ["greedy"], task: { file: "a/b.jsonl", format: "gsm8k", shots: 3 } });
  expect(file).toMatchObject({ name: "b.jsonl on sapling", problems: null });
  expect(readEvaluation(configOf(file) as Json)).toEqual(file);
});

test.each([
  [{ methods: ["greedy"] }, "Cannot use nothing as task: it must be the name of a task"],
  [{ ...small, task: "cuntdown" }, 'task: Cannot find a task named "cuntdown": did you mean countdown?'],
  [{ ...small, task: { name: "countdown", levels: ["hard?"] } }, 'level "hard?": countdown has base'],
  [{ ...small, methods: [] }, "Cannot use [] as methods: it must be a list of at least one method"],
  [{ ...small, methods: ["greedy", 7] }, "Cannot use 7 as methods[1]: it must be a text as in"],
  [{ ...small, methods: ["greedy", "majority:0"] }, 'methods[1]: Cannot use "0" as n of majority'],
  [
    { ...small, methods: [{ method: "majority", settings: { n: "4" } }] },
    'methods[0]: Cannot use "4" as n of majority: it must be a whole number',
  ],
  [{ ...small, methods: ["best-of-n", "best-of-n:16"] }, '"best-of-n:16" is there twice'],
  [{ ...small, budgets: [-1] }, "Cannot use -1 as budgets[0]: it must be a whole number >= 0"],
  [{ ...small, budgets: [{ tokens: 1.5 }] }, "budgets[0]: Cannot set a budget as 'tokens' must be a whole number in"],
  [{ ...small, budgets: [{ token: 3 }] }, "budgets[0]: Cannot set a budget as 'token' is no limit: use tokens,"],
  [{ ...small, budgets: ["tokens=9+calls"] }, 'budgets[0]: Cannot read "calls" as a part of a budget'],
  [{ ...small, task: { name: "countdown", levels: [] } }, "[] as task.levels: it must be a list of at least one level"],
  [{ ...small, methods: [{ method: "greedy", label: "a\nb" }] }, "as methods[0].label: it must be a text of one line"],
  [{ ...small, task: { file: "x", shots: "x" } }, 'Cannot use "x" as task.shots: it must be a whole number >= 0'],
  [{ ...small, methods: [{ method: "majority", settings: 4 }] }, "4 as methods[0].settings: it must be an object of"],
  [{ ...small, methods: [{ label: "x" }] }, "as methods[0]: it must be a text as in"],
  [{ ...small, key: 2 ** 53 }, "as key: it must be a whole number in [0, 2^53)"],
  [{ ...small, budgets: [10, "10"] }, '"tokens=10" is there twice'],
  [{ ...small, budgets: ["token=3"] }, 'budgets[0]: Cannot limit "token" by a budget: did you mean tokens?'],
  [{ ...small, problems: 1.5 }, "Cannot use 1.5 as problems: it must be a whole number >= 1"],
  [{ ...small, seeds: "three" }, 'Cannot use "three" as seeds: it must be a whole number >= 1'],
  [{ ...small, seed: 3 }, 'Cannot use "seed" as a field of the evaluation: did you mean seeds?'],
  [{ ...small, methods: [{ method: "majority", n: 4 }] }, 'Cannot use "n" as a field of methods[0]'],
  [{ ...small, name: "a/b" }, 'Cannot use "a/b" as name: it must be at most 100 letters'],
  [7, "Cannot use 7 as an evaluation"],
])("%j is refused: %s", (options, message) => {
  expect(() => readEvaluation(options)).toThrow(RangeError);
  expect(() => readEvaluation(options)).toThrow(message);
});

test("a field is called what it was typed as", () => {
  const flag = (field: string) => `--${field}`;
  expect(() => readEvaluation({ ...small, seeds: 0 }, flag)).toThrow("Cannot use 0 as --seeds:");
});
