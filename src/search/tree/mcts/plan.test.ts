import { describe, expect, test } from "vitest";
import type { Game } from "../../../game.ts";
import { hex } from "../../../games/hex.ts";
import { type GameValue, solve, solveMoves } from "../../../games/solve.ts";
import { ticTacToe } from "../../../games/tic-tac-toe.ts";
import { key } from "../../../key.ts";
import { bestBackup } from "./backup.ts";
import { gumbel } from "./gumbel.ts";
import { type PlanOptions, plan } from "./plan.ts";
import { puct, uct } from "./select.ts";

const knowsNothing = () => ({ value: 0 });

interface Exercise<P> {
  readonly position: P;
  readonly winning: number;
}

/** Every position that can be reached in which exactly one of two or more moves wins. */
function exercises<P>(game: Game<P>, solved: Map<string, GameValue>): Exercise<P>[] {
  const seen = new Set<string>();
  const found: Exercise<P>[] = [];
  const visit = (position: P): void => {
    if (game.result(position) !== undefined || seen.has(game.key(position))) return;
    seen.add(game.key(position));
    const moves = solveMoves(game, position, solved);
    const [winning, another] = moves.filter(({ value }) => value === game.turn(position));
    if (winning && !another && moves.length > 1) found.push({ position, winning: winning.move });
    for (const { move } of moves) visit(game.play(position, move));
  };
  visit(game.start);
  return found;
}

function world<P>(game: Game<P>) {
  const solved = new Map<string, GameValue>();
  return { game, solved, all: exercises(game, solved) };
}
const small = world(ticTacToe);
const board = world(hex(3));

/** How many of the exercises are solved. */
function solvedBy<P>(exercises: readonly Exercise<P>[], options: PlanOptions<P>): number {
  return exercises.filter(({ position, winning }) => plan(position, options).move === winning).length;
}

describe("finds the only winning move, the more simulations the more often", () => {
  test("there is one in 1544 positions of tic-tac-toe and 2000 of Hex 3 × 3", () => {
    expect([small.all.length, board.all.length]).toEqual([1544, 2000]);
  });

  test.each([
    ["uct", uct(), 1],
    ["gumbel", gumbel({ noise: 0 }), 1],
    ["puct", puct(), 0.98],
  ])("tic-tac-toe by %s", (_, select, least) => {
    const { game, all } = small;
    const some = select.name === "uct" ? all : all.filter((_, i) => i % 4 === 0);
    const right = [10, 100, 1000].map((simulations) =>
      solvedBy(some, { game, evaluate: knowsNothing, select, simulations }),
    );
    expect([...right].sort((a, b) => a - b)).toEqual(right);
    expect(right[0]).toBeLessThan(0.9 * some.length);
    expect(right[2]).toBeGreaterThanOrEqual(least * some.length);
  });

  test("Hex 3 × 3, every fourth position: all with 4000 simulations", () => {
    const { game, all } = board;
    const some = all.filter((_, i) => i % 4 === 0);
    const right = [10, 200, 4000].map((simulations) => solvedBy(some, { game, evaluate: knowsNothing, simulations }));
    expect([...right].sort((a, b) => a - b)).toEqual(right);
    expect(right[2]).toBe(some.length);
  });

  test("a prior of 3 : 1 for winning moves does with 10 simulations what takes thousands without", () => {
    const { game, solved, all } = board;
    const evaluate: PlanOptions<(typeof game)["start"]>["evaluate"] = (position) => ({
      value: 0,
      priors: solveMoves(game, position, solved).map(({ value }) => (value === game.turn(position) ? 3 : 1)),
    });
    for (const select of [puct(), gumbel({ noise: 0 })]) {
      expect(solvedBy(all, { game, evaluate, select, simulations: 10 })).toBe(all.length);
      expect(solvedBy(all, { game, evaluate: knowsNothing, select, simulations: 10 })).toBeLessThan(0.85 * all.length);
    }
  });
});

describe("values are said for the first player", () => {
  test("from every exercise the value goes to the mover's win, and stays in [-1, 1]", () => {
    const { game, all } = board;
    for (const { position, winning } of all.filter((_, i) => i % 40 === 0)) {
      const { value, moves } = plan(position, { game, evaluate: knowsNothing, simulations: 300, select: uct() });
      const turn = game.turn(position);
      expect(Math.abs(value)).toBeLessThanOrEqual(1);
      const chosen = moves.find(({ move }) => move === winning)?.value as number;
      for (const { value: other } of moves) expect(turn * other).toBeLessThanOrEqual(turn * chosen + 1e-9);
    }
  });

  test("with the true values few simulations suffice, for both players", () => {
    const { game, solved, all } = small;
    const evaluate = (position: (typeof game)["start"]) => ({ value: solve(game, position, solved) });
    expect(solvedBy(all, { game, evaluate, select: uct(), simulations: 40 })).toBe(all.length);
    // The wrong way round, it would lose on purpose.
    const upsideDown: typeof game = { ...game, turn: (position) => -game.turn(position) as 1 | -1 };
    expect(solvedBy(all, { game: upsideDown, evaluate, select: uct(), simulations: 40 })).toBe(0);
  });

  test("backing up the best, the value is the minimax value once all is visited", () => {
    const { game, solved } = small;
    const [late] = small.all.filter(({ position }) => game.moves(position).length === 4);
    const { position } = late as (typeof small.all)[number];
    const { value } = plan(position, {
      game,
      evaluate: knowsNothing,
      simulations: 2000,
      select: uct(),
      backup: bestBackup,
      choose: "value",
    });
    expect(value).toBe(solve(game, position, solved));
  });
});

test("the moves are all legal ones in their order, their visits the simulations, their shares the policy", () => {
  const game = hex(3);
  const { moves, move } = plan(game.start, { game, evaluate: knowsNothing, simulations: 50 });
  expect(moves.map((one) => one.move)).toEqual(game.moves(game.start));
  expect(moves.reduce((sum, { visits }) => sum + visits, 0)).toBe(50);
  for (const { prior, policy, visits } of moves) expect([prior, policy]).toEqual([1 / 9, visits / 50]);
  expect(Math.max(...moves.map(({ visits }) => visits))).toBe(moves.find((one) => one.move === move)?.visits);
});

test("the same key gives the same plan, another key another noise", () => {
  const game = hex(3);
  const planned = (seed: number) =>
    plan(game.start, {
      game,
      evaluate: knowsNothing,
      simulations: 8,
      select: gumbel({ considered: 2 }),
      key: key(seed),
    }).moves;
  expect(planned(1)).toEqual(planned(1));
  expect(planned(1)).not.toEqual(planned(2));
});

test("refuses what cannot be planned", () => {
  const game = ticTacToe;
  const base = { game, evaluate: knowsNothing, simulations: 5 };
  const over = [0, 3, 1, 4, 2].reduce((position, move) => game.play(position, move), game.start);
  expect(() => plan(over, base)).toThrow("the game is over");
  expect(() => plan(game.start, { ...base, simulations: 0 })).toThrow("'simulations'");
  expect(() => plan(game.start, { ...base, evaluate: () => ({ value: Number.NaN }) })).toThrow("finite number");
  expect(() => plan(game.start, { ...base, evaluate: () => ({ value: 0, priors: [1, 2] }) })).toThrow("9 numbers");
});
