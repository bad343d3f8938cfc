/**
 * Monte Carlo tree search over a game, at once: no effects, no promises, the same tree and rules. For self-play, and where
 * evaluations are tables or small networks of one's own.
 *
 *     const { move } = plan(hex(5).start, { game: hex(5), evaluate, simulations: 1000 });
 *
 * As AlphaZero: every simulation walks down by the rule, plays one new move, evaluates the position there and backs its value
 * up; finished games are worth their result. The position itself is evaluated before the first simulation.
 */
import type { Game } from "../../../game.ts";
import { type Key, key as keyOf } from "../../../key.ts";
import { checkWhole } from "../../../options.ts";
import { type Backup, meanBackup } from "./backup.ts";
import { descend, mostValued, mostVisited, puct, type Select, type SelectRule } from "./select.ts";
import { Status, Tree } from "./tree.ts";

export interface Evaluation {
  /** For the first player, as a game's result is. */
  readonly value: number;
  /** How promising each legal move is, in the order of `moves`: numbers >= 0, not all 0. @default uniform */
  readonly priors?: ArrayLike<number>;
}

export interface PlanOptions<P> {
  readonly game: Game<P>;
  /** Is not asked about finished games. */
  readonly evaluate: (position: P) => Evaluation;
  readonly simulations: number;
  /** @default puct() */
  readonly select?: Select;
  /** @default meanBackup */
  readonly backup?: Backup;
  /** For the noise of `gumbel`. @default key(0) */
  readonly key?: Key;
  /** What the final choice goes by. @default "visits" */
  readonly choose?: "visits" | "value";
}

export interface PlannedMove {
  readonly move: number;
  readonly visits: number;
  /** For the first player; NaN if it was never visited. */
  readonly value: number;
  readonly prior: number;
  /** The policy that the search recommends: the share of the visits, or what the rule of selection says. */
  readonly policy: number;
}

export interface Planned {
  /** Most visited; ties: the more probable, then the lower number. */
  readonly move: number;
  /** Of the position, for the first player. */
  readonly value: number;
  /** All legal moves, in their order. */
  readonly moves: readonly PlannedMove[];
}

/** @throws RangeError where the game is over, or an evaluation does not fit its position */
export function plan<P>(position: P, options: PlanOptions<P>): Planned {
  const {
    game,
    evaluate,
    simulations,
    select = puct(),
    backup = meanBackup,
    key = keyOf(0),
    choose = "visits",
  } = options;
  checkWhole("plan", "simulations", simulations, 1, 2 ** 30);
  if (game.result(position) !== undefined)
    throw new RangeError(`Cannot plan a move of ${game.name} as the game is over`);
  const rule = select.rule({ key, simulations });
  const tree = new Tree(game.turn(position));
  /** [nodes] */
  const positions: P[] = [position];

  /** The value of a new node; it gets its edges. */
  function visit(node: number): number {
    const here = positions[node] as P;
    const result = game.result(here);
    if (result !== undefined) {
      tree.status[node] = Status.terminal;
      tree.raw[node] = result;
      return result;
    }
    const moves = game.moves(here);
    const { value, priors } = evaluate(here);
    tree.expand(node, moves, checked(priors, moves.length, value, game.name));
    tree.raw[node] = value;
    return value;
  }

  /** Plays a move for the first time. */
  function turnAfter(move: number, node: number): number {
    const next = game.play(positions[node] as P, move);
    positions.push(next);
    return game.turn(next);
  }

  backup.update(tree, 0, visit(0));
  for (let i = 0; i < simulations; i++) {
    const leaf = descend(tree, rule, turnAfter);
    const value = tree.status[leaf] === Status.terminal ? (tree.raw[leaf] as number) : visit(leaf);
    backup.update(tree, leaf, value);
  }
  const edge = choose === "value" ? mostValued(tree) : (rule.final?.(tree) ?? mostVisited(tree));
  return {
    move: tree.action[edge] as number,
    value: tree.value[0] as number,
    moves: rootMoves(tree, rule).sort((a, b) => a.move - b.move),
  };
}

/** What became of the edges of the root; `move` is their action. */
export function rootMoves(tree: Tree, rule: SelectRule): PlannedMove[] {
  const [from, to] = tree.edgesOf(0);
  const improved = rule.improved?.(tree);
  const plays = Math.max(1, tree.playsOf(0));
  return Array.from({ length: to - from }, (_, i) => {
    const child = tree.child[from + i] as number;
    const visits = child < 0 ? 0 : (tree.visits[child] as number);
    return {
      move: tree.action[from + i] as number,
      visits,
      value: visits > 0 ? (tree.value[child] as number) : Number.NaN,
      prior: (tree.weight[from + i] as number) / (tree.mass[0] as number),
      policy: improved?.[i] ?? visits / plays,
    };
  });
}

function checked(priors: ArrayLike<number> | undefined, count: number, value: number, name: string): ArrayLike<number> {
  if (!Number.isFinite(value))
    throw new RangeError(`Cannot plan a move of ${name} as a value must be a finite number: current value is ${value}`);
  if (!priors) return ones(count);
  let sum = 0;
  let least = 0;
  for (let i = 0; i < priors.length; i++) {
    sum += priors[i] as number;
    least = Math.min(least, priors[i] as number);
  }
  if (priors.length !== count || least < 0 || !(sum > 0 && sum < Infinity))
    throw new RangeError(
      `Cannot plan a move of ${name} as priors must be ${count} numbers >= 0 with a positive sum: there are ${priors.length} of sum ${sum}, the least ${least}`,
    );
  return priors;
}

/** Long enough for any game here. */
const manyOnes = new Float64Array(512).fill(1);

const ones = (count: number): ArrayLike<number> =>
  count <= manyOnes.length ? manyOnes : new Float64Array(count).fill(1);
