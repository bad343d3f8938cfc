import { expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { fold, key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { bestFirst } from "./best-first.ts";
import { bestOfN } from "../sampling/best-of-n.ts";

const branch = 4;
const everything = { branch, draw: "top" } as const;

test("with a scorer that knows the best end it is the enumerated best path, one expansion a step", async () => {
  for (const place of split(key(81), 80)) {
    const model = randomTabular({ key: place, symbols: branch, maxLength: 4 });
    const rewardOf = (text: string) => random(fold(place, text)).uniform();
    const texts = model.enumerate("").map(({ text }) => text);
    const best = texts.reduce((a, b) => (rewardOf(b) > rewardOf(a) ? b : a));
    const exact = custom<TextState>("best end", (text) =>
      Math.max(...texts.filter((one) => one.startsWith(text)).map(rewardOf)),
    );
    // A finished answer is worth what it is, not what its text could still become.
    const scorer = {
      ...exact,
      score: (...[node, request]: Parameters<typeof exact.score>) =>
        node.done ? { kind: "reward" as const, value: rewardOf(node.state.text) } : exact.score(node, request),
    };
    const { text, spent } = await solve(model, bestFirst<TextState>({ ...everything, scorer }));
    expect([text, spent.calls]).toEqual([best, best.length + 1]);
  }
});

test("it leaves a path that turns out badly for an older one", async () => {
  // Liked: a 5, b 4, aa 1, ab 2, ba 6. Order: "", a, b, ba; then its end.
  const likes: Record<string, number> = { a: 5, b: 4, aa: 1, ab: 2, ba: 6, bb: 0 };
  const model = tabular({ alphabet: "ab.", maxLength: 2, conditional: () => [0.6, 0.4, 0] });
  const scorer = custom<TextState>("likes", (text) => likes[text] ?? 0);
  const { text, nodes } = await solve(model, bestFirst<TextState>({ branch: 2, draw: "top", scorer }));
  expect(text).toBe("ba");
  const grown = [...new Set(nodes.map(({ parent }) => parent?.state.text))];
  expect(grown).toEqual([undefined, "", "a", "b", "ba"]);
});

test("with an exact process scorer it is right more often than best-of-n, for a tenth of the draws", async () => {
  // Six letters, each right with 0.5. Best of 64 is right with 1 - (1 - 1/64)^64 = 0.635.
  const model = tabular({ alphabet: "ab.", maxLength: 6, conditional: () => [0.5, 0.5, 0] });
  const scorer = custom<TextState>("right so far", (text) => ("abbaba".startsWith(text) ? 1 : 0));
  const total = { bestFirst: { right: 0, tokens: 0 }, bestOfN: { right: 0, tokens: 0 } };
  for (let seed = 0; seed < 60; seed++)
    for (const [name, search] of [
      ["bestFirst", bestFirst<TextState>({ branch: 4, scorer, maxNodes: 11 })],
      ["bestOfN", bestOfN<TextState>({ n: 64, scorer })],
    ] as const) {
      const { text, spent } = await solve(model, search, { seed });
      if (text === "abbaba") total[name].right++;
      total[name].tokens += spent.tokens;
    }
  expect(total.bestFirst.right).toBeGreaterThan(total.bestOfN.right);
  expect(total.bestFirst.tokens).toBeLessThan(total.bestOfN.tokens / 10);
});

test("equally liked: the deeper first, so that it does not go broad", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 8, conditional: () => [0.5, 0.5, 0] });
  const { spent } = await solve(
    model,
    bestFirst<TextState>({ branch: 2, draw: "top", scorer: custom("same", () => 1) }),
  );
  expect(spent.calls).toBe(9);
});

test("at its limit it answers with the best finished answer; unscored ones come last", async () => {
  const model = tabular({ alphabet: "abc.", maxLength: 6, conditional: () => [0.3, 0.2, 0.1, 0.4] });
  // Longer is always better, so a finished answer comes off late.
  const longer = custom<TextState>("length", (text) => (text.endsWith("c") ? Number.NaN : text.length));
  const settings = { branch: 4, draw: "top", scorer: longer } as const;
  const { text, outcome } = await solve(model, bestFirst<TextState>({ ...settings, maxNodes: 3 }));
  expect([text, outcome?.candidates.map(({ state }) => state.text)]).toEqual(["aa", ["aa", "a", ""]]);
  expect((await solve(model, bestFirst<TextState>({ ...settings, maxNodes: 3 }), { budget: { calls: 2 } })).text).toBe(
    "a",
  );
});

test.each([
  ["branch", 0],
  ["maxNodes", 0],
])("refuses %s = %d by name", (name, value) => {
  expect(() => bestFirst({ [name]: value })).toThrow(`'${name}'`);
});
