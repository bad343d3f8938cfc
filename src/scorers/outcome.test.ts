import { expect, test } from "vitest";
import type { Game } from "../game.ts";
import { hex, ticTacToe } from "../games/index.ts";
import type { Node } from "../node.ts";
import { rankOf, type Score } from "../scorer.ts";
import { outcome, type OutcomeOptions } from "./outcome.ts";

const request = (seed: number) => ({
  problem: { id: "p", prompt: "" },
  text: () => "",
  seed,
  signal: new AbortController().signal,
});

const after = <P>(rules: Game<P>, ...moves: readonly number[]): P =>
  moves.reduce((position, move) => rules.play(position, move), rules.start);

const valueOf = async <P>(rules: Game<P>, position: P, options: OutcomeOptions<P> = {}, seed = 1): Promise<number> =>
  rankOf(
    (await outcome(rules, options).score({ state: { position } } as Node<{ position: P }>, request(seed))) as Score,
  );

/** The exact mean result of uniformly random play, by enumeration. */
function expected<P>(rules: Game<P>, position: P): number {
  const result = rules.result(position);
  if (result !== undefined) return result;
  const moves = rules.moves(position);
  return moves.reduce((sum, move) => sum + expected(rules, rules.play(position, move)), 0) / moves.length;
}

test("a finished game is worth its result, to the first player", async () => {
  const scorer = outcome(ticTacToe);
  expect([scorer.kind, scorer.bound]).toEqual(["reward", undefined]);
  expect(await valueOf(ticTacToe, after(ticTacToe, 0, 3, 1, 4, 2))).toBe(1);
  expect(await valueOf(ticTacToe, after(ticTacToe, 8, 3, 1, 4, 2, 5))).toBe(-1);
  expect(await valueOf(ticTacToe, after(ticTacToe, 0, 1, 2, 4, 3, 5, 7, 6, 8))).toBe(0);
});

test.each([
  ["tic-tac-toe", ticTacToe, after(ticTacToe, 0, 4)],
  ["Hex 3", hex(3), after(hex(3), 4, 2)],
] as const)("an unfinished one of %s is worth what random play makes of it on average", async (_, rules, position) => {
  const playouts = 4000;
  const value = await valueOf(rules as Game<unknown>, position, { playouts });
  // A result has a variance of at most 1; false alarm: 6e-7.
  expect(Math.abs(value - expected(rules as Game<unknown>, position))).toBeLessThanOrEqual(5 / Math.sqrt(playouts));
});

test("the same seed plays the same games, another seed others", async () => {
  const values = await Promise.all(
    [1, 1, 2, 3, 4, 5].map((seed) => valueOf(hex(5), hex(5).start, { playouts: 9 }, seed)),
  );
  expect(values[0]).toBe(values[1]);
  expect(new Set(values).size).toBeGreaterThan(1);
});

test("an evaluation of one's own takes the place of playouts, and its name is the scorer's", async () => {
  const rules = hex(3);
  expect(outcome(rules, { playouts: 7 }).name).toBe("outcome:hex-3, playouts 7");
  expect(outcome(rules, { evaluate: () => 0, name: "stones" }).name).toBe("outcome:hex-3, stones");
  for (const evaluate of [({ stones = 0 }) => stones / 9, async ({ stones = 0 }) => stones / 9])
    expect(await valueOf(rules, after(rules, 1, 2), { evaluate })).toBe(2 / 9);
  expect(() => outcome(rules, { playouts: 0 })).toThrow("'playouts' must be a whole number >= 1: current value is 0");
});
