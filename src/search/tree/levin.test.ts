import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { key, split } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { levin } from "./levin.ts";
import { mostLikely } from "./most-likely.ts";

const models = split(key(91), 25).map((place) => randomTabular({ key: place, symbols: 4, maxLength: 3 }));
const everything = { branch: 4, draw: "top", maxNodes: 10_000 } as const;
const only = (wanted: string) => custom<TextState>("wanted", (text) => (text === wanted ? 1 : 0));

describe("finding one text among all", () => {
  test("takes at most d / π expansions, for every text of every model", async () => {
    let nearest = 0;
    for (const model of models)
      for (const { text, logProb } of model.enumerate("")) {
        const { text: found, spent } = await solve(model, levin<TextState>({ ...everything, verifier: only(text) }));
        expect(found).toBe(text);
        // Nodes of the path: the root, a letter each, and the end.
        const bound = (text.length + 2) / Math.exp(logProb);
        expect(spent.calls).toBeLessThanOrEqual(bound);
        nearest = Math.max(nearest, spent.calls / bound);
      }
    expect(nearest).toBeGreaterThan(0.3); // the bound says something
  });

  test("with a guide the bound is that of the softmax of rewards", async () => {
    const temperature = 0.5;
    const reward = (text: string) => text.split("b").length - 1 - text.length / 3;
    const even = tabular({ alphabet: "abc.", maxLength: 3, conditional: () => [0.5, 0.3, 0.2, 0] });
    const guide = { scorer: custom<TextState>("reward", reward), temperature };
    for (const { text } of even.enumerate("")) {
      const { text: found, spent } = await solve(
        even,
        levin<TextState>({ ...everything, guide, verifier: only(text) }),
      );
      expect(found).toBe(text);
      let policy = 1; // each text's letters, then its only end
      for (let at = 0; at < text.length; at++) {
        const weights = [..."abc"].map((letter) => Math.exp(reward(text.slice(0, at) + letter) / temperature));
        const own = weights["abc".indexOf(text[at] as string)] as number;
        policy *= own / weights.reduce((sum, weight) => sum + weight, 0);
      }
      expect(spent.calls).toBeLessThanOrEqual((text.length + 2) / policy);
    }
  });
});

test("without a verifier the answer is that of least d / π, by enumeration", async () => {
  for (const model of models) {
    const { text } = await solve(model, levin<TextState>(everything));
    const cost = (one: { text: string; logProb: number }) => (one.text.length + 2) / Math.exp(one.logProb);
    expect(text).toBe(model.enumerate("").reduce((a, b) => (cost(b) < cost(a) ? b : a)).text);
  }
});

test("a long path that is certain does not hold it up, as it would by log-probability alone", async () => {
  // After a everything is certain for 60 letters; the needle is bb, of 0.4. By log-probability all of a's path comes first.
  const model = tabular({
    alphabet: "ab.",
    maxLength: 60,
    conditional: (text) =>
      text === "" ? [0.6, 0.4, 0] : text[0] === "a" ? [1, 0, 0] : text === "b" ? [0, 1, 0] : [0, 0, 1],
  });
  const { text, spent } = await solve(model, levin<TextState>({ ...everything, verifier: only("bb") }));
  expect(text).toBe("bb");
  expect(spent.calls).toBeLessThanOrEqual(4 / 0.4);
  expect((await solve(model, mostLikely<TextState>())).spent.calls).toBe(61); // to the end of a's path
});

test("where nothing is accepted the best judged answer is left, and a limit is kept", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.4, 0.2, 0.4] });
  const verifier = custom<TextState>("b's", (text) => text.split("b").length - 1);
  const { text, outcome } = await solve(model, levin<TextState>({ ...everything, verifier, enough: 9 }));
  expect([text, outcome?.candidates.length]).toEqual(["bbb", 15]);
  const short = await solve(model, levin<TextState>({ ...everything, verifier, enough: 9, maxNodes: 3 }));
  expect(short.spent.calls).toBe(3);
  expect(short.answer?.done).toBe(true);
});

test("what is on the queue when the limit is reached is an answer too, the likeliest for its length first", async () => {
  // Each letter is followed by the end, so finished answers are waiting while letters of more probability are grown.
  const model = tabular({ alphabet: "ab.", maxLength: 9, conditional: () => [0.7, 0.2, 0.1] });
  const { answer, outcome } = await solve(model, levin<TextState>({ ...everything, maxNodes: 2 }));
  expect([answer?.state.text, answer?.done]).toEqual(["", true]);
  expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(["", "a"]);
});

test.each([
  ["branch", 0],
  ["enough", Number.NaN],
  ["maxNodes", 0.5],
])("refuses %s = %d by name", (name, value) => {
  expect(() => levin({ [name]: value })).toThrow(`'${name}'`);
  expect(() => levin({ guide: { scorer: only("a"), temperature: 0 } })).toThrow("'temperature'");
});
