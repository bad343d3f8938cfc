import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { lawOf, solve } from "../../../test/helpers/solve.ts";
import { fold, key, split } from "../../key.ts";
import { random } from "../../math/random.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { beam } from "./beam.ts";
import { mostLikely } from "../tree/most-likely.ts";
import { greedy } from "../sampling/sample.ts";

interface Found {
  readonly text: string;
  readonly probability: number;
}
interface Case {
  readonly why: string;
  readonly alphabet: string;
  readonly maxLength: number;
  readonly rows: Readonly<Record<string, readonly number[]>>;
  readonly greedy: Found;
  readonly beamOf2: Found;
  readonly mostLikely: Found;
}
const cases = JSON.parse(
  readFileSync(new URL("../../../test/golden/greedy-beam-exact.json", import.meta.url), "utf8"),
) as Case[];

test.each(cases)("greedy < beam of two < exact: $why", async ({ alphabet, maxLength, rows, ...found }) => {
  const model = tabular({ alphabet, maxLength, conditional: (text) => rows[text] as readonly number[] });
  const searches = {
    greedy: greedy<TextState>(),
    beamOf2: beam<TextState>({ width: 2 }),
    mostLikely: mostLikely<TextState>(),
  };
  for (const [name, search] of Object.entries(searches)) {
    const { text, answer } = await solve(model, search);
    const { text: expected, probability } = found[name as keyof typeof searches];
    expect([name, text]).toEqual([name, expected]);
    expect(Math.exp(answer?.totalLogProb as number)).toBeCloseTo(probability, 12);
  }
});

describe("on 200 random models", () => {
  const models = split(key(5), 200).map((place) => randomTabular({ key: place, symbols: 3, maxLength: 3 }));

  test("width 1 is greedy; wide enough for all prefixes it is exact", async () => {
    for (const model of models.slice(0, 60)) {
      expect((await solve(model, beam<TextState>({ width: 1 }))).text).toBe(
        (await solve(model, greedy<TextState>())).text,
      );
      const { outcome } = await solve(model, beam<TextState>({ width: 15, branch: 3 })); // 1 + 2 + 4 + 8 texts
      const byLikelihood = model.enumerate("").sort((a, b) => b.logProb - a.logProb);
      expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(byLikelihood.map(({ text }) => text)); // all, best first
    }
  });

  test("greedy misses the mode on a third of them, a beam of two on a few", async () => {
    let greedyMisses = 0;
    let beamMisses = 0;
    for (const model of models) {
      const best = model.mostLikely("").logProb - 1e-9;
      if (((await solve(model, greedy<TextState>())).answer?.totalLogProb as number) < best) greedyMisses++;
      if (((await solve(model, beam<TextState>({ width: 2 }))).answer?.totalLogProb as number) < best) beamMisses++;
    }
    expect({ greedyMisses, beamMisses }).toEqual({ greedyMisses: 68, beamMisses: 12 }); // exact, as all is seeded
  });
});

test("the length penalty, by hand: log p / ((5 + length) / 6)^alpha", async () => {
  // Two texts: "", of one token (the end), p = 0.55; "aa", of three, p = 0.45.
  // alpha 0: log 0.55 = -0.598 beats log 0.45 = -0.799. alpha 1: -0.598 / 1 still beats -0.799 / (8 / 6) = -0.599.
  // alpha 1.1: -0.799 / 1.372 = -0.582 wins.
  const model = tabular({ alphabet: "a.", maxLength: 2, conditional: (text) => (text === "" ? [0.45, 0.55] : [1, 0]) });
  const winner = async (lengthPenalty: number) =>
    (await solve(model, beam<TextState>({ width: 2, lengthPenalty }))).text;
  expect([await winner(0), await winner(1), await winner(1.1), await winner(-5)]).toEqual(["", "", "aa", ""]);
});

test("ranked by a scorer, it keeps what the scorer likes; what it cannot score comes last", async () => {
  const model = randomTabular({ key: key(6), symbols: "abc.", maxLength: 3 });
  const liked = custom<TextState>("b's", (text) => (text.endsWith("a") ? Number.NaN : text.split("b").length));
  const { text, outcome } = await solve(model, beam<TextState>({ width: 4, scorer: liked }));
  expect(text).toBe("bbb");
  expect(outcome?.candidates.map(({ state }) => state.text).filter((one) => one.endsWith("a"))).toEqual([]);
});

