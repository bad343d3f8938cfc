import { describe, expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { key, split } from "../../key.ts";
import { randomTabular, type TabularModel, tabular } from "../../models/tabular.ts";
import type { Node } from "../../node.ts";
import type { TextState } from "../../policies/text.ts";
import { beam } from "./beam.ts";
import { diverseBeam } from "./diverse-beam.ts";
import { cumulative, embedding, hamming, ngram } from "./penalties.ts";

/** The letter that a node appends; "." where it ends. */
const stepOf = ({ state, parent }: Node<TextState>) => state.text.slice(parent?.state.text.length) || ".";
const texts = (nodes: readonly Node<TextState>[] | undefined) => nodes?.map(({ state }) => state.text);
const ids = (nodes: readonly Node<TextState>[] | undefined) => nodes?.map(({ id }) => id);

const models = split(key(21), 60).map((place) => randomTabular({ key: place, symbols: 4, maxLength: 4 }));
const penalties = [
  hamming(stepOf),
  cumulative(stepOf, { gamma: 2 }),
  ngram(stepOf),
  embedding<TextState>((node) => (stepOf(node) === "a" ? [1, 0] : [1, 1])),
];

describe.each(penalties)("with $name", (penalty) => {
  test("one group of any strength is beam search, node for node", async () => {
    for (const model of models) {
      const diverse = await solve(model, diverseBeam({ penalty, width: 3, groups: 1, strength: 5 }));
      const plain = await solve(model, beam<TextState>({ width: 3 }));
      expect(ids(diverse.outcome?.candidates)).toEqual(ids(plain.outcome?.candidates));
      expect(diverse.spent.calls).toBe(plain.spent.calls);
    }
  });

  test("strength 0 makes each group the beam of its width; otherwise the first group still is", async () => {
    for (const strength of [0, 0.7])
      for (const model of models.slice(0, 30)) {
        const { outcome, answer } = await solve(model, diverseBeam({ penalty, width: 4, groups: 2, strength }));
        const plain = await solve(model, beam<TextState>({ width: 2, branch: 4 }));
        const expected = texts(plain.outcome?.candidates);
        expect(texts(outcome?.groups[0])).toEqual(expected);
        if (strength === 0) expect(texts(outcome?.groups[1])).toEqual(expected);
        expect(answer?.totalLogProb).toBeGreaterThanOrEqual((plain.answer?.totalLogProb as number) - 1e-12);
      }
  });
});

test("the Hamming penalty as fairseq charges it, by hand", async () => {
  // Two groups of one. Each time: log p so far - strength * (charged so far + 1 if group 1 takes the same letter now).
  const rows: Record<string, number[]> = { "": [0.5, 0.3, 0.2, 0], a: [0.4, 0.35, 0, 0.25], b: [0.9, 0.1, 0, 0] };
  const model = tabular({ alphabet: "abc.", maxLength: 2, conditional: (text) => rows[text] as number[] });
  const groups = async (strength: number) =>
    (await solve(model, diverseBeam({ penalty: hamming(stepOf), width: 2, strength }))).outcome?.groups.map(texts);
  // Time 1: group 1 takes a, -0.693. Group 2: a -0.693 - strength, b -1.204, c -1.609: b from 0.511 on.
  // 0.50: a, charged 1. Time 2: group 1 aa. Group 2: aa -1.609 - 1.0, ab -1.743 - 0.5, a. -2.079 - 0.5: ab.
  expect(await groups(0.5)).toEqual([["aa"], ["ab"]]);
  // 0.52: b, charged 0. Time 2: ba -1.309 - 0.52, bb -3.507: ba. Group 1 has aa there, but b does not recover its own time.
  expect(await groups(0.52)).toEqual([["aa"], ["ba"]]);
  // 2.20: ba -1.309 - 2.2 = -3.509 falls behind bb -3.507.
  expect(await groups(2.2)).toEqual([["aa"], ["bb"]]);
  // 0.10: a. Time 2: aa -1.609 - 0.2 = -1.809, ab -1.743 - 0.1 = -1.843: aa again, and then it is kept once.
  expect(await groups(0.1)).toEqual([["aa"], ["aa"]]);
});

test("looking at `width` children misses nothing that looking at the whole vocabulary finds (Hamming)", async () => {
  for (const model of split(key(22), 80).map((place) => randomTabular({ key: place, symbols: 7, maxLength: 3 })))
    for (const [width, groups] of [
      [2, 2],
      [4, 2],
      [3, 3],
    ] as const) {
      const { outcome } = await solve(model, diverseBeam({ penalty: hamming(stepOf), width, groups, strength: 0.6 }));
      expect(outcome?.groups.map(texts)).toEqual(byDefinition(model, width, groups, 0.6));
    }
});

/** Algorithm 1 with the Hamming penalty over whole rows, on strings; texts of each group, best first. */
function byDefinition(model: TabularModel, width: number, groups: number, strength: number): string[][] {
  interface Hypothesis {
    readonly text: string;
    readonly logProb: number;
    readonly charge: number;
  }
  const rank = ({ logProb, charge }: Hypothesis) => logProb - strength * charge;
  // log p of the next letter, as the ratio of what all texts below weigh
  const weights = new Map<string, number>();
  for (const { text, logProb } of model.enumerate(""))
    for (let end = 0; end <= text.length + 1; end++) {
      const prefix = end > text.length ? `${text}.` : text.slice(0, end);
      weights.set(prefix, (weights.get(prefix) ?? 0) + Math.exp(logProb));
    }
  let kept: Hypothesis[][] = Array.from({ length: groups }, () => [{ text: "", logProb: 0, charge: 0 }]);
  for (let time = 1; kept.flat().some(({ text }) => !text.endsWith(".")); time++) {
    const taken: string[] = [];
    kept = kept.map((group) => {
      const grown = group
        .filter(({ text }) => !text.endsWith("."))
        .flatMap(({ text, charge }) =>
          [...model.alphabet].map((letter) => ({
            text: text + letter,
            logProb: Math.log(weights.get(text + letter) ?? 0),
            charge: charge + taken.filter((one) => one === letter).length,
          })),
        );
      const next = [...group.filter(({ text }) => text.endsWith(".")), ...grown]
        .sort((a, b) => rank(b) - rank(a))
        .slice(0, width / groups);
      taken.push(...next.filter(({ text }) => text.length === time).map(({ text }) => text.slice(-1)));
      return next;
    });
  }
  return kept.map((group) => group.map(({ text }) => text.slice(0, -1)));
}

test("among near-duplicates it is more diverse than a beam of the same width, and its best is likelier here", async () => {
  // a is followed by three coins: eight texts of 0.106, much alike; b is followed by ccc, for sure: 0.15,
  // less than each of the four texts that begin with a has after three letters.
  const model = tabular({
    alphabet: "abcd.",
    maxLength: 4,
    conditional: (text) =>
      text === "" ? [0.85, 0.15, 0, 0, 0] : text[0] === "b" ? [0, 0, 1, 0, 0] : [0.5, 0, 0, 0.5, 0],
  });
  const plain = await solve(model, beam<TextState>({ width: 4 }));
  const diverse = await solve(model, diverseBeam({ penalty: hamming(stepOf), width: 4, strength: 0.8 }));
  /** Distinct bigrams among all that were written. */
  const distinct2 = (nodes: readonly Node<TextState>[]) => {
    const grams = nodes.flatMap(({ state: { text } }) => [...text].slice(1).map((letter, i) => text[i] + letter));
    return new Set(grams).size / grams.length;
  };
  expect(plain.text).toMatch(/^a/);
  expect([diverse.text, model.mostLikely("").text]).toEqual(["bccc", "bccc"]);
  expect(Math.exp((diverse.answer?.totalLogProb as number) - (plain.answer?.totalLogProb as number))).toBeCloseTo(
    0.15 / (0.85 / 8),
    9,
  );
  expect(distinct2(diverse.outcome?.candidates ?? [])).toBeGreaterThan(distinct2(plain.outcome?.candidates ?? []));
  expect(diverse.spent.calls).toBeLessThanOrEqual(plain.spent.calls); // what two groups keep is read once
});

describe("penalties, by hand", () => {
  /** Texts as chains of nodes, a letter each. */
  const chain = (text: string): Node<string> =>
    [...text].reduce<Node<string>>(
      (parent, letter) =>
        ({ id: parent.state + letter, parent, state: parent.state + letter, depth: parent.depth + 1 }) as Node<string>,
      { id: "root", parent: undefined, state: "", depth: 0 } as Node<string> & { parent: undefined },
    );
  const letterOf = ({ state }: Node<string>) => state.slice(-1);
  const groups = [[chain("abc"), chain("abd")], [chain("xbc")]];

  test("Hamming counts the hypotheses with the same newest letter, of the same length", () => {
    const penalty = hamming(letterOf).against([...groups, [chain("c"), chain("cc")]]);
    expect(["abc", "zzc", "abd", "abe"].map((text) => penalty(chain(text)))).toEqual([2, 2, 1, 0]);
  });

  test("cumulative falls with the differences to a whole group", () => {
    const penalty = cumulative(letterOf, { gamma: 2 }).against(groups);
    // abc: 0 + 1 differences to group 1, 1 to group 2. zzz: 6 and 3. ab: one letter short each, 2; and 2.
    expect(penalty(chain("abc"))).toBeCloseTo(Math.exp(-1 / 2) + Math.exp(-1 / 2), 12);
    expect(penalty(chain("zzz"))).toBeCloseTo(Math.exp(-6 / 2) + Math.exp(-3 / 2), 12);
    expect(penalty(chain("ab"))).toBeCloseTo(Math.exp(-2 / 2) + Math.exp(-2 / 2), 12);
    expect(cumulative(letterOf).against([])(chain("abc"))).toBe(0);
  });

  test("n-grams count wherever they stand, each distinct one once", () => {
    const penalty = ngram(letterOf, { n: 2 }).against(groups);
    // ab twice, bc twice, bd once, xb once
    expect(["abc", "bcbc", "zab", "abdxb", "b"].map((text) => penalty(chain(text)))).toEqual([4, 2, 2, 4, 0]);
  });

  test("embeddings: the cosine of what was written last, summed over the last n", () => {
    const vectors: Record<string, number[]> = { a: [1, 0], b: [0, 1], c: [1, 1], d: [-1, 0], x: [0, 0], z: [0, 0] };
    const embed = ({ state }: Node<string>) => vectors[state.slice(-1)] as number[];
    // c against c, d, c: 1 - 0.707 + 1
    expect(embedding(embed).against(groups)(chain("zzc"))).toBeCloseTo(2 - Math.SQRT1_2, 12);
    // bc = (1, 2) against bc, bd = (-1, 1), bc
    expect(embedding(embed, { n: 2 }).against(groups)(chain("zbc"))).toBeCloseTo(2 + 1 / Math.sqrt(10), 12);
    expect(embedding(embed).against(groups)(chain("zzz"))).toBe(0);
  });

  test("refuses settings without meaning", () => {
    expect(() => cumulative(letterOf, { gamma: 0 })).toThrow("'gamma' must be above 0");
    expect(() => ngram(letterOf, { n: 0 })).toThrow("'n' must be a positive integer");
  });
});

test("a spent budget leaves the answers that were finished", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 5, conditional: () => [0.3, 0.3, 0.4] });
  const search = diverseBeam({ penalty: hamming(stepOf), width: 2, strength: 0 });
  const { text, stopped } = await solve(model, search, { budget: { calls: 1 } });
  expect([text, stopped.why]).toEqual(["", "answered"]); // one reading was enough
  const diverse = diverseBeam({ penalty: hamming(stepOf), width: 3, strength: 1 });
  const short = await solve(model, diverse, { budget: { calls: 2 } });
  expect([short.text, short.stopped]).toEqual(["", { why: "budget-spent", limit: "calls" }]);
});

test.each([
  ["width", 0],
  ["groups", 3],
  ["groups", 5],
  ["strength", -1],
  ["branch", 0.5],
])("refuses %s = %d by name", (name, value) => {
  expect(() => diverseBeam({ penalty: hamming<string>(String), [name]: value })).toThrow(`'${name}'`);
});
