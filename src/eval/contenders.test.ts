import { describe, expect, test } from "vitest";
import { parseMethod } from "../methods/compact.ts";
import { missingBaselines } from "./contenders.ts";

describe("baselines", () => {
  test("are as many draws as any budget affords, or 16 where a budget has no limit", () => {
    const labels = (budgets: object[], model = {}) =>
      missingBaselines([parseMethod("greedy")], budgets, model).map(({ label }) => label);
    expect(labels([{ tokens: 256 }, { calls: 8 }])).toEqual(["sample:1", "majority:1000", "best-of-n:1000"]);
    expect(labels([{ tokens: 0 }])).toEqual(labels([{ calls: 8 }]));
    // Dollars limit nothing where the model costs none.
    expect(labels([{ dollars: 1 }])).toEqual(labels([{}]));
    expect(labels([{ dollars: 1 }], { price: { dollarsPerPromptToken: 0, dollarsPerToken: 1 } })).toEqual(
      labels([{ calls: 8 }]),
    );
    expect(labels([{ tokens: 256 }, {}])).toEqual(["sample:1", "majority:16", "best-of-n:16"]);
  });

  test("are not added where the method is listed, whatever its size", () => {
    const listed = ["majority:4", "best-of-n:4?scorer=likelihood"].map(parseMethod);
    expect(missingBaselines(listed, [{ tokens: 9 }], {}).map(({ label }) => label)).toEqual(["sample:1"]);
  });
});