describe("over steps by a value, as in AlphaMath's step-level beam and in tree of thoughts, breadth first", () => {
  // AlphaMath: while something is open, C = Top-B1 of { (s + a_b, V(s + a_b)): s in C, b = 1..B2 }; return Top-1 of C.
  // Tree of thoughts: S_t = the b of greatest value of { s + z: s in S_(t-1), z in G(s, k) }; return the best of S_T.
  test.each([
    [1, 3],
    [2, 2],
    [3, 4],
  ])("width %d, branch %d keeps what the definition keeps", async (width, branch) => {
    for (const place of split(key(61), 40)) {
      // Texts of four letters, for sure, so that all paths end together.
      const letters = randomTabular({ key: place, symbols: 5, maxLength: 4 });
      const model = tabular({
        alphabet: letters.alphabet,
        maxLength: 4,
        conditional: (text) => rowOf(text).map((p) => p / rowOf(text).reduce((sum, one) => sum + one, 0)),
      });
      const rowOf = (text: string) => {
        const stream = random(fold(place, text));
        return [...letters.alphabet].map((letter) => (letter === "." ? 0 : 0.1 + stream.uniform()));
      };
      const valueOf = (text: string) => random(fold(place, `value of ${text}`)).uniform();
      let kept = [""];
      for (let step = 0; step < 4; step++)
        kept = kept
          .flatMap((text) =>
            [...rowOf(text).entries()]
              .sort(([, p], [, q]) => q - p)
              .slice(0, Math.min(branch, 4))
              .map(([letter]) => text + letters.alphabet[letter]),
          )
          .sort((a, b) => valueOf(b) - valueOf(a))
          .slice(0, width);
      const scorer = custom<TextState>("value", valueOf);
      const { outcome } = await solve(model, beam<TextState>({ width, branch, draw: "top", scorer }));
      expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(kept);
    }
  });

  test("where the value knows more than the likelihood, it is right and both greedy and beam by likelihood are wrong", async () => {
    const model = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.8, 0.2, 0] });
    const value = custom<TextState>("value", (text) => ("bab".startsWith(text) ? 1 : 0));
    const settings = { width: 1, branch: 2, draw: "top" } as const;
    expect((await solve(model, greedy<TextState>())).text).toBe("aaa");
    expect((await solve(model, beam<TextState>({ ...settings, width: 2 }))).text).toBe("aaa");
    expect((await solve(model, beam<TextState>({ ...settings, scorer: value }))).text).toBe("bab");
  });
});

test("equal states are merged where they are told apart by text: the more probable stays", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 1, conditional: () => [0.5, 0.3, 0.2] });
  const first = (state: TextState) => (state.text === "" ? `${state.finish}` : "letter");
  const { outcome } = await solve(model, beam<TextState>({ width: 3, distinct: first }));
  expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(["a", ""]);
  expect([...lawOf(model).keys()]).toEqual(["", "a", "b"]);
});

test("what finished in the step that a spent budget cut short counts, and the best of it wins", async () => {
  const model = tabular({
    alphabet: "abc.",
    maxLength: 2,
    conditional: (text) => (text === "" ? [0.4, 0.3, 0.3, 0] : [0.05, 0.05, 0, 0.9]),
  });
  const likesB = custom<TextState>("b's", (text) => text.split("b").length - 1);
  const search = beam<TextState>({ width: 3, draw: "top", scorer: likesB });
  const { outcome } = await solve(model, search, { budget: { calls: 3 } }); // the root, two of its children
  expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(["b", "a"]);
});

test("where nothing that was kept gets finished, the best finished answer that was not kept is the answer", async () => {
  const model = tabular({
    alphabet: "ab.",
    maxLength: 9,
    conditional: (text) => (text === "" ? [0.5, 0.4, 0.1] : [0.5, 0.5, 0]),
  });
  const { text, outcome } = await solve(model, beam<TextState>({ width: 2, branch: 3, maxSteps: 3 }));
  expect([text, outcome?.candidates.length]).toEqual(["", 1]);
});

test("a spent budget leaves the finished answers, best first", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 5, conditional: () => [0.4, 0.3, 0.3] });
  const { text, stopped, outcome } = await solve(model, beam<TextState>({ width: 3 }), { budget: { calls: 3 } });
  expect([text, stopped.why, outcome?.candidates.length]).toEqual(["", "budget-spent", 1]);
});

test.each([
  ["width", 0],
  ["width", 1.5],
  ["branch", Number.NaN],
  ["maxSteps", -1],
  ["lengthPenalty", Infinity],
])("refuses %s = %d by name", (name, value) => {
  expect(() => beam({ [name]: value })).toThrow(`'${name}'`);
});
