import { describe, expect, test } from "vitest";
import { chiSquareP } from "../../../../test/helpers/chi-square.ts";
import { fold, key } from "../../../key.ts";
import { random } from "../../../math/random.ts";
import { meanBackup } from "./backup.ts";
import { consideredVisits, gumbel } from "./gumbel.ts";
import { descend, type SelectRule } from "./select.ts";
import { Status, Tree } from "./tree.ts";

const first = (): number => 1;

/** A root of terminal children worth `values[action]`, after so many simulations. */
function searched(
  rule: SelectRule,
  priors: readonly number[],
  values: readonly number[],
  simulations: number,
  { raw = 0, turn = 1 } = {},
): { tree: Tree; visits: number[] } {
  const tree = new Tree(turn);
  tree.raw[0] = raw;
  meanBackup.update(tree, 0, raw);
  tree.expand(0, [...priors.keys()], priors);
  const actions: number[] = [];
  for (let i = 0; i < simulations; i++) {
    const leaf = descend(tree, rule, (action) => (actions.push(action), 1));
    tree.status[leaf] = Status.terminal;
    meanBackup.update(tree, leaf, values[actions[leaf - 1] as number] as number);
  }
  const visits = priors.map(() => 0);
  for (const [i, action] of actions.entries()) visits[action] = tree.visits[i + 1] as number;
  return { tree, visits };
}

const actionOf = (tree: Tree, edge: number | undefined): number => tree.action[edge as number] as number;

describe("Sequential Halving: the visits of the child that is due, simulation by simulation", () => {
  // m children, n simulations: ceil(log2 m) phases of n / phases simulations each, round by round.
  test.each([
    [4, 8, [0, 0, 0, 0, /* two left, twice */ 1, 1, 2, 2]],
    [8, 24, [0, 0, 0, 0, 0, 0, 0, 0, /* four, twice */ 1, 1, 1, 1, 2, 2, 2, 2, /* two */ 3, 3, 4, 4, 5, 5, 6, 6]],
    [7, 24, [0, 0, 0, 0, 0, 0, 0, /* three, twice */ 1, 1, 1, 2, 2, 2, /* two */ 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8]],
    [8, 13, [0, 0, 0, 0, 0, 0, 0, 0, /* four, once */ 1, 1, 1, 1, /* two */ 2]],
    [8, 2, [0, 0]],
    [3, 10, [0, 0, 0, /* two, twice */ 1, 1, 2, 2, /* what is left */ 3, 3, 4]],
    [1, 4, [0, 1, 2, 3]],
  ])("%d children, %d simulations", (m, simulations, expected) => {
    expect(Array.from({ length: simulations }, (_, i) => consideredVisits(m, simulations, i))).toEqual(expected);
  });

  test("the search keeps to it: after 24 simulations of 8 children, half have 1 visit, the best two have 7", () => {
    const rule = gumbel({ considered: 8, noise: 0 }).rule({ key: key(1), simulations: 24 });
    const values = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8];
    const { tree, visits } = searched(rule, new Array<number>(8).fill(1 / 8), values, 24);
    expect(visits).toEqual([1, 1, 1, 1, 3, 3, 7, 7]);
    expect(actionOf(tree, rule.final?.(tree))).toBe(7);
  });
});

describe("completed values", () => {
  // Priors 0.5, 0.3, 0.2; raw value 0.1. Visited: the first once, worth 0.4, the second once, worth 0.8.
  // Mixed value: (0.1 + 2 * (0.5 * 0.4 + 0.3 * 0.8) / 0.8) / 3 = (0.1 + 2 * 0.55) / 3 = 0.4.
  // In [0, 1]: 0, 1 and 0. sigma = (50 + 1) * 0.1 = 5.1 times that.
  // softmax(log p + sigma): 0.5, 0.3 e^5.1, 0.2, divided by their sum.
  const expected = [0.5, 0.3 * Math.exp(5.1), 0.2].map((weight) => weight / (0.7 + 0.3 * Math.exp(5.1)));

  test.each([1, -1])("by hand, for the player of turn %d", (turn) => {
    const rule = gumbel({ considered: 2, noise: 0 }).rule({ key: key(1), simulations: 2 });
    const worth = [0.4 * turn, 0.8 * turn, 0];
    const { tree, visits } = searched(rule, [0.5, 0.3, 0.2], worth, 2, { raw: 0.1 * turn, turn });
    expect(visits).toEqual([1, 1, 0]);
    for (const [i, policy] of rule.improved?.(tree).entries() ?? [])
      expect(policy).toBeCloseTo(expected[i] as number, 12);
    expect(actionOf(tree, rule.final?.(tree))).toBe(1);
  });

  test("the improved policy is never worth less than the prior, whatever the values", () => {
    for (let i = 0; i < 300; i++) {
      const stream = random(fold(key(3), i));
      const count = 2 + stream.integer(6);
      const weights = Array.from({ length: count }, () => stream.uniform());
      const total = weights.reduce((sum, weight) => sum + weight);
      const priors = weights.map((weight) => weight / total);
      const values = priors.map(() => stream.normal());
      const simulations = 1 + stream.integer(30);
      const rule = gumbel({ considered: 4 }).rule({ key: fold(key(4), i), simulations });
      const { tree, visits } = searched(rule, priors, values, simulations, { raw: stream.normal() });
      const visited = priors.map((_, action) => (visits[action] as number) > 0);
      const seen = priors.reduce((sum, p, a) => sum + (visited[a] ? p : 0), 0);
      const average = priors.reduce((sum, p, a) => sum + (visited[a] ? p * (values[a] as number) : 0), 0) / seen;
      const mixed = ((tree.raw[0] as number) + simulations * average) / (simulations + 1);
      const completed = values.map((value, action) => (visited[action] ? value : mixed));
      const worth = (policy: readonly number[]) =>
        policy.reduce((sum, p, edge) => sum + p * (completed[actionOf(tree, edge)] as number), 0);
      const prior = priors.map((_, edge) => priors[actionOf(tree, edge)] as number);
      expect(worth(rule.improved?.(tree) ?? [])).toBeGreaterThanOrEqual(worth(prior) - 1e-12);
    }
  });
});

