import { describe, expect, test } from "vitest";
import { chiSquareP } from "../../../test/helpers/chi-square.ts";
import { lawOf, solve } from "../../../test/helpers/solve.ts";
import { key, split } from "../../key.ts";
import { randomTabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { greedy, sample } from "./sample.ts";

describe("sample", () => {
  test.each(["answer", "token"] as const)("by %s: the law of its answers is the model's", async (step) => {
    const model = randomTabular({ key: key(1), symbols: 3, maxLength: 3, concentration: 4 });
    const law = lawOf(model);
    const n = 3000;
    const { outcome, answer } = await solve(model, sample<TextState>({ n }), { step, seed: 1 });
    const counts = new Map<string, number>([...law.keys()].map((text) => [text, 0]));
    for (const { state, totalLogProb } of outcome?.candidates ?? []) {
      counts.set(state.text, (counts.get(state.text) as number) + 1);
      expect(totalLogProb).toBeCloseTo(law.get(state.text) as number, 10);
    }
    // Texts too rare to be tested alone share a cell.
    const cells = [...law].map(([text, logProb]) => [counts.get(text) as number, Math.exp(logProb)] as const);
    const [common, rare] = [cells.filter(([, p]) => n * p >= 5), cells.filter(([, p]) => n * p < 5)];
    const rest = rare.reduce(([count, p], [c, q]) => [count + c, p + q] as const, [0, 0] as const);
    const tested = n * rest[1] >= 5 ? [...common, rest] : common;
    expect(tested.length).toBeGreaterThan(10);
    expect(
      chiSquareP(
        tested.map(([count]) => count),
        tested.map(([, p]) => p),
      ),
    ).toBeGreaterThan(0.001);
    expect(answer).toBe(outcome?.candidates[0]); // no choice among them
  });

  test("with less budget than draws it gives those it could pay for", async () => {
    const model = randomTabular({ key: key(2), symbols: 4, concentration: 5 });
    const whole = await solve(model, sample<TextState>({ n: 5 }), { step: "answer" });
    const part = await solve(model, sample<TextState>({ n: 5 }), { step: "answer", budget: { calls: 3 } });
    expect(part.stopped).toEqual({ why: "budget-spent", limit: "calls" });
    expect(part.outcome?.candidates.map(({ id, state }) => [id, state])).toEqual(
      whole.outcome?.candidates.slice(0, 3).map(({ id, state }) => [id, state]),
    );
  });

  test.each([0, -1, 1.5, Number.NaN, 1e9 + 0.5])("refuses n = %d", (n) => {
    expect(() => sample({ n })).toThrow(/'n' must be a whole number in \[1, 100000\]: current value is/);
  });
});

describe("greedy", () => {
  test("is the argmax of every step, on twenty random models, by token as by whole answer", async () => {
    for (const place of split(key(3), 20)) {
      const model = randomTabular({ key: place, symbols: 4, maxLength: 4 });
      let text = "";
      for (;;) {
        const next = await model.nextTokens({ prompt: "", text }, { signal: new AbortController().signal });
        if (next.texts[0] === "") break;
        text += next.texts[0];
      }
      for (const step of ["token", "answer"] as const)
        expect((await solve(model, greedy<TextState>(), { step })).text).toBe(text);
    }
  });
});
