import { describe, expect, test } from "vitest";
import type { Game } from "../game.ts";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { connectFour, hex, solve, solveMoves, ticTacToe } from "./index.ts";

const games: readonly Game<unknown>[] = [
  hex(1),
  hex(3),
  hex(5),
  hex(9),
  ticTacToe,
  connectFour(),
  connectFour({ columns: 4, rows: 5, connect: 3 }),
] as readonly Game<unknown>[];

/** The positions of a random game, from the start to its end. */
function playedOut<P>(game: Game<P>, seed: number): P[] {
  const stream = random(fold(key(seed), game.name));
  const positions = [game.start];
  for (let position = game.start; game.result(position) === undefined; ) {
    position = game.play(position, stream.pick(game.moves(position)));
    positions.push(position);
  }
  return positions;
}

function movesByName<P>(game: Game<P>, position: P, names: string): P {
  return names.split(" ").reduce((at, name) => {
    const move = game.moves(at).find((move) => game.moveName(move) === name);
    if (move === undefined) throw new RangeError(`no move ${name}`);
    return game.play(at, move);
  }, position);
}

/** Every position that can be reached, and the number of games. */
function explore<P>(game: Game<P>): { positions: number; games: number } {
  const gamesFrom = new Map<string, number>();
  const visit = (position: P): number => {
    const place = game.key(position);
    const known = gamesFrom.get(place);
    if (known !== undefined) return known;
    const count =
      game.result(position) === undefined
        ? game.moves(position).reduce((sum, move) => sum + visit(game.play(position, move)), 0)
        : 1;
    gamesFrom.set(place, count);
    return count;
  };
  const count = visit(game.start);
  return { positions: gamesFrom.size, games: count };
}

describe.each(games.map((game) => [game.name, game] as const))("%s", (_, game) => {
  test("moves are ascending, turns alternate, and a game that is over has no moves", () => {
    for (let seed = 0; seed < 30; seed++)
      for (const [ply, position] of playedOut(game, seed).entries()) {
        const moves = game.moves(position);
        expect(moves).toEqual([...moves].sort((a, b) => a - b));
        expect(game.turn(position)).toBe(ply % 2 === 0 ? 1 : -1);
        expect(moves.length > 0).toBe(game.result(position) === undefined);
        expect(new Set(moves.map(game.moveName)).size).toBe(moves.length);
      }
  });

  test("a position never changes, and an illegal move is refused", () => {
    for (const position of playedOut(game, 7)) {
      const [place, legal] = [game.key(position), new Set(game.moves(position))];
      for (const move of legal) game.play(position, move);
      expect(game.key(position)).toBe(place);
      for (const move of [...Array.from({ length: 83 }, (_, i) => i - 1), 0.5, Number.NaN])
        if (!legal.has(move)) expect(() => game.play(position, move)).toThrow("no legal move");
    }
  });

  test("equal positions have one key and different ones another, however they came about", () => {
    const boards = new Map<string, string>();
    for (let seed = 0; seed < 40; seed++)
      for (const position of playedOut(game, seed)) {
        const [place, board] = [game.key(position), game.draw(position)];
        expect(boards.get(place) ?? board).toBe(board);
        boards.set(place, board);
      }
    expect(new Set(boards.values()).size).toBe(boards.size);
  });
});

describe("tic-tac-toe", () => {
  test("has 5,478 positions and 255,168 games, and is a draw", () => {
    expect(explore(ticTacToe)).toEqual({ positions: 5478, games: 255168 });
    expect(solve(ticTacToe)).toBe(0);
    expect(solveMoves(ticTacToe).map(({ value }) => value)).toEqual(Array(9).fill(0));
  });

  test("a corner must be answered in the middle", () => {
    const corner = movesByName(ticTacToe, ticTacToe.start, "a1");
    const kept = solveMoves(ticTacToe, corner).filter(({ value }) => value === 0);
    expect(kept.map(({ move }) => ticTacToe.moveName(move))).toEqual(["b2"]);
    expect(ticTacToe.draw(movesByName(ticTacToe, corner, "b2 c3"))).toBe("  a b c\n1 x . .\n2 . o .\n3 . . x");
  });
});

