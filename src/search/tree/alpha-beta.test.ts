import { describe, expect, test } from "vitest";
import type { Game } from "../../game.ts";
import { hex, solve, ticTacToe } from "../../games/index.ts";
import { fold, key } from "../../key.ts";
import { random } from "../../math/random.ts";
import { game, type GameOptions, type GameState } from "../../policies/game.ts";
import type { Problem } from "../../problem.ts";
import { run } from "../../run.ts";
import { outcome, type OutcomeOptions } from "../../scorers/outcome.ts";
import { alphaBeta } from "./alpha-beta.ts";

interface Play<P> extends Pick<GameOptions<P>, "prior">, OutcomeOptions<P> {
  readonly depth?: number;
  readonly branch?: number;
  readonly data?: readonly number[];
}

async function play<P>(rules: Game<P>, { depth, branch = 9, prior, data = [], ...judging }: Play<P> = {}) {
  const problem: Problem = { id: rules.name, prompt: "", data };
  const search = alphaBeta<GameState<P>>({
    turn: ({ position }) => rules.turn(position),
    branch,
    ...(depth !== undefined && { depth }),
  });
  return await run(search, problem, { policy: game(rules, prior && { prior }), scorer: outcome(rules, judging) });
}

/** Leaves and nodes of the whole tree, the root included; every order of moves counts, as in full minimax. */
function wholeTree<P>(rules: Game<P>, position: P, seen = new Map<string, [number, number]>()): [number, number] {
  if (rules.result(position) !== undefined) return [1, 1];
  const known = seen.get(rules.key(position));
  if (known) return known;
  let [leaves, nodes] = [0, 1];
  for (const move of rules.moves(position)) {
    const below = wholeTree(rules, rules.play(position, move), seen);
    leaves += below[0];
    nodes += below[1];
  }
  seen.set(rules.key(position), [leaves, nodes]);
  return [leaves, nodes];
}

describe("equals full minimax, with fewer nodes", () => {
  test("tic-tac-toe: a draw", async () => {
    const [leaves, nodes] = wholeTree(ticTacToe, ticTacToe.start);
    expect([leaves, nodes]).toEqual([255168, 549946]);
    const result = await play(ticTacToe);
    expect(result.outcome?.value).toBe(0);
    expect(ticTacToe.result(result.answer?.state.position as never)).toBe(0);
    expect(result.outcome?.line).toHaveLength(9);
    expect(result.outcome?.leaves).toBeLessThan(leaves / 20);
    expect(result.nodes.length).toBeLessThan(nodes / 15);
  });

  test("Hex 3 × 3: a win for the first player, by every opening as it is solved", async () => {
    const rules = hex(3);
    const [leaves] = wholeTree(rules, rules.start);
    const result = await play(rules);
    expect(result.outcome?.value).toBe(1);
    expect(result.outcome?.leaves).toBeLessThan(leaves / 20);
    // The other openings are these, turned by half a circle.
    for (const move of [0, 1, 2, 3, 4]) {
      const after = await play(rules, { data: [move] });
      expect(after.outcome?.value).toBe(solve(rules, rules.play(rules.start, move)));
      expect(rules.result(after.answer?.state.position as never)).toBe(after.outcome?.value); // the line bears it out
    }
  });

  test("random positions of tic-tac-toe", async () => {
    for (let seed = 0; seed < 25; seed++) {
      const stream = random(key(seed));
      const data: number[] = [];
      let position = ticTacToe.start;
      for (let i = 0; i < 4; i++) {
        data.push(stream.pick(ticTacToe.moves(position)));
        position = ticTacToe.play(position, data.at(-1) as number);
      }
      if (ticTacToe.result(position) !== undefined) continue;
      const { outcome } = await play(ticTacToe, { data });
      expect([seed, outcome?.value]).toEqual([seed, solve(ticTacToe, position)]);
    }
  });
});

describe("a tree of 3 moves a position, whose leaves have values of their own", () => {
  const [branch, depth] = [3, 4];
  /** A position is the moves so far; it never ends. */
  const tree: Game<string> = {
    name: "tree",
    start: "",
    turn: (position) => (position.length % 2 === 0 ? 1 : -1),
    moves: () => [0, 1, 2],
    play: (position, move) => position + move,
    result: () => undefined,
    key: (position) => position,
    moveName: String,
    draw: (position) => position,
  };
  const evaluate = (position: string): number => 2 * random(fold(key(5), position)).uniform() - 1;
  const minimax = (position: string): number => {
    if (position.length === depth) return evaluate(position);
    const values = [0, 1, 2].map((move) => minimax(position + move));
    return tree.turn(position) === 1 ? Math.max(...values) : Math.min(...values);
  };
  /** Better moves of the mover first, or last. */
  const byValue = (sign: number) => (position: string, moves: readonly number[]) =>
    moves.map((move) => Math.exp(sign * tree.turn(position) * minimax(position + move)));

  test.each([
    ["the best move first: b^⌈d/2⌉ + b^⌊d/2⌋ − 1 leaves", byValue(1), 9 + 9 - 1],
    ["no order", undefined, undefined],
    ["the best move last", byValue(-1), undefined],
  ])("%s", async (_, prior, leaves) => {
    const { outcome } = await play(tree, { depth, branch, evaluate, ...(prior && { prior }) });
    expect(outcome?.value).toBe(minimax(""));
    expect(evaluate(outcome?.answer?.state.position as string)).toBe(minimax(""));
    expect(outcome?.line.map(({ state }) => state.position.length)).toEqual([1, 2, 3, 4]);
    if (leaves === undefined) expect(outcome?.leaves).toBeGreaterThan(17);
    else expect(outcome?.leaves).toBe(leaves);
    expect(outcome?.leaves).toBeLessThanOrEqual(3 ** 4);
  });
});

test("a depth beyond which a rule of thumb judges", async () => {
  const rules = hex(5);
  // Stones in the middle row and column are worth something.
  const evaluate = ({ cells }: { cells: Int8Array }) =>
    [2, 7, 10, 11, 12, 13, 14, 17, 22].reduce((sum, cell) => sum + Math.sign(cells[cell] as number), 0) / 10;
  const { outcome, nodes } = await play(rules, { depth: 2, branch: 25, evaluate });
  expect(outcome?.value).toBe(0); // one such stone each
  expect(Math.max(...nodes.map(({ depth }) => depth))).toBe(2);
  expect(rules.moveName(outcome?.line[0]?.state.move as number)).toBe("c1");
});

test("a leaf without a score is left out", async () => {
  const rules = hex(2);
  const good = { ...outcome(rules), score: () => ({ kind: "reward" as const, value: Number.NaN }) };
  const search = alphaBeta<GameState<ReturnType<typeof rules.play>>>({ turn: ({ position }) => rules.turn(position) });
  const result = await run(search, { id: "hex", prompt: "" }, { policy: game(rules), scorer: good });
  expect(result.outcome).toMatchObject({ value: undefined, line: [], leaves: 0 });
});

test("says what is wrong with its options", () => {
  expect(() => alphaBeta({ turn: () => 1, depth: 0 })).toThrow(
    "Cannot use alpha-beta as 'depth' must be a whole number in [1, 100000]: current value is 0",
  );
});
