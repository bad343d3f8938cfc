import { expect, test } from "vitest";
import { simulated, stated } from "../../../test/helpers/reasoner.ts";
import { run } from "../../run.ts";
import { leastToMost } from "./least-to-most.ts";

const policy = stated("");
const problem = { id: "parts", prompt: "" };

test("each sub-question knows the earlier answers, the question itself all of them", async () => {
  const asked: string[] = [];
  const search = (questions: readonly string[] | undefined, most?: number) =>
    leastToMost<string>({
      decompose: {
        name: "decompose",
        ask: () => simulated("decompose", () => ""),
        read: () => (questions ? { value: questions } : { why: "it lists no questions" }),
      },
      solve: {
        name: "solve",
        ask({ question, earlier }) {
          asked.push(`${earlier.map((one) => one.answer).join()} ${question}`);
          return simulated(`solve ${question}`, () => (question === "b" ? "???" : `${question}!`));
        },
        read: (text) => (text === "???" ? { why: "it is nonsense" } : { value: text }),
      },
      answer: (earlier) => stated(earlier.map(({ question, answer }) => question + answer).join(" ")),
      ...(most !== undefined && { most }),
    });
  const { text, outcome, spent } = await run(search(["a", "b", "c"]), problem, { policy });
  expect(asked).toEqual([" a", "a! b", "a! c"]);
  expect([text, outcome?.ended, spent.calls]).toEqual(["aa! cc!", "by-parts", 4]);
  expect(outcome?.failedSteps.map(({ module, why }) => [module, why])).toEqual([["solve", "it is nonsense"]]);
  expect((await run(search(["a", "c", "d"], 2), problem, { policy })).text).toBe("aa! cc!");
  const whole = await run(search(undefined), problem, { policy });
  expect([whole.text, whole.outcome?.ended, whole.spent.calls]).toEqual(["", "not-decomposed", 1]);
  expect(() => search([], 0)).toThrow("'most'");
});
