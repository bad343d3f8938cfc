/**
 * Connect Four: stones fall to the bottom of a column, `connect` in a row win, in any of the four directions. The standard board
 * has 7 columns and 6 rows; smaller ones can be solved in full.
 */
import type { Game } from "../game.ts";
import { cellsKey, columnName, columnNames, drawRow } from "./board.ts";

export interface ConnectFourOptions {
  /** @default 7 */
  readonly columns?: number;
  /** @default 6 */
  readonly rows?: number;
  /** How many in a row win. @default 4 */
  readonly connect?: number;
}

export interface ConnectFourPosition {
  /** [rows × columns] from the bottom row up: 0 empty, 1 the first player's, −1 the second's. */
  readonly cells: Int8Array;
  /** On the board. */
  readonly stones: number;
  readonly winner: 1 | -1 | undefined;
}

/** @throws RangeError where a size is not from 1 to 9 */
export function connectFour({
  columns = 7,
  rows = 6,
  connect = 4,
}: ConnectFourOptions = {}): Game<ConnectFourPosition> {
  for (const [name, value] of Object.entries({ columns, rows, connect }))
    if (!Number.isInteger(value) || value < 1 || value > 9)
      throw new RangeError(
        `Cannot make Connect Four as '${name}' must be a whole number in [1, 9]: current value is ${value}`,
      );
  const count = columns * rows;
  const top = count - columns;

  /** Stones of one player in an unbroken row beside a cell. */
  function beside(cells: Int8Array, cell: number, up: number, across: number, player: number): number {
    let row = Math.floor(cell / columns) + up;
    let column = (cell % columns) + across;
    let count = 0;
    while (row >= 0 && row < rows && column >= 0 && column < columns && cells[row * columns + column] === player) {
      count++;
      row += up;
      column += across;
    }
    return count;
  }

  const wins = (cells: Int8Array, cell: number, player: number): boolean =>
    directions.some(
      ([up, across]) =>
        1 + beside(cells, cell, up, across, player) + beside(cells, cell, -up, -across, player) >= connect,
    );

  return {
    name: `connect-${connect}-${columns}x${rows}`,
    start: { cells: new Int8Array(count), stones: 0, winner: undefined },
    turn: ({ stones }) => (stones % 2 === 0 ? 1 : -1),
    moves({ cells, winner }) {
      const moves: number[] = [];
      if (winner === undefined)
        for (let column = 0; column < columns; column++) if (cells[top + column] === 0) moves.push(column);
      return moves;
    },
    play({ cells: before, stones, winner }, move) {
      if (!(move >= 0 && move < columns) || before[top + move] !== 0 || winner !== undefined)
        throw new RangeError(`Cannot play ${move} in Connect Four as it is no legal move`);
      const player = stones % 2 === 0 ? 1 : -1;
      let cell = move;
      while (before[cell] !== 0) cell += columns;
      const cells = before.slice();
      cells[cell] = player;
      return { cells, stones: stones + 1, winner: wins(cells, cell, player) ? player : undefined };
    },
    result: ({ stones, winner }) => winner ?? (stones === count ? 0 : undefined),
    key: ({ cells }) => cellsKey(cells),
    moveName: columnName,
    draw({ cells }) {
      const lines = Array.from({ length: rows }, (_, row) => drawRow(cells, row, columns));
      return [...lines.reverse(), columnNames(columns)].join("\n");
    },
  };
}

/** [rows, columns] of one step. */
const directions = [
  [0, 1],
  [1, 0],
  [1, 1],
  [1, -1],
] as const;
