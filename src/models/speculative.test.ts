import { describe, expect, test } from "vitest";
import { chiSquareP } from "../../test/helpers/chi-square.ts";
import { fold, type Key, key, seedOf, split } from "../key.ts";
import { random } from "../math/random.ts";
import type { Completion, GenerateRequest, Model, Sampling } from "../model.ts";
import { type DraftNode, growTree, nodesOf } from "./draft.ts";
import { byProbability, transform } from "./sampling.ts";
import { scripted } from "./scripted.ts";
import { speculative, tokensPerPass } from "./speculative.ts";
import { randomTabular, tabular, type TabularModel } from "./tabular.ts";

const { signal } = new AbortController();
const prefix = { prompt: "", text: "" };
const seeds = (count: number): number[] => split(key(7), count).map(seedOf);
const tree = { size: 6, depth: 3, width: 3 };

async function completions(model: Model, request: Partial<GenerateRequest>): Promise<Completion[]> {
  const all: Completion[] = [];
  for await (const part of model.generate({ prefix, seeds: [1], maxTokens: 100, sampling: {}, signal, ...request }))
    if (part.type === "completion") all[part.index] = part.completion;
    else if (part.type === "failure") throw new Error(part.failure.message);
  return all;
}

/** The target's law with a share of another in it: 0 is the target itself, 1 knows nothing of it. */
function blurred(target: TabularModel, share: number, seed = 9, maxLength = 4): TabularModel {
  const noise = randomTabular({ key: fold(key(seed), "noise"), symbols: target.alphabet, maxLength });
  const row = (model: TabularModel, text: string) => rowOf(model, text).map(Math.exp);
  return tabular({
    alphabet: target.alphabet,
    maxLength,
    conditional: (text) => row(target, text).map((p, i) => (1 - share) * p + share * (row(noise, text)[i] as number)),
  });
}

/** log p of each character after a text, by enumeration: a tabular model is asked in promises only. */
function rowOf(model: TabularModel, text: string): number[] {
  const known = (rows.get(model) ?? rows.set(model, enumerated(model)).get(model)) as Map<string, number[]>;
  return known.get(text) as number[];
}
const rows = new Map<TabularModel, Map<string, number[]>>();
function enumerated(model: TabularModel): Map<string, number[]> {
  const mass = new Map<string, number>();
  const ends = new Map<string, number>();
  for (const { text, logProb } of model.enumerate()) {
    ends.set(text, Math.exp(logProb));
    for (let n = 0; n <= text.length; n++)
      mass.set(text.slice(0, n), (mass.get(text.slice(0, n)) ?? 0) + Math.exp(logProb));
  }
  return new Map(
    Array.from(mass, ([text, total]) => [
      text,
      Array.from(model.alphabet, (letter, i) =>
        Math.log((i === model.alphabet.length - 1 ? (ends.get(text) ?? 0) : (mass.get(text + letter) ?? 0)) / total),
      ),
    ]),
  );
}

/** log q of every whole text under sampling settings. */
function lawOf(model: TabularModel, sampling: Sampling): Map<string, number> {
  const law = new Map<string, number>();
  for (const { text } of model.enumerate()) {
    let logQ = 0;
    for (let n = 0; n <= text.length; n++) {
      const token = n === text.length ? model.alphabet.length - 1 : model.alphabet.indexOf(text[n] as string);
      logQ += transform(rowOf(model, text.slice(0, n)), sampling)[token] as number;
    }
    law.set(text, logQ);
  }
  return law;
}

const target = randomTabular({ key: key(3), symbols: 4, maxLength: 4, concentration: 0.7 });

