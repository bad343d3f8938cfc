/**
 * Rules of a two-player, zero-sum game with perfect information and alternating moves; positions are values that never change.
 *
 * Values are said for the **first** player everywhere, whoever is to move: +1 won, 0 drawn, −1 lost. Searches are told whose
 * turn it is and minimise where it is the second player's.
 */
export interface Game<P> {
  /** With its size: `hex-5`. */
  readonly name: string;
  readonly start: P;
  /** Who is to move: 1 the first player, −1 the second. */
  turn(position: P): 1 | -1;
  /** Legal moves as small whole numbers, ascending; none where the game is over. */
  moves(position: P): readonly number[];
  play(position: P, move: number): P;
  /** For the first player; undefined while the game goes on. */
  result(position: P): 1 | 0 | -1 | undefined;
  /** Equal for equal positions: for tables. */
  key(position: P): string;
  /** A move as players write it: `c3`. */
  moveName(move: number): string;
  /** The board, in lines. */
  draw(position: P): string;
}
