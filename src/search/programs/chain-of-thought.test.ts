import { expect, test } from "vitest";
import { simulated, stated } from "../../../test/helpers/reasoner.ts";
import { run } from "../../run.ts";
import { productChain } from "../../tasks/product-chain.ts";
import { chainOfThought } from "./chain-of-thought.ts";
import type { ReasoningModule } from "./module.ts";

const policy = stated("");

/** Always the same reply. */
const saying = <Input>(reply: string): ReasoningModule<string, Input, string> => ({
  name: reply,
  ask: () => simulated(reply, () => reply),
  read: (text) => (text === "???" ? { why: "it is nonsense" } : { value: text }),
});

test("the answer is asked for with the reasoning before it, whose steps are executed", async () => {
  const chain = productChain.parse("24*88*4*74");
  const search = (reasoning: string) =>
    chainOfThought<string>({
      reason: saying(reasoning),
      answer: (reasons) => stated(reasons?.split("\n").at(-1) ?? "no reasons"),
      check: (of, steps) => productChain.check(of, steps).steps,
    });
  const right = await run(search("74*24=76;88*4*76\n76*4=4;88*4\n4*88=52"), chain, { policy });
  expect([right.text, right.spent.calls]).toEqual(["4*88=52", 1]);
  expect(right.outcome?.steps?.map(({ valid }) => valid)).toEqual([true, true, true]);
  const wrong = await run(search("74*24=77;88*4*77\nso 5"), chain, { policy });
  expect(wrong.outcome?.steps).toEqual([
    { text: "74*24=77;88*4*77", valid: false, why: "74*24 is 76 mod 100, not 77" },
  ]);
  const none = await run(search("???"), chain, { policy });
  expect([none.text, none.outcome?.reasoning, none.outcome?.steps]).toEqual(["no reasons", undefined, undefined]);
  expect(none.outcome?.failedSteps.map(({ why }) => why)).toEqual(["it is nonsense"]);
});
