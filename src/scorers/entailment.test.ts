import { expect, test } from "vitest";
import { scripted } from "../models/scripted.ts";
import type { Node } from "../node.ts";
import { promptText } from "../problem.ts";
import type { Judgement } from "../scorer.ts";
import { entailment } from "./entailment.ts";

const node = (state: string) => ({ id: state, state }) as Node<string>;
const request = {
  problem: { id: "p", prompt: "What is the capital?" },
  text: (state: string) => state,
  seed: 5,
  signal: new AbortController().signal,
};
const said = async (reply: (first: string, second: string) => string, a: string, b: string) => {
  const model = scripted({
    replies({ prompt }) {
      const [first = "", second = ""] = Array.from(
        promptText(prompt).matchAll(/<answer-\d>\n(.*)\n/g),
        ([, one]) => one,
      );
      return reply(first, second);
    },
  });
  return (await entailment<string>(model).against(node(b)).score(node(a), request)) as Required<Judgement>;
};

test("one meaning only where each follows from the other", async () => {
  const follows = (first: string, second: string) => (first.includes(second) ? "Entailment." : "neutral");
  expect((await said(follows, "Paris", "Paris")).score).toEqual({ kind: "probability", value: 1 });
  const oneWay = await said(follows, "Paris on the Seine", "Paris");
  expect([oneWay.score, oneWay.cost.calls]).toEqual([{ kind: "probability", value: 0 }, 2]);
  for (const unclear of ["who knows", "This is not entailment.", "There is no contradiction."])
    await expect(said(() => unclear, "a", "b")).rejects.toMatchObject({ code: "bad-response", cost: { calls: 2 } });
});
