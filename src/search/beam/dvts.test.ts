import { expect, test } from "vitest";
import { solve } from "../../../test/helpers/solve.ts";
import { key, split } from "../../key.ts";
import { randomTabular, tabular } from "../../models/tabular.ts";
import { childrenOf, type Node } from "../../node.ts";
import type { TextState } from "../../policies/text.ts";
import { custom } from "../../scorers/custom.ts";
import { beam } from "./beam.ts";
import { dvts } from "./dvts.ts";

const liked = custom<TextState>("b's", (text) => text.split("b").length - 1 - text.length / 10);
const valueOf = (node: Node<TextState>) => (node.score?.kind === "reward" ? node.score.value : Number.NaN);

test("each tree is greedy by the scorer, and the best of all last siblings is the answer", async () => {
  const [trees, branch] = [3, 4];
  for (const [seed, model] of split(key(41), 60)
    .map((place) => randomTabular({ key: place, symbols: 4, maxLength: 4 }))
    .entries()) {
    const { nodes, outcome, answer } = await solve(model, dvts<TextState>({ trees, branch, scorer: liked }), { seed });
    const children = childrenOf(nodes);
    const starts = children.get(nodes[0] as Node<TextState>) ?? [];
    expect(starts).toHaveLength(trees * branch);
    const ends: Node<TextState>[] = [];
    let grown = 1;
    for (let tree = 0; tree < trees; tree++) {
      let last = starts.slice(tree * branch, (tree + 1) * branch);
      for (;;) {
        // of equals the earliest, as childrenOf is in order of place
        const best = last.reduce((a, b) => (valueOf(b) > valueOf(a) ? b : a));
        if (best.done) break;
        last = children.get(best) ?? [];
        expect(last).toHaveLength(branch);
        grown++;
      }
      ends.push(...last.filter(({ done }) => done));
    }
    expect(children.size).toBe(grown); // nothing else was grown
    expect(new Set(outcome?.candidates)).toEqual(new Set(ends));
    expect(answer && valueOf(answer)).toBe(Math.max(...ends.map(valueOf)));
  }
});

test("with one child a step it is best-of-n; with a scorer that knows the end and every step drawn it is exact", async () => {
  const model = randomTabular({ key: key(42), symbols: "abc.", maxLength: 3 });
  const { outcome, nodes, answer } = await solve(model, dvts<TextState>({ trees: 6, branch: 1, scorer: liked }), {
    seed: 3,
  });
  expect(outcome?.candidates).toHaveLength(6);
  expect(answer && valueOf(answer)).toBe(Math.max(...nodes.filter(({ done }) => done).map(valueOf)));

  // Reward of a text: b's, weighed by place. The scorer knows the most that a prefix can still come to.
  const reward = (text: string) => [...text].reduce((sum, letter, i) => sum + (letter === "b" ? i + 1 : 0), 0);
  const even = tabular({ alphabet: "ab.", maxLength: 3, conditional: () => [0.5, 0.5, 0] });
  const knowing = custom<TextState>("best end", (text) => reward(text.padEnd(3, "b")));
  // The chance that one of three times ten fair coins never shows b: 3 / 1024, settled by the seed.
  expect((await solve(even, dvts<TextState>({ trees: 1, branch: 10, scorer: knowing }), { seed: 1 })).text).toBe("bbb");
});

test("trees stay apart where a beam of the same cost would fill with one early step", async () => {
  // The scorer likes everything after a better than anything after b, until the end: only b's ends are good.
  const model = tabular({
    alphabet: "ab.",
    maxLength: 3,
    conditional: (text) => (text === "" ? [0.3, 0.7, 0] : [0.5, 0.5, 0]),
  });
  const late = custom<TextState>("late", (text) => (text[0] === "a" ? 1 : text.length === 3 ? 2 : 0));
  const trees = await solve(model, dvts<TextState>({ trees: 8, branch: 2, scorer: late }), { seed: 2 });
  // Each tree keeps to b where both of its first draws are b: 0.49 a tree.
  expect(trees.text?.[0]).toBe("b");
  const together = await solve(model, beam<TextState>({ width: 2, branch: 8, draw: "sample", scorer: late }), {
    seed: 2,
  });
  expect(together.text?.[0]).toBe("a");
});

test("a spent budget leaves the answers that were reached", async () => {
  const model = tabular({ alphabet: "ab.", maxLength: 6, conditional: () => [0.3, 0.3, 0.4] });
  const { answer, stopped } = await solve(model, dvts<TextState>({ trees: 5, branch: 2, scorer: liked }), {
    budget: { calls: 12 },
    seed: 4,
  });
  expect([answer?.done, stopped]).toEqual([true, { why: "budget-spent", limit: "calls" }]);
});

test.each([
  ["trees", 0],
  ["branch", 1.5],
])("refuses %s = %d by name", (name, value) => {
  expect(() => dvts({ [name]: value })).toThrow(`'${name}'`);
});
