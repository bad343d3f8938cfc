import { describe, expect, test } from "vitest";
import { fold, key } from "../../../key.ts";
import { random } from "../../../math/random.ts";
import { bestBackup, meanBackup } from "./backup.ts";
import { descend, mostValued, mostVisited, puct, type Select, uct } from "./select.ts";
import { Status, Tree } from "./tree.ts";

const search = { key: key(1), simulations: 1 };
const first = (): number => 1;

/** A root with one terminal child an action; `visits[i]` values have been backed up from child i. */
function bandit(weights: readonly number[], values: readonly (readonly number[])[], { turn = 1, raw = 0 } = {}): Tree {
  const tree = new Tree(turn);
  tree.raw[0] = raw;
  meanBackup.update(tree, 0, raw);
  tree.expand(0, [...weights.keys()], weights);
  for (const [i, those] of values.entries()) {
    if (those.length === 0) continue;
    const child = tree.below(0, i, first);
    tree.status[child] = Status.terminal;
    for (const value of those) meanBackup.update(tree, child, value);
  }
  return tree;
}

const chosen = (select: Select, tree: Tree): number => select.rule(search).choose(tree, 0);

describe("uct", () => {
  test("on a bandit it pulls exactly the arms that UCB1 pulls, and its regret is within the bound", () => {
    const means = [0.3, 0.5, 0.45, 0.8, 0.1];
    const pulls = 4000;
    const rewardOf = (arm: number, pull: number) =>
      random(fold(key(2), `${arm} ${pull}`)).uniform() < (means[arm] as number) ? 1 - arm / 1e6 : arm / 1e6;

    // Auer, Cesa-Bianchi & Fischer 2002, figure 1.
    const ucb1: number[] = [];
    const sums = means.map(() => 0);
    const counts = means.map(() => 0);
    for (let n = 0; n < pulls; n++) {
      const bounds = means.map((_, j) => {
        const [sum, count] = [sums[j] as number, counts[j] as number];
        return count === 0 ? Infinity : sum / count + Math.sqrt((2 * Math.log(n)) / count);
      });
      const arm = bounds.indexOf(Math.max(...bounds));
      sums[arm] = (sums[arm] as number) + rewardOf(arm, counts[arm] as number);
      counts[arm] = (counts[arm] as number) + 1;
      ucb1.push(arm);
    }

    const tree = bandit([1, 1, 1, 1, 1], []);
    const rule = uct().rule(search);
    const pulled = ucb1.map(() => {
      const leaf = descend(tree, rule, first);
      tree.status[leaf] = Status.terminal;
      meanBackup.update(tree, leaf, rewardOf(leaf - 1, tree.visits[leaf] as number));
      return leaf - 1; // children are opened in the order of the arms
    });
    expect(pulled).toEqual(ucb1);

    // Their theorem 1: E[pulls of an arm with gap d] <= 8 ln n / d^2 + 1 + pi^2 / 3.
    for (const [arm, mu] of means.entries())
      if (mu < 0.8)
        expect(counts[arm]).toBeLessThanOrEqual((8 * Math.log(pulls)) / (0.8 - mu) ** 2 + 1 + Math.PI ** 2 / 3);
  });

  test("by hand: q + c sqrt(ln N / n); with c = 0 the best mean, ties to the earlier", () => {
    // N = 4, ln 4 = 1.386. Means 0.5 and 0.4, n = 3 and 1: 0.5 + c 0.680 against 0.4 + c 1.177; they cross at c = 0.201.
    const tree = bandit([1, 1], [[0, 1, 0.5], [0.4]]);
    expect([0, 0.2, 0.202, 1].map((c) => chosen(uct({ c }), tree))).toEqual([0, 0, 1, 1]);
    expect(chosen(uct({ c: 0 }), bandit([1, 1], [[0.5], [0.5]]))).toBe(0);
  });
});