test("where all values are equal the chosen move is a draw from the prior, and those visited are drawn without replacement", () => {
  const priors = [0.5, 0.3, 0.15, 0.05];
  const counts = priors.map(() => 0);
  const draws = 4000;
  for (let i = 0; i < draws; i++) {
    const rule = gumbel({ considered: 2 }).rule({ key: fold(key(5), i), simulations: 4 });
    const { tree, visits } = searched(rule, priors, [0, 0, 0, 0], 4);
    expect([...visits].sort()).toEqual([0, 0, 2, 2]);
    const move = actionOf(tree, rule.final?.(tree));
    counts[move] = (counts[move] as number) + 1;
  }
  expect(chiSquareP(counts, priors)).toBeGreaterThan(1e-4); // false alarm: 1e-4, and the seed is fixed
});

test("closed children are left out: of the schedule, of the final choice and of the policy", () => {
  const rule = gumbel({ considered: 2, noise: 0 }).rule({ key: key(1), simulations: 8 });
  const { tree } = searched(rule, [0.4, 0.3, 0.2, 0.1], [0, 1, 0.5, 0.2], 4);
  expect(actionOf(tree, rule.final?.(tree))).toBe(1);
  tree.status[2] = Status.closed; // the second action
  expect(actionOf(tree, rule.final?.(tree))).toBe(0);
  expect(rule.improved?.(tree)[1]).toBe(0);
  expect(rule.improved?.(tree).reduce((sum, p) => sum + p)).toBeCloseTo(1, 12);
  for (const node of [1, 2]) tree.status[node] = Status.closed;
  expect(actionOf(tree, rule.choose(tree, 0))).toBe(2); // the next in rank takes their place
});

test("below the root visits follow the improved policy", () => {
  // One child of the root, three grandchildren of values 0.2, 0.6, 0.5 and priors 0.6, 0.3, 0.1.
  const rule = gumbel({ considered: 1, noise: 0, visits: 10, scale: 0.005 }).rule({ key: key(1), simulations: 400 });
  const tree = new Tree(1);
  tree.raw[0] = 0;
  meanBackup.update(tree, 0, 0);
  tree.expand(0, [0], [1]);
  const values = [0.2, 0.6, 0.5];
  const share = (node: number) => (tree.visits[node] as number) / 400;
  for (let i = 0; i <= 400; i++) {
    const leaf = descend(tree, rule, first);
    const isChild = leaf === 1;
    if (isChild) tree.expand(1, [0, 1, 2], [0.6, 0.3, 0.1]);
    else tree.status[leaf] = Status.terminal;
    if (isChild) tree.raw[1] = 0.3;
    meanBackup.update(tree, leaf, isChild ? 0.3 : (values[leaf - 2] as number));
  }
  // All are visited, so their values are exact: q in [0, 1] is 0, 1, 0.75; sigma = (10 + max n) * 0.005 * q.
  const slope = (10 + Math.max(...[2, 3, 4].map((node) => tree.visits[node] as number))) * 0.005;
  const weights = [0.6, 0.3 * Math.exp(slope), 0.1 * Math.exp(0.75 * slope)];
  const total = weights.reduce((sum, weight) => sum + weight);
  // The policy has moved while visits were made, and one visit is 1/400.
  for (const [i, weight] of weights.entries()) expect(Math.abs(share(i + 2) - weight / total)).toBeLessThan(0.01);
});

test.each([
  ["considered", 0],
  ["visits", -1],
  ["scale", Number.NaN],
  ["noise", -1],
])("refuses %s = %d by name", (name, value) => {
  expect(() => gumbel({ [name]: value })).toThrow(`'${name}'`);
});
