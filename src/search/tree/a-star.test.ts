import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { fold, key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { randomTabular, type TabularModel } from "../../models/tabular.ts";
import type { Node } from "../../node.ts";
import type { TextState } from "../../policies/text.ts";
import { aStar } from "./a-star.ts";
import { mostLikely } from "./most-likely.ts";

/** log p of the best way to finish each partial answer, by enumeration. */
function bestRest(model: TabularModel): (node: Node<TextState>) => number {
  const texts = model.enumerate("");
  return ({ state, totalLogProb }) =>
    Math.max(...texts.filter(({ text }) => text.startsWith(state.text)).map(({ logProb }) => logProb)) - totalLogProb;
}

describe("on random models", () => {
  const models = split(key(71), 60).map((place) => randomTabular({ key: place, symbols: 4, maxLength: 3 }));

  test("any admissible bound finds the mode and proves it, and looks at no more than bound 0", async () => {
    for (const [i, model] of models.entries()) {
      const chance = random(fold(key(72), i));
      const rest = bestRest(model);
      const bound = (node: Node<TextState>) => rest(node) + chance.uniform() * 2; // above 0 at times: counts as 0
      const { text, outcome, spent } = await solve(model, aStar<TextState>({ bound }));
      expect([text, outcome?.exact]).toEqual([model.mostLikely("").text, true]);
      expect(spent.calls).toBeLessThanOrEqual((await solve(model, mostLikely<TextState>())).spent.calls);
    }
  });

  test("a bound that knows the rest goes straight to the mode: one reading a letter, and one for the end", async () => {
    for (const model of models) {
      const rest = bestRest(model);
      const bound = (node: Node<TextState>) => rest(node) + 1e-12; // admissible in spite of rounding
      const { text = "", outcome, spent } = await solve(model, aStar<TextState>({ bound }));
      expect([text, outcome?.exact]).toEqual([model.mostLikely("").text, true]);
      expect(spent.calls).toBe(text.length + 1);
    }
  });

  test("a bound that knows nothing is no bound", async () => {
    for (const model of models.slice(0, 20)) {
      const blind = await solve(model, aStar<TextState>({ bound: () => Number.NaN }));
      const plain = await solve(model, mostLikely<TextState>());
      expect([blind.answer?.id, blind.spent.calls]).toEqual([plain.answer?.id, plain.spent.calls]);
    }
  });

  test("it never claims more than it knows", async () => {
    let [claims, retreats] = [0, 0];
    for (const [i, model] of models.entries()) {
      const settings = i % 2 === 0 ? { maxNodes: 1 + (i % 5) } : { branch: 1 + (i % 3) };
      const { text, outcome } = await solve(model, aStar<TextState>({ bound: bestRest(model), ...settings }));
      if (outcome?.exact) {
        claims++;
        expect(text).toBe(model.mostLikely("").text);
      } else retreats++;
    }
    expect(claims).toBeGreaterThan(10); // both happen
    expect(retreats).toBeGreaterThan(5);
  });
});

test.each([
  ["branch", 0],
  ["maxNodes", -1],
])("refuses %s = %d by name", (name, value) => {
  expect(() => aStar({ bound: () => 0, [name]: value })).toThrow(`'${name}'`);
});