describe("puct", () => {
  test("by hand, with the least as q of the unvisited", () => {
    // Node: raw 0.2, then 0.8, 0.6, 0.1 from below: mean 0.425, N = 4. Children: q 0.7 (n 2), 0.1 (n 1), unvisited.
    // q in [0, 1]: (0.7 - 0.1) / 0.6 = 1, 0, and 0. pb_c = 1.25 + ln((4 + 19653) / 19652) = 1.250254; sqrt N = 2.
    // Scores: 1 + 0.2 * 2.500509 / 3 = 1.1667; 0 + 0.15 * 2.500509 / 2 = 0.1875; 0 + p * 2.500509.
    const choice = (p: number) => {
      const tree = bandit([1, 1, 1], [[0.8, 0.6], [0.1]], { raw: 0.2 });
      tree.weight.set([0.2, 0.15, p]); // the prior of the unvisited one is free, the others' are as above
      tree.mass[0] = 1;
      return chosen(puct(), tree);
    };
    // 1.1667006 / 2.5005088 = 0.46658...
    const edge = (1 + (0.2 * 2 * (1.25 + Math.log(19657 / 19652))) / 3) / (2 * (1.25 + Math.log(19657 / 19652)));
    expect(edge).toBeCloseTo(0.46659, 5);
    expect([choice(edge - 1e-6), choice(edge + 1e-6)]).toEqual([0, 2]);
  });

  test("is the same whatever the scale of the values, and turned round for the second player", () => {
    const values = [[0.8, 0.6], [0.1], [0.5, 0.55, 0.6]];
    const scaled = (a: number, b: number) => values.map((those) => those.map((value) => a * value + b));
    for (const weights of [
      [0.5, 0.3, 0.2],
      [0.8, 0.15, 0.05],
    ]) {
      const expected = chosen(puct(), bandit(weights, values, { raw: 0.2 }));
      expect(chosen(puct(), bandit(weights, scaled(1000, -300), { raw: -100 }))).toBe(expected);
      expect(chosen(puct(), bandit(weights, scaled(-1, 0), { raw: -0.2, turn: -1 }))).toBe(expected);
    }
  });

  test("without any visit the most probable child is first, equal ones in the given order", () => {
    const rank = (weights: number[]) => {
      const tree = bandit(weights, []);
      return tree.action[chosen(puct(), tree)];
    };
    expect([rank([0.2, 0.5, 0.3]), rank([0.4, 0.2, 0.4])]).toEqual([1, 0]);
  });
});

test("visits underway count as lost for whoever chose them, and as nothing once they are there", () => {
  for (const turn of [1, -1]) {
    // Two equal children; the worst value of the tree for the player who moves is `worst`.
    const [good, worst] = [0.5 * turn, -1 * turn];
    const tree = bandit([1, 1, 1], [[good, good], [good, good], [worst]], { turn, raw: 0 });
    expect(chosen(uct({ c: 0.1 }), tree)).toBe(0);
    tree.mark(1, 1);
    expect(tree.valueFor(turn, 1)).toBeCloseTo((2 * 0.5 - 1) / 3, 12);
    expect(tree.playsOf(0)).toBe(6);
    expect(chosen(uct({ c: 0.1 }), tree)).toBe(1);
    tree.mark(1, -1);
    expect([chosen(uct({ c: 0.1 }), tree), tree.playsOf(0)]).toEqual([0, 5]);
  }
});

test("closed children are passed over; a node of none but such is closed too", () => {
  const tree = bandit([1, 1], [[0.9], [0.1]]);
  tree.status[1] = Status.closed;
  for (const select of [uct(), puct()]) expect(chosen(select, tree)).toBe(1);
  tree.status[2] = Status.closed;
  for (const select of [uct(), puct()]) expect(chosen(select, tree)).toBe(-1);
  expect([descend(tree, uct().rule(search), first), tree.status[0]]).toEqual([-1, Status.closed]);
});

test("backing up the best makes every node the minimax of its visited children", () => {
  // Root maximises over two nodes of the second player with values {0.9, 0.2} and {0.4, 0.5}: minimax is 0.4.
  const tree = new Tree(1);
  tree.expand(0, [0, 1], [1, 1]);
  for (const [i, values] of [
    [0.9, 0.2],
    [0.4, 0.5],
  ].entries()) {
    const node = tree.below(0, i, () => -1);
    tree.expand(node, [0, 1], [1, 1]);
    for (const [j, value] of values.entries())
      bestBackup.update(tree, tree.below(node, (tree.first[node] as number) + j, first), value);
  }
  expect([tree.value[0], tree.value[1], tree.value[4], tree.visits[0]]).toEqual([0.4, 0.2, 0.4, 4]);
});

test("the final choice: most visits or best value, ties to the earlier", () => {
  const tree = bandit([1, 1, 1], [[0.1, 0.1], [0.9], [0.2, 0.2]]);
  expect([mostVisited(tree), mostValued(tree)]).toEqual([0, 1]);
  expect([mostVisited(new Tree(1)), mostValued(new Tree(1))]).toEqual([-1, -1]);
});

test("a node that widens keeps its edges, and so do its neighbours", () => {
  const tree = new Tree(1);
  tree.expand(0, [7, 8], [1, 1]);
  const nodes = [tree.below(0, 0, first), tree.below(0, 1, first)];
  for (let i = 0; i < 1000; i++) tree.widen(nodes[i % 2] as number, i);
  for (const [which, node] of nodes.entries()) {
    const [from, to] = tree.edgesOf(node);
    expect([...tree.action.subarray(from, to)]).toEqual(Array.from({ length: 500 }, (_, i) => 2 * i + which));
    expect(tree.mass[node]).toBe(500);
  }
  expect(tree.edges).toBeLessThan(2 + 2 * 1024); // blocks double
});

test.each([
  ["c", () => uct({ c: -1 })],
  ["c", () => puct({ c: Number.NaN })],
  ["base", () => puct({ base: 0 })],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