describe("the law is the target's", () => {
  const settings: Sampling[] = [{}, { temperature: 0.5 }, { temperature: 1.6, topK: 3 }, { topP: 0.8, minP: 0.1 }];
  const cases = [
    { sampling: {}, share: 0.3, draftTokens: 1 },
    ...settings.flatMap((sampling) => [0, 0.3, 1].map((share) => ({ sampling, share, draftTokens: 3 }))),
  ];
  test.each(cases)(
    "a chain of $draftTokens, draft $share off, under $sampling",
    async ({ sampling, share, draftTokens }) => {
      const model = speculative({ target, draft: blurred(target, share), draftTokens });
      const drawn = await completions(model, { seeds: seeds(800), sampling });
      const law = lawOf(target, sampling);
      const rising = [...law].sort(([, a], [, b]) => a - b);
      const cells: { texts: string[]; probability: number }[] = [{ texts: [], probability: 0 }]; // rare texts together
      for (const [text, logQ] of rising) {
        if ((cells[0]?.probability as number) * 800 >= 10) cells.unshift({ texts: [], probability: 0 });
        const cell = cells[0] as (typeof cells)[0];
        cell.texts.push(text);
        cell.probability += Math.exp(logQ);
      }
      const counts = cells.map(({ texts }) => drawn.filter(({ text }) => texts.includes(text)).length);
      expect(counts.reduce((a, b) => a + b, 0)).toBe(800);
      expect(
        chiSquareP(
          counts,
          cells.map(({ probability }) => probability),
        ),
      ).toBeGreaterThan(1e-4); // 13 tests: one false alarm in 700
      const truth = new Map(target.enumerate().map(({ text, logProb }) => [text, logProb]));
      for (const { text, logProb, logProposal, length, finish } of drawn) {
        expect([length, finish]).toEqual([text.length + 1, "end"]);
        expect(logProb).toBeCloseTo(truth.get(text) as number, 9);
        expect(logProposal).toBeCloseTo(law.get(text) as number, 9);
      }
    },
  );

  test.each(settings.concat({ temperature: 0 }))(
    "a tree gives the very texts of the target, seed by seed: %o",
    async (sampling) => {
      const request = { seeds: seeds(200), sampling };
      const essence = ({ cost: _, ...rest }: Completion) => rest;
      const plain = await completions(target, request);
      for (const share of [0, 0.3, 1]) {
        const drawn = await completions(speculative({ target, draft: blurred(target, share), tree }), request);
        expect(drawn.map(essence)).toEqual(plain.map(essence));
      }
    },
  );

  test("at temperature 0 a chain is greedy too, whatever the draft and the seed", async () => {
    const sampling = { temperature: 0 };
    const [greedy] = await completions(target, { sampling });
    const drawn = await completions(speculative({ target, draft: blurred(target, 1) }), { sampling, seeds: seeds(20) });
    expect(new Set(drawn.map(({ text }) => text))).toEqual(new Set([greedy?.text]));
  });

  test("it ends where the target would: at stop texts, boundaries, the token limit; deltas make up the text", async () => {
    const ways = [
      { stop: ["ab", "c"] },
      { until: (text: string) => (text.length > 1 ? 2 : undefined) },
      { maxTokens: 2 },
    ];
    for (const way of ways) {
      const request = { seeds: seeds(60), ...way };
      const plain = await completions(target, request);
      const model = speculative({ target, draft: blurred(target, 0.2), tree });
      const shown = plain.map(() => "");
      const drawn: Completion[] = [];
      for await (const part of model.generate({ prefix, maxTokens: 9, sampling: {}, signal, stream: true, ...request }))
        if (part.type === "text-delta") shown[part.index] += part.delta;
        else if (part.type === "completion") drawn[part.index] = part.completion;
      const essence = ({ text, tokens, length, finish }: Completion) => [text, tokens, length, finish];
      expect(drawn.map(essence)).toEqual(plain.map(essence));
      expect(shown).toEqual(plain.map(({ text }) => text));
    }
  });
});

