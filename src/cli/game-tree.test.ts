import { expect, test } from "vitest";
import type { Game } from "../game.ts";
import type { Node } from "../node.ts";
import type { GameState } from "../policies/game.ts";
import { boundsText, gameTree, valueText } from "./game-tree.ts";
import { paint, treeLines } from "./terminal.ts";
import { prune } from "./tree.ts";

type State = GameState<string>;

/** A position is the moves so far, a letter each; players alternate. */
const rules: Pick<Game<string>, "turn" | "moveName" | "result"> = {
  turn: (position) => (position.length % 2 === 0 ? 1 : -1),
  moveName: (move) => String.fromCharCode(97 + move),
  result: (position) => (position === "aa" ? 1 : undefined),
};

function nodesOf(values: Readonly<Record<string, number | undefined>>): Node<State>[] {
  const nodes = new Map<string, Node<State>>();
  for (const position of ["", ...Object.keys(values)]) {
    const parent = position === "" ? undefined : nodes.get(position.slice(0, -1));
    const value = values[position];
    nodes.set(position, {
      id: position || "root",
      parent,
      state: { position, move: position.charCodeAt(position.length - 1) - 97 },
      depth: position.length,
      logProb: 0,
      logProposal: 0,
      totalLogProb: 0,
      length: position.length,
      done: rules.result(position) !== undefined,
      failure: undefined,
      score: value === undefined ? undefined : { kind: "reward", value },
    });
  }
  return [...nodes.values()];
}

function drawn(backup: "mean" | "minimax", nodes: readonly Node<State>[], best?: Node<State>, rows = 30): string[] {
  const tree = gameTree(rules as Game<string>, backup);
  tree.grow(nodes);
  return treeLines(prune(tree, { best, rows }), { columns: 80 }).map((line) => paint(line, { color: false }));
}

// x, to move, has a, b and c. After a, o has two replies, both seen; after b the first reply is so good that the other is not
// looked at, and after c nothing was.
const seen = nodesOf({
  a: undefined,
  b: undefined,
  c: undefined,
  aa: 1,
  ab: 0.2,
  ba: -0.5,
  bb: undefined,
});

test("by minimax a value is known, or bounded by what was not looked at", () => {
  expect(drawn("minimax", seen, seen[5])).toEqual([
    "├─ a     +0.20  ×2",
    "│  ├─ a  • x wins",
    "│  ╰─ b  +0.20",
    "╰─ b a   −0.50",
  ]);
  const tree = gameTree(rules as Game<string>, "minimax");
  tree.grow(seen);
  const [, refuted] = tree.pathTo(seen[2] as Node<State>);
  expect(refuted && tree.valueAt(refuted)).toEqual({ low: -1, high: -0.5 });
  expect(tree.valueAt(tree.root)).toEqual({ low: 0.2, high: 1 }); // the third move may be anything
  expect(tree.positions()).toBe(3);
});

test("the mean of what is below, until the search says what it has counted", () => {
  const nodes = nodesOf({ a: 0.5, b: -1, aa: 1, ab: 0 });
  const tree = gameTree(rules as Game<string>, "mean");
  tree.grow(nodes.slice(0, 3));
  tree.grow(nodes);
  const [, first] = tree.pathTo(nodes[1] as Node<State>);
  expect(first && tree.valueAt(first)).toEqual({ low: 0.5, high: 0.5 });
  expect(first?.samples).toBe(3);
  tree.settle([{ node: nodes[1] as Node<State>, visits: 8, value: 0.75 }]);
  expect(first && tree.valueAt(first)).toEqual({ low: 0.75, high: 0.75 });
  expect(first?.samples).toBe(8);
  expect(tree.positions()).toBe(4);
});

test("few rows go to the move that is best, then to those of most visits; what is left out is counted at the root", () => {
  const nodes = nodesOf({ a: 0, b: 0, c: 0, d: 0, aa: 1, ab: 0, ca: 0 });
  expect(drawn("mean", nodes, nodes[3], 3)).toEqual(["├─ a  +0.33  ×3", "├─ c  0.00  ×2", "╰─ … 2 more"]);
});

test.each([
  [{ low: 0.25, high: 0.25 }, "+0.25"],
  [{ low: -0.001, high: -0.001 }, "0.00"],
  [{ low: -1, high: 0 }, "≤ 0.00"],
  [{ low: -0.5, high: 1 }, "≥ −0.50"],
  [{ low: -0.5, high: 0.5 }, "−0.50 to +0.50"],
  [{ low: -1, high: 1 }, undefined],
])("%j is said as %s", (bounds, text) => expect(boundsText(bounds)).toBe(text));

test("values have a side", () => expect([1, 0, -1].map(valueText)).toEqual(["+1.00", "0.00", "−1.00"]));
