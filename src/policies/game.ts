/**
 * Moves of a game: a state is a position, a step a legal move, a finished answer a finished game.
 *
 * `draw: "top"` gives the legal moves by descending prior, equal ones by ascending number, so that any search over the most
 * probable steps is a search over all moves; `sample` draws from the prior. A move of prior 0 is never drawn, but is there
 * for `top`, last, as it is legal. The root is the game's start, or the position after the moves in `problem.data`.
 */
import { type Cost, cost as costOf, noCost } from "../budget.ts";
import type { Game } from "../game.ts";
import { random } from "../math/random.ts";
import type { Extension, Policy, PolicyPart } from "../policy.ts";
import type { Problem } from "../problem.ts";

export interface GameState<P> {
  readonly position: P;
  /** The move that led here; absent at the root. */
  readonly move?: number;
}

export interface GameOptions<P> {
  /**
   * How promising each legal move is, in the order of `moves`: numbers >= 0, not all 0; a network's opinion, or a rule of
   * thumb. They are divided by their sum. @default uniform
   */
  readonly prior?: (
    position: P,
    moves: readonly number[],
    signal: AbortSignal,
  ) => ArrayLike<number> | Promise<ArrayLike<number>>;
  /** What asking the prior once costs; all children that one call brings come out of one asking. @default one call */
  readonly cost?: Cost;
  /** Names the prior; two policies of one name must have the same. @default "custom" */
  readonly name?: string;
}

export function game<P>(rules: Game<P>, options: GameOptions<P> = {}): Policy<GameState<P>> {
  const { prior } = options;
  const asking = prior ? (options.cost ?? costOf({ calls: 1 })) : noCost;

  function stepTo(state: GameState<P>, move: number): Pick<Extension<GameState<P>>, "state" | "done"> {
    const position = rules.play(state.position, move);
    return { state: { position, move }, done: rules.result(position) !== undefined };
  }

  return {
    name: `game:${rules.name}${prior ? `, prior ${options.name ?? "custom"}` : ""}`,
    batch: 1000,
    root: (problem) => ({ position: startOf(rules, problem) }),
    text: ({ position }) => rules.draw(position),
    bound: () => asking,
    async *extend(state, { draw, seeds, ranks, signal }): AsyncGenerator<PolicyPart<GameState<P>>> {
      const moves = rules.moves(state.position);
      if (moves.length === 0) throw new RangeError("Cannot extend a game that is over");
      const weights = prior && (await prior(state.position, moves, signal));
      const total = weights ? checkedSum(weights, moves.length) : moves.length;
      const weightOf = (at: number): number => (weights ? (weights[at] as number) : 1);
      const order = [...moves.keys()];
      if (weights) order.sort((a, b) => weightOf(b) - weightOf(a)); // stable
      let unpaid = asking; // by the first child
      for (let index = 0; index < seeds.length; index++) {
        const at =
          draw === "top"
            ? order[ranks[index] as number]
            : weights
              ? random(seeds[index] as number).weighted(weights)
              : random(seeds[index] as number).integer(moves.length);
        if (at === undefined) continue; // there are no more moves
        const logProb = Math.log(weightOf(at) / total);
        const logProposal = draw === "top" ? 0 : logProb;
        const extension = { ...stepTo(state, moves[at] as number), logProb, logProposal, length: 1, cost: unpaid };
        unpaid = noCost;
        yield { type: "extension", index, extension };
      }
    },
    pack: ({ move }) => move as number,
    unpack: (move, parent) => stepTo(parent, move as number).state,
  };
}

function startOf<P>(rules: Game<P>, { data }: Problem): P {
  if (data === undefined || data === null) return rules.start;
  if (!Array.isArray(data))
    throw new TypeError(
      `Cannot start ${rules.name} as the problem's data must be a list of moves: current value is ${JSON.stringify(data)}`,
    );
  return (data as number[]).reduce((position, move) => rules.play(position, move), rules.start);
}

/** @throws RangeError where the prior is not one number >= 0 a move, or all are 0 */
function checkedSum(weights: ArrayLike<number>, count: number): number {
  let sum = 0;
  let least = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += weights[i] as number;
    least = Math.min(least, weights[i] as number);
  }
  if (weights.length !== count || least < 0 || !(sum > 0 && sum < Infinity))
    throw new RangeError(
      `Cannot use the prior as it must be ${count} numbers >= 0 with a positive sum: it has ${weights.length} of sum ${sum}, the least ${least}`,
    );
  return sum;
}
