/**
 * The result of a game for the first player, in [−1, 1]: exact where the game is over.
 *
 * An unfinished game is judged by `evaluate`, a rule of thumb of one's own, or else by the mean result of random playouts,
 * in which both sides move uniformly at random: Abramson 1990, "Expected-Outcome: A General Model of Static Evaluation",
 * IEEE TPAMI 12(2). That mean is the value for random players, with a standard error of at most 1/√playouts; it misleads
 * where one reply alone refutes a move. Costs no model call.
 */
import type { Game } from "../game.ts";
import { random } from "../math/random.ts";
import type { Score, Scorer } from "../scorer.ts";

export interface OutcomeOptions<P> {
  /** Random games from an unfinished position. @default 1 */
  readonly playouts?: number;
  /** In place of playouts: a number in [−1, 1] for an unfinished position, more for the first player. */
  readonly evaluate?: (position: P) => number | Promise<number>;
  /** Names `evaluate`. @default "custom" */
  readonly name?: string;
}

export function outcome<P>(
  rules: Pick<Game<P>, "name" | "moves" | "play" | "result">,
  { playouts = 1, evaluate, name = "custom" }: OutcomeOptions<P> = {},
): Scorer<{ readonly position: P }> {
  if (!Number.isInteger(playouts) || playouts < 1)
    throw new RangeError(
      `Cannot score ${rules.name} as 'playouts' must be a whole number >= 1: current value is ${playouts}`,
    );
  const reward = (value: number): Score => ({ kind: "reward", value });

  function playedOut(from: P, seed: number): number {
    const stream = random(seed);
    let sum = 0;
    for (let i = 0; i < playouts; i++) {
      let position = from;
      let result = rules.result(position);
      while (result === undefined) {
        position = rules.play(position, stream.pick(rules.moves(position)));
        result = rules.result(position);
      }
      sum += result;
    }
    return sum / playouts;
  }

  return {
    name: `outcome:${rules.name}, ${evaluate ? name : `playouts ${playouts}`}`,
    kind: "reward",
    score({ state: { position } }, { seed }) {
      const result = rules.result(position);
      if (result !== undefined) return reward(result);
      if (!evaluate) return reward(playedOut(position, seed));
      const value = evaluate(position);
      return value instanceof Promise ? value.then(reward) : reward(value);
    },
  };
}
