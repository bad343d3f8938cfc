import { expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { fold, key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { treeOfThoughts } from "./tree-of-thoughts.ts";

const only = (wanted: string) => custom<TextState>("wanted", (text) => (text === wanted ? 1 : 0));
const coin = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.5, 0.5, 0] });
const two = { branch: 2, draw: "top" } as const;

test("best value first, to the end, then back to the last fork, by hand", async () => {
  const values: Record<string, number> = { a: 1, b: 2, aa: 9, ab: 8, ba: 1, bb: 3, baa: 5, bab: 6, bba: 4, bbb: 2 };
  const scorer = custom<TextState>("value", (text) => values[text] ?? 0);
  const order = async (settings: object) => {
    const { nodes, text } = await solve(
      coin,
      treeOfThoughts<TextState>({ ...two, scorer, verifier: only("bab"), ...settings }),
    );
    return [text, ...new Set(nodes.flatMap(({ parent }) => (parent ? [parent.state.text] : [])))];
  };
  // Both orders end at bab; a is never opened, as its 1 is less than b's 2.
  expect(await order({})).toEqual(["bab", "", "b", "bb", "bba", "bbb", "ba", "bab"]);
  // Not above 3: bb and all that is below it are pruned, and ba too; nothing is left.
  expect(await order({ threshold: 3 })).toEqual([undefined, ""]);
  // Not above 0.5: as without. Not above 2: b itself is 2.
  expect(await order({ threshold: 0.5 })).toEqual(["bab", "", "b", "bb", "bba", "bbb", "ba", "bab"]);
});

test("nothing pruned, it finds whatever can be found; a sound threshold only makes it cheaper", async () => {
  for (const place of split(key(101), 30)) {
    const model = randomTabular({ key: place, symbols: 3, maxLength: 3 });
    const texts = model.enumerate("").map(({ text }) => text);
    const wanted = texts[random(place).integer(texts.length)] as string;
    // 1 where the wanted text can still be reached; other values are noise.
    const scorer = custom<TextState>("value", (text) =>
      wanted.startsWith(text) ? 1 : random(fold(place, text)).uniform() * 0.9,
    );
    const blind = custom<TextState>("noise", (text) => random(fold(place, text)).uniform());
    const settings = { branch: 3, draw: "top", verifier: only(wanted) } as const;
    const all = await solve(model, treeOfThoughts<TextState>({ ...settings, scorer: blind }));
    const pruned = await solve(model, treeOfThoughts<TextState>({ ...settings, scorer, threshold: 0.95 }));
    expect([all.text, pruned.text]).toEqual([wanted, wanted]);
    expect(pruned.spent.calls).toBeLessThanOrEqual(wanted.length + 1);
  }
});

test("without a verifier the first answer that was not pruned ends it", async () => {
  const scorer = custom<TextState>("b's", (text) => text.split("b").length - 1);
  const { text, spent } = await solve(coin, treeOfThoughts<TextState>({ ...two, scorer }));
  expect([text, spent.calls]).toEqual(["bbb", 4]);
});

test("limits: states grown, and steps", async () => {
  const scorer = custom<TextState>("b's", (text) => text.split("b").length - 1);
  const settings = { ...two, scorer, verifier: only("aaa") };
  const few = await solve(coin, treeOfThoughts<TextState>({ ...settings, maxNodes: 5 }));
  expect([few.text, few.spent.calls]).toEqual(["bbb", 5]); // not what was wanted, but the one that was reached
  const shallow = await solve(coin, treeOfThoughts<TextState>({ ...settings, maxSteps: 2 }));
  expect([shallow.text, shallow.spent.calls]).toEqual([undefined, 3]); // no text has an end within two steps
  const all = await solve(coin, treeOfThoughts<TextState>(settings));
  expect([all.text, all.spent.calls]).toEqual(["aaa", 15]);
});

test("answers below the last state that is grown are judged", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.3, 0.3, 0.4] });
  const settings = { branch: 3, draw: "top", scorer: custom<TextState>("even", () => 1), maxNodes: 1 } as const;
  const { outcome } = await solve(model, treeOfThoughts<TextState>({ ...settings, verifier: only("") }));
  expect(outcome?.candidates.map(({ state, score }) => [state.text, score])).toEqual([
    ["", { kind: "reward", value: 1 }],
  ]);
});

test("what could not be scored is gone into after its scored siblings, and not pruned", async () => {
  const scorer = custom<TextState>("half", (text) => (text.startsWith("a") ? Number.NaN : 1));
  const settings = { ...two, scorer, threshold: 0.5 };
  const { text, spent } = await solve(coin, treeOfThoughts<TextState>({ ...settings, verifier: only("abb") }));
  expect([text, spent.calls]).toEqual(["abb", 7 + 7 + 1]);
});

test.each([
  ["branch", 0],
  ["threshold", Number.NaN],
  ["maxSteps", 0],
  ["maxNodes", 0],
])("refuses %s = %d by name", (name, value) => {
  expect(() => treeOfThoughts({ [name]: value })).toThrow(`'${name}'`);
});
