/** Tic-tac-toe: three in a row on 3 × 3 cells. Nine bits a player. */
import type { Game } from "../game.ts";

export interface TicTacToePosition {
  /** Bit `row × 3 + column` is set where the first player has a mark. */
  readonly first: number;
  readonly second: number;
}

const full = 0b111111111;
const lines = [
  0b000000111, 0b000111000, 0b111000000, 0b001001001, 0b010010010, 0b100100100, 0b100010001, 0b001010100,
] as const;

const hasLine = (marks: number): boolean => lines.some((line) => (marks & line) === line);

/** Marks on the board. */
function marksIn(bits: number): number {
  let count = 0;
  for (let left = bits; left !== 0; left &= left - 1) count++;
  return count;
}

const turn = ({ first, second }: TicTacToePosition): 1 | -1 => (marksIn(first | second) % 2 === 0 ? 1 : -1);

function result({ first, second }: TicTacToePosition): 1 | 0 | -1 | undefined {
  if (hasLine(first)) return 1;
  if (hasLine(second)) return -1;
  return (first | second) === full ? 0 : undefined;
}

export const ticTacToe: Game<TicTacToePosition> = {
  name: "tic-tac-toe",
  start: { first: 0, second: 0 },
  turn,
  moves(position) {
    const moves: number[] = [];
    const taken = position.first | position.second;
    if (result(position) === undefined)
      for (let cell = 0; cell < 9; cell++) if (!(taken & (1 << cell))) moves.push(cell);
    return moves;
  },
  play(position, move) {
    const { first, second } = position;
    const mark = 1 << move;
    if (!(Number.isInteger(move) && move >= 0 && move < 9) || (first | second) & mark || result(position) !== undefined)
      throw new RangeError(`Cannot play ${move} in tic-tac-toe as it is no legal move`);
    return turn(position) === 1 ? { first: first | mark, second } : { first, second: second | mark };
  },
  result,
  key: ({ first, second }) => String((second << 9) | first),
  moveName: (move) => `${"abc"[move % 3]}${Math.floor(move / 3) + 1}`,
  draw({ first, second }) {
    const symbolAt = (cell: number): string => (first & (1 << cell) ? "x" : second & (1 << cell) ? "o" : ".");
    const rows = [0, 1, 2].map(
      (row) => `${row + 1} ${[0, 1, 2].map((column) => symbolAt(3 * row + column)).join(" ")}`,
    );
    return ["  a b c", ...rows].join("\n");
  },
};
