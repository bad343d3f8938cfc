import { describe, expect, test } from "vitest";
import type { Cost } from "../budget.ts";
import type { Model } from "../model.ts";
import { tabular } from "../models/tabular.ts";
import type { Node } from "../node.ts";
import type { Judgement } from "../scorer.ts";
import { valueToken } from "./value-token.ts";

// After "?", yes and no have 0.6 and 0.2, whatever stands before.
const model = tabular({
  alphabet: "yn?.",
  maxLength: 9,
  conditional: (text) => (text.endsWith("?") ? [0.6, 0.2, 0, 0.2] : [0.25, 0.25, 0.25, 0.25]),
});
const context = { problem: { id: "p", prompt: "12345" }, text: (state: string) => state };
const request = { ...context, seed: 1, signal: new AbortController().signal };
const node = (state: string) => ({ state }) as Node<string>;

describe("value-token", () => {
  test("is P(yes) / (P(yes) + P(no)), in one call within its bound", async () => {
    const scorer = valueToken<string>(model);
    const { score, cost } = (await scorer.score(node("yn"), request)) as Required<Judgement>;
    expect(score).toMatchObject({ kind: "probability", value: expect.closeTo(0.75, 12) });
    const bound = scorer.bound?.(node("yn"), context) as Cost;
    for (const unit of ["tokens", "promptTokens", "calls", "nanodollars"] as const)
      expect([unit, cost[unit] <= bound[unit]]).toEqual([unit, true]);
    expect([cost.calls, cost.tokens, cost.promptTokens]).toEqual([1, 1, 8]); // one reading of 12345, yn?
  });

  test("bounds conversations with their template, and what the model charges", async () => {
    const prompt = [{ role: "user", content: "12345" }] as const;
    const scorer = valueToken<string>({ ...model, price: { dollarsPerToken: 1e-3, dollarsPerPromptToken: 1e-6 } });
    const { cost } = (await scorer.score(node("yn"), {
      ...request,
      problem: { id: "p", prompt },
    })) as Required<Judgement>;
    const bound = scorer.bound?.(node("yn"), { ...context, problem: { id: "p", prompt } }) as Cost;
    expect(bound.promptTokens).toBeGreaterThanOrEqual(cost.promptTokens);
    expect(bound.nanodollars).toBe(1e6 + 1000 * bound.promptTokens); // a reading counts as one token
  });

  test.each([
    [[1, 0, 0, 0], 1],
    [[0, 1, 0, 0], 0],
    [[1e-300, 1e-300, 0, 1 - 2e-300], 0.5],
  ])("with the law %o it is %d", async (law, value) => {
    const sure = tabular({ alphabet: "yn?.", maxLength: 9, conditional: () => law });
    expect(((await valueToken<string>(sure).score(node(""), request)) as Judgement).score).toMatchObject({
      value: expect.closeTo(value, 12),
    });
  });

  test("where the model knows neither token, or gives no distribution, it says so", async () => {
    await expect(valueToken<string>(model, { yes: "Y", no: "N" }).score(node(""), request)).rejects.toThrow(
      "Neither 'Y' nor 'N' is a token of 'tabular'",
    );
    const { nextTokens: _, ...blind } = model;
    expect(() => valueToken(blind as Model)).toThrow("Cannot read values from 'tabular'");
  });
});