describe("how much is accepted", () => {
  const endless = (...row: number[]) => tabular({ alphabet: "ab.", maxLength: 2001, conditional: () => row });

  test("a draft that is the target has everything accepted", async () => {
    const same = endless(0.6, 0.4, 0);
    const model = speculative({ target: same, draft: same, draftTokens: 4 });
    await completions(model, { maxTokens: 500 });
    expect(model.counts).toEqual({ passes: 100, drafted: 400, accepted: 400, tokens: 500 });
  });

  test.each([1, 2, 5])(
    "with constant acceptance a pass brings (1 − a^(γ+1))/(1 − a) tokens, γ = %d",
    async (draftTokens) => {
      const model = speculative({ target: endless(0.5, 0.5, 0), draft: endless(0.8, 0.2, 0), draftTokens });
      await completions(model, { maxTokens: 1200 });
      const a = 0.7; // Σ min(p, q)
      const expected = tokensPerPass(a, draftTokens);
      expect(expected).toBeCloseTo([1.7, 2.19, 2.94117][[1, 2, 5].indexOf(draftTokens)] as number, 10);
      // Tokens of a pass: 1 + a geometric variable cut at γ.
      const second = Array.from(
        { length: draftTokens + 1 },
        (_, i) => (i + 1) ** 2 * a ** i * (i < draftTokens ? 1 - a : 1),
      );
      const variance = second.reduce((sum, x) => sum + x, 0) - expected ** 2;
      const { passes, tokens } = model.counts;
      expect(Math.abs(tokens / passes - expected)).toBeLessThan(
        4 * Math.sqrt(variance / passes) + (draftTokens + 1) / passes,
      );
    },
  );

  test("recursive rejection of a tree's children, one by one, has the law of one draw and a look", () => {
    const q = [0.1, 0.4, 0.3, 0.15, 0.05];
    for (const children of [[1], [3, 0], [2, 4, 1], [0, 1, 2, 3, 4]]) {
      const law = q.map(() => 0);
      let left = [...q]; // the target's law, given that all so far were refused
      let reached = 1;
      for (const child of children) {
        const share = left[child] as number; // the draft's law is certain of it: min(1, left / 1)
        law[child] = reached * share;
        reached *= 1 - share;
        left = left.map((p, i) => (i === child ? 0 : p / (1 - share)));
      }
      expect(1 - reached).toBeCloseTo(
        children.reduce((sum, child) => sum + (q[child] as number), 0),
        12,
      );
      for (const [i, p] of q.entries()) expect((law[i] as number) || reached * (left[i] as number)).toBeCloseTo(p, 12);
    }
  });

  test("a pass of a tree accepts what of the target's law its children hold", async () => {
    const model = speculative({
      target: endless(0.5, 0.5, 0),
      draft: endless(0.8, 0.2, 0),
      tree: { size: 2, depth: 1, width: 2 },
    });
    await completions(model, { maxTokens: 400 });
    expect(model.counts).toMatchObject({ passes: 200, accepted: 200 }); // both are there: always two tokens
  });
});

