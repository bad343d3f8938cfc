import { expect, test } from "vitest";
import { cost } from "./budget.ts";
import { driver } from "./driver.ts";
import { key } from "./key.ts";
import { sample } from "./search/sampling/sample.ts";

test("an answer that never ends is given up after 100,000 steps", () => {
  const d = driver(sample<number>(), { state: 0, problem: { id: "endless", prompt: "" }, key: key(1) });
  const step = { done: false, logProb: 0, logProposal: 0, length: 1, cost: cost({}) };
  let steps = 0;
  for (let work = d.ask(); work.length > 0; work = d.ask())
    for (const { id } of work) d.tell(id, { type: "extension", extension: { ...step, state: ++steps } });
  expect([steps, d.result]).toEqual([100_000, { outcome: { answer: undefined, candidates: [] } }]);
});
