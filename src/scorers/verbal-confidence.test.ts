import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import type { Judgement } from "../scorer.ts";
import { readConfidence, verbalConfidence } from "./verbal-confidence.ts";

test.each([
  ["Confidence: 85%", 0.85],
  ["I am 90 percent sure", 0.9],
  ["Confidence: 0.85", 0.85],
  ["Confidence = .5", 0.5],
  ["Confidence: 85", 0.85],
  ["confidence is 0", 0],
  ["1.0", 1],
  ["8/10", 0.8],
  ["8 out of 10", 0.8],
  ["The answer is 42. Confidence: 70%", 0.7],
  ["Confidence: medium", 0.5],
  ["Highest.", 0.9],
  ["It is highly likely", 0.9],
  ["Confidence level: almost no chance", 0.02],
  ["Confidence: 1", undefined],
  ["Confidence: 120%", undefined],
  ["between 60% and 80%", undefined],
  ["Confidence: 80-90%", undefined],
  ["80% – 90%", undefined],
  ["low or high", undefined],
  ["I cannot say", undefined],
  ["not likely", undefined],
  ["-5%", undefined],
])("reads %j as %s", (text, value) => {
  const found = readConfidence(text);
  if (value === undefined) expect(found).toBeUndefined();
  else expect(found).toBeCloseTo(value, 12);
});

test("the score is the mean of what is readable; nothing readable is no score", async () => {
  const request = {
    problem: { id: "p", prompt: "2+2?" },
    text: (state: string) => state,
    seed: 5,
    signal: new AbortController().signal,
  };
  const node = { state: "4" } as Node<string>;
  const score = (replies: string[], options = {}) =>
    verbalConfidence<string>(scripted({ replies }), options).score(node, request) as Promise<Required<Judgement>>;
  expect(await score(["Confidence: 80%", "what?", "60%"], { draws: 3 })).toMatchObject({
    score: { kind: "probability", value: expect.closeTo(0.7, 12) },
    cost: { calls: 3 },
  });
  expect((await score(["high"], { as: "word" })).score).toMatchObject({ value: 0.7 });
  await expect(score(["what?"])).rejects.toMatchObject({ code: "bad-response", cost: { calls: 1 } });
  expect(() => verbalConfidence(scripted({ replies: [""] }), { draws: 0 })).toThrow("'draws'");
});