describe("dynamic trees", () => {
  /** Mean passes of the target until a text ends, exactly: the tree at each text is known. */
  function meanPasses(model: TabularModel, treeAt: (text: string) => DraftNode): number {
    const known = new Map<string, number>();
    const end = model.alphabet.length - 1;
    const from = (text: string): number => {
      const found = known.get(text);
      if (found !== undefined) return found;
      let passes = 1;
      const visit = (node: DraftNode, at: string, probability: number): void => {
        for (const [token, logQ] of rowOf(model, at).entries()) {
          if (token === end || logQ === -Infinity) continue;
          const next = at + model.alphabet[token];
          const child = node.children.get(token);
          if (child) visit(child, next, probability * Math.exp(logQ));
          else passes += probability * Math.exp(logQ) * from(next);
        }
      };
      visit(treeAt(text), text, 1);
      known.set(text, passes);
      return passes;
    };
    return from("");
  }

  /** All sets of `size` paths of ranks that hold the beginnings of their paths. */
  function shapes(size: number, ranks: number): number[][][] {
    const found = new Map<string, number[][]>();
    const grow = (paths: number[][]): void => {
      const name = paths
        .map((path) => path.join("."))
        .sort()
        .join(" ");
      if (found.has(`${paths.length} ${name}`)) return;
      found.set(`${paths.length} ${name}`, paths);
      if (paths.length === size) return;
      for (const parent of [[], ...paths])
        for (let rank = 0; rank < ranks; rank++) {
          const path = [...parent, rank];
          if (!paths.some((one) => one.join() === path.join())) grow([...paths, path]);
        }
    };
    grow([]);
    const whole = [...found.values()].filter((paths) => paths.length === size);
    return whole.map((paths) => paths.sort((a, b) => a.length - b.length)); // parents first
  }

  /** Texts of six letters, after each of which the next is sure or unsure: how far to draft depends on the text. */
  const wordy = (place: Key): TabularModel =>
    tabular({
      alphabet: "abc.",
      maxLength: 6,
      conditional(text) {
        const stream = random(fold(place, text));
        return [
          ...stream.shuffled(
            stream.pick([
              [0.96, 0.03, 0.01],
              [0.4, 0.32, 0.28],
            ]),
          ),
          0,
        ];
      },
    });

  test("they need fewer passes than the best of all static trees of their size, exactly", async () => {
    const size = 4;
    const all = shapes(size, 3);
    expect(all).toHaveLength(273); // ternary trees of 5 nodes with the root: C(15, 5) / 11
    const gains: number[] = [];
    for (let seed = 0; seed < 3; seed++) {
      const big = wordy(fold(key(21), seed));
      const small = blurred(big, 0.2, seed, 6);
      const texts = [...enumerated(big).keys()];
      const after = (text: string, path: readonly number[]) =>
        rowOf(small, text + path.map((token) => big.alphabet[token]).join(""));
      const grown = new Map<string, DraftNode>();
      for (const text of texts) {
        const lawsAfter = async (paths: readonly (readonly number[])[]) => paths.map((path) => after(text, path));
        grown.set(text, await growTree({ size, depth: size, width: 4 }, lawsAfter, (token) => token === 3));
      }
      const ranked = new Map(texts.map((text) => [text, byProbability(after(text, []), [0, 1, 2])]));
      const staticTree = (shape: readonly (readonly number[])[], text: string): DraftNode => {
        const root: DraftNode = { path: [], children: new Map() };
        const places = new Map([["", { node: root, text }]]);
        for (const ranks of shape) {
          const parent = places.get(ranks.slice(0, -1).join());
          const token = parent && ranked.get(parent.text)?.[ranks.at(-1) as number];
          if (!parent || token === undefined || parent.text.length === 6) continue; // nothing follows
          const node = { path: [...parent.node.path, token], children: new Map() };
          parent.node.children.set(token, node);
          places.set(ranks.join(), { node, text: parent.text + big.alphabet[token] });
        }
        return root;
      };
      const passes = all.map((shape) => meanPasses(big, (text) => staticTree(shape, text)));
      gains.push(Math.min(...passes) / meanPasses(big, (text) => grown.get(text) as DraftNode));
    }
    expect(gains.every((gain) => gain > 1)).toBe(true);
    expect(gains.reduce((a, b) => a + b, 0) / gains.length).toBeGreaterThan(1.04);
  });

  test("grown by hand: the most valuable nodes, the shallower of equals", async () => {
    const law = (...ps: number[]) => ps.map(Math.log);
    const laws: Record<string, number[]> = {
      "": law(0.5, 0.4, 0.1),
      "0": law(0.6, 0.3, 0.1),
      "1": law(0.9, 0.05, 0.05),
    };
    const root = await growTree(
      { size: 4, depth: 2, width: 2 },
      async (paths) => paths.map((path) => laws[path.join()] as number[]),
      (token) => token === 2,
    );
    // Values: 0 .5, 1 .4; 00 .3, 01 .15, 10 .36, 11 .02; 2 is the end.
    expect(nodesOf(root).map(({ path }) => path.join(""))).toEqual(["", "0", "00", "1", "10"]);
  });
});

test("refuses models that tell no distribution, other vocabularies, wrong numbers", async () => {
  expect(() => speculative({ target, draft: scripted({ replies: ["a"] }) })).toThrow(/'scripted' does not tell/);
  expect(() => speculative({ target, draft: target, draftTokens: 0 })).toThrow("'draftTokens'");
  expect(() => speculative({ target, draft: target, tree: { ...tree, width: 0 } })).toThrow("'tree.width'");
  for (const maxTokens of [0, Number.NaN])
    await expect(completions(speculative({ target, draft: target }), { maxTokens })).rejects.toThrow("'maxTokens'");
  const other = randomTabular({ key: key(1), symbols: "abx.", maxLength: 4 });
  await expect(completions(speculative({ target, draft: other }), {})).rejects.toThrow(/same tokens/);
});

test("a ledger tells chains of other drafts from each other, and a tree not from its target", () => {
  const revised = (revision: string): Model => ({ ...target, revision });
  const [one, two] = [revised("1"), revised("2")];
  const named = (model: Model) => `${model.id} ${model.revision}`;
  const chains = [target, one, two].map((draft) => named(speculative({ target: one, draft })));
  expect(new Set([...chains, named(one)]).size).toBe(4);
  expect(named(speculative({ target: one, draft: two, tree }))).toBe(named(one));
  expect(speculative({ target, draft: target })).not.toHaveProperty("revision");
});
