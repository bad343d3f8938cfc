import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import { tabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import { promptText } from "../problem.ts";
import type { Judgement } from "../scorer.ts";
import { pIk } from "./p-ik.ts";

const node = { state: "whatever" } as Node<string>;
const request = (prompt: string) => ({
  problem: { id: "p", prompt },
  text: (state: string) => state,
  seed: 5,
  signal: new AbortController().signal,
});

test("is P(A) / (P(A) + P(B)) after the question alone", async () => {
  const prompts: string[] = [];
  const model = tabular({
    alphabet: "AB(.",
    maxLength: 600,
    conditional(_, prompt) {
      prompts.push(promptText(prompt));
      return /2\+2/.test(promptText(prompt)) ? [0.9, 0.1, 0, 0] : [0.2, 0.6, 0.1, 0.1];
    },
  });
  const known = (await pIk<string>(model).score(node, request("2+2?"))) as Required<Judgement>;
  expect(known.score).toEqual({ kind: "probability", value: expect.closeTo(0.9, 12) });
  expect(known.cost).toMatchObject({ calls: 1, tokens: 1 });
  const bound = pIk<string>(model).bound?.(node, request("2+2?"));
  expect(known.cost.promptTokens).toBeLessThanOrEqual(bound?.promptTokens ?? 0);
  expect((await pIk<string>(model).score(node, request("Why?"))) as Judgement).toMatchObject({
    score: { value: expect.closeTo(0.25, 12) },
  });
  expect(prompts.join()).not.toContain("whatever");
});

test("where there is no distribution, the share of yes among replies that say one", async () => {
  const server = scripted({ replies: ["(A)", "Yes, surely", "dunno", "No.", "I would not", "B"] });
  const { score, cost } = (await pIk<string>(server, { draws: 6 }).score(node, request("2+2?"))) as Required<Judgement>;
  expect(score).toEqual({ kind: "probability", value: 2 / 4 });
  expect(cost.calls).toBe(6);
  expect(() => pIk(server, { draws: 0 })).toThrow("'draws'");
});