describe("Hex", () => {
  /** By flood fill: whether a player's stones join his two sides. */
  function joins(board: readonly string[][], player: "x" | "o"): boolean {
    const size = board.length;
    const at = (row: number, column: number): string | undefined =>
      player === "x" ? board[row]?.[column] : board[column]?.[row];
    const open = Array.from({ length: size }, (_, column): readonly [number, number] => [0, column]).filter(
      ([row, column]) => at(row, column) === player,
    );
    const seen = new Set(open.map(String));
    for (const [row, column] of open) {
      if (row === size - 1) return true;
      for (const [down, across] of [
        [-1, 0],
        [-1, 1],
        [0, -1],
        [0, 1],
        [1, -1],
        [1, 0],
      ] as const) {
        const next = [row + down, column + across] as const;
        if (at(...next) !== player || seen.has(String(next))) continue;
        seen.add(String(next));
        open.push(next);
      }
    }
    return false;
  }

  const boardOf = (drawn: string): string[][] =>
    drawn
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/).slice(1));

  test("is over with the very stone that joins two sides, and is never drawn", () => {
    for (const size of [1, 2, 3, 4, 5, 7, 9]) {
      const game = hex(size);
      for (let seed = 0; seed < 40; seed++) {
        const positions = playedOut(game, seed);
        for (const position of positions) {
          const board = boardOf(game.draw(position));
          const winner = joins(board, "x") ? 1 : joins(board, "o") ? -1 : undefined;
          expect(game.result(position)).toBe(winner);
        }
      }
    }
  });

  // a1 and b1 lose on every board from 3 × 3 on, each side of the long diagonal: https://www.hexwiki.net/index.php/Swap;
  // the whole sets: https://www.hexwiki.net/index.php/Small_boards
  test.each([
    [1, "a1"],
    [2, "b1 a2"],
    [3, "c1 a2 b2 c2 a3"],
    [4, "d1 c2 b3 a4"],
  ])("on size %d the first player wins, by opening at %s", (size, openings) => {
    const game = hex(size);
    const solved = new Map();
    expect(solve(game, game.start, solved)).toBe(1);
    const winning = solveMoves(game, game.start, solved).filter(({ value }) => value === 1);
    expect(winning.map(({ move }) => game.moveName(move)).join(" ")).toBe(openings);
  });

  test("is drawn as a rhombus", () => {
    const game = hex(3);
    const position = movesByName(game, game.start, "b2 a1 c3");
    expect(game.draw(position)).toBe("  a b c\n1  o . .\n 2  . x .\n  3  . . x");
  });

  test("has sizes from 1 to 9", () => {
    expect(() => hex(10)).toThrow("Cannot make Hex as 'size' must be a whole number in [1, 9]: current value is 10");
  });
});

describe("Connect Four", () => {
  test("has as many positions after n stones as OEIS A212693 says", () => {
    const game = connectFour();
    let ply = new Map([[game.key(game.start), game.start]]);
    const counts: number[] = [];
    for (let n = 0; n <= 6; n++) {
      counts.push(ply.size);
      const next = [...ply.values()].flatMap((position) =>
        game.moves(position).map((move) => game.play(position, move)),
      );
      ply = new Map(next.map((position) => [game.key(position), position]));
    }
    expect(counts).toEqual([1, 7, 49, 238, 1120, 4263, 16422]);
  });

  test("has as many games on n + 1 columns and n rows as OEIS A342329 says", () => {
    const counts = [1, 2, 3].map((rows) => explore(connectFour({ columns: rows + 1, rows })).games);
    expect(counts).toEqual([2, 90, 356232]);
  });

  test("on 4 × 4 it is a draw; with three to connect the first player wins there", () => {
    expect(solve(connectFour({ columns: 4, rows: 4 }))).toBe(0);
    expect(solve(connectFour({ columns: 4, rows: 4, connect: 3 }))).toBe(1);
  });

  test.each([
    ["a b a b a b a", 1],
    ["a b b c c d c d d a d", 1],
    ["g a f a e b d", 1],
    ["b a c b d c f d", undefined],
    ["a b a c a d f e", -1],
  ])("after %s the result is %s", (names, result) => {
    const game = connectFour();
    expect(game.result(movesByName(game, game.start, names))).toBe(result);
  });

  test("stones fall", () => {
    const game = connectFour({ columns: 3, rows: 2, connect: 3 });
    expect(game.draw(movesByName(game, game.start, "b b c"))).toBe(". o .\n. x x\na b c");
  });
});
