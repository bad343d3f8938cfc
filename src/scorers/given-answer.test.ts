import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import { tabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import { promptText } from "../problem.ts";
import type { Judgement } from "../scorer.ts";
import { givenAnswer } from "./given-answer.ts";

const node = (state: string) => ({ id: state, state }) as Node<string>;
const request = {
  problem: { id: "p", prompt: "a or b?" },
  text: (state: string) => state,
  seed: 5,
  signal: new AbortController().signal,
};

test("is log p of the answer and its end, with the other one in the prompt", async () => {
  // After one letter the answer ends with 0.5. A shown b makes b likely.
  const model = tabular({
    alphabet: "ab.",
    maxLength: 2,
    conditional: (text, prompt) =>
      text !== "" ? [0.25, 0.25, 0.5] : /to-it>\nb\n/.test(promptText(prompt)) ? [0.1, 0.9, 0] : [0.6, 0.4, 0],
  });
  const scorer = givenAnswer<string>(model).against(node("b"));
  const { score, cost } = (await scorer.score(node("b"), request)) as Required<Judgement>;
  expect(score).toEqual({ kind: "log-likelihood", value: expect.closeTo(Math.log(0.9 * 0.5), 12) });
  const bound = scorer.bound?.(node("b"), request);
  expect(cost.promptTokens).toBeLessThanOrEqual(bound?.promptTokens ?? 0);
  expect(cost.tokens).toBe(1);
  const other = (await givenAnswer<string>(model).against(node("a")).score(node("b"), request)) as Judgement;
  expect(other.score).toMatchObject({ value: expect.closeTo(Math.log(0.4 * 0.5), 12) });
});

test("needs a model that scores text", () => {
  expect(() => givenAnswer(scripted({ replies: ["a"] }))).toThrow("scores no text");
});
