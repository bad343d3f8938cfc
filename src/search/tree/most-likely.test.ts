import { describe, expect, test } from "vitest";
import { lawOf, solve } from "../../../test/helpers/solve.ts";
import { Failed } from "../../errors.ts";
import { key, split } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { text } from "../../policies/text.ts";
import { mostLikely } from "./most-likely.ts";

describe("on 200 random models", () => {
  const models = split(key(4), 200).map((place) => randomTabular({ key: place, symbols: 4, maxLength: 3 }));

  test("it is the mode that enumeration finds, and says so", async () => {
    for (const model of models) {
      const { text, answer, outcome } = await solve(model, mostLikely<TextState>());
      const mode = model.mostLikely("");
      expect([text, outcome?.exact]).toEqual([mode.text, true]);
      expect(answer?.totalLogProb).toBeCloseTo(mode.logProb, 10);
    }
  });

  test("with too little budget, too few nodes or too few branches it never claims more than it knows", async () => {
    let claims = 0;
    let retreats = 0;
    for (const [i, model] of models.slice(0, 80).entries())
      for (const [options, budget] of [
        [{}, { calls: i % 12 }],
        [{}, { tokens: i % 30 }],
        [{ maxNodes: 1 + (i % 8) }, {}],
        [{ branch: 1 + (i % 3) }, {}],
      ] as const) {
        const { text, outcome } = await solve(model, mostLikely<TextState>(options), { budget });
        if (!outcome?.exact) retreats++;
        else {
          claims++;
          expect(text).toBe(model.mostLikely("").text);
        }
      }
    expect(claims).toBeGreaterThan(50); // both happen, so that both are tested
    expect(retreats).toBeGreaterThan(50);
  });

  test("where a reading fails, what lies below it may be missing: not exact, unless it could not have mattered", async () => {
    let claims = 0;
    let retreats = 0;
    for (const model of models.slice(0, 60)) {
      const broken = {
        ...model,
        nextTokens: (prefix: Parameters<typeof model.nextTokens>[0], options: { signal: AbortSignal }) =>
          prefix.text === "b" ? Promise.reject(new Failed("unavailable", "down")) : model.nextTokens(prefix, options),
      };
      const { text: found, outcome } = await solve(model, mostLikely<TextState>(), {
        policy: text(broken, { step: "token", maxAnswerTokens: 100 }),
      });
      if (!outcome?.exact) retreats++;
      else {
        claims++;
        expect(found).toBe(model.mostLikely("").text);
      }
    }
    expect(claims).toBeGreaterThan(5);
    expect(retreats).toBeGreaterThan(5);
  });
});

test("reads no more than the partial answers that are more likely than the mode", async () => {
  // One text of probability 0.9 per character: only its four prefixes are read.
  const model = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.9, 0.1, 0] });
  const { spent, outcome } = await solve(model, mostLikely<TextState>());
  expect([spent.calls, outcome?.answer?.state.text]).toEqual([4, "aaa"]);
});

test("of equally likely answers, a finished one before those that could only equal it", async () => {
  const model = tabular({
    alphabet: "ab.",
    maxLength: 2,
    conditional: (text) => (text === "" ? [0.5, 0, 0.5] : [0, 1, 0]),
  });
  expect([...lawOf(model).values()]).toEqual([Math.log(0.5), Math.log(0.5)]);
  expect((await solve(model, mostLikely<TextState>())).text).toBe("");
});
