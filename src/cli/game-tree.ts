/**
 * The tree of a search over a game as it is drawn: a move a twig, with what is known of its value. That follows from the
 * scores of the positions below: their mean, or by minimax a lower and an upper bound, equal once all that matters was seen.
 */
import type { Game } from "../game.ts";
import type { Node } from "../node.ts";
import type { GameState } from "../policies/game.ts";
import { rankOf } from "../scorer.ts";
import { child, type Sketch, type Twig, twig } from "./tree.ts";
import { fixed } from "./words.ts";

/** Of a value, for the first player. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface GameTree<P> extends Sketch<GameState<P>> {
  /** How many were scored. */
  positions(): number;
  /** Takes over what the search itself has counted, at its end: also visits to finished games, which are scored but once. */
  settle(visited: readonly Counted<GameState<P>>[]): void;
  /** Undefined where nothing was scored. */
  valueAt(twig: Twig<GameState<P>>): Bounds | undefined;
}

interface Counted<S> {
  readonly node: Node<S>;
  readonly visits: number;
  readonly value: number;
}

const unknown: Bounds = { low: -1, high: 1 };

export function gameTree<P>(rules: Game<P>, backup: "mean" | "minimax"): GameTree<P> {
  type At = Twig<GameState<P>>;
  const root: At = twig("", undefined);
  const ends = new Map<Node<GameState<P>>, At>();
  const own = new Map<At, number>();
  /** Sums of scores for means. */
  const sums = new Map<At, number>();
  const bounds = new Map<At, Bounds>();
  const turns = new Map<At, 1 | -1>();
  let unscored: Node<GameState<P>>[] = [];
  let seen = 0;
  let scored = 0;

  function take(node: Node<GameState<P>>): void {
    const { parent, state, failure } = node;
    const from = parent && ends.get(parent);
    const at = !from ? root : failure ? from : child(from, `${rules.moveName(state.move ?? -1)} `);
    ends.set(node, at);
    if (failure) return void at.failures.push(failure);
    turns.set(at, rules.turn(state.position));
    if (from) at.nodes.push(node);
    unscored.push(node);
  }

  function judge(node: Node<GameState<P>>): boolean {
    if (!node.score) return false;
    const value = rankOf(node.score);
    const end = ends.get(node) as At;
    own.set(end, value);
    scored++;
    for (let at: At | undefined = end; at; at = at.parent) {
      at.samples++;
      if (backup === "mean") sums.set(at, (sums.get(at) ?? 0) + value);
      else bounds.set(at, boundsOf(at));
    }
    return true;
  }

  /** Of a position that was scored, the score; else the best of its moves, those not looked at being anything. */
  function boundsOf(at: At): Bounds {
    const value = own.get(at);
    if (value !== undefined && at.twigs.size === 0) return { low: value, high: value };
    const moves = [...at.twigs.values()].map((next) => bounds.get(next) ?? unknown);
    const best = turns.get(at) === 1 ? Math.max : Math.min;
    return { low: best(...moves.map(({ low }) => low)), high: best(...moves.map(({ high }) => high)) };
  }

  function valueAt(at: At): Bounds | undefined {
    if (backup === "minimax") return bounds.get(at);
    const mean = (sums.get(at) ?? Number.NaN) / at.samples;
    return Number.isNaN(mean) ? undefined : { low: mean, high: mean };
  }

  return {
    root,
    bareEnds: new Set(),
    grow(nodes) {
      for (; seen < nodes.length; seen++) take(nodes[seen] as Node<GameState<P>>);
      unscored = unscored.filter((node) => !judge(node));
    },
    write() {},
    pathTo(node) {
      const path: At[] = [];
      for (let at = ends.get(node); at; at = at.parent) path.push(at);
      return path.reverse();
    },
    positions: () => scored,
    settle(visited) {
      for (const { node, visits, value } of visited) {
        const at = ends.get(node);
        if (!at) continue;
        at.samples = visits;
        sums.set(at, visits * value);
      }
    },
    valueAt,
    noteOf(at) {
      const position = at.nodes[0]?.state.position;
      const result = position === undefined ? undefined : rules.result(position);
      if (result !== undefined) return resultText(result);
      const value = valueAt(at);
      return value && boundsText(value);
    },
  };
}

/** "x" moves first. */
export const playerName = (turn: 1 | -1): "x" | "o" => (turn === 1 ? "x" : "o");

export const resultText = (result: 1 | 0 | -1): string => (result === 0 ? "a draw" : `${playerName(result)} wins`);

/** +0.42; a plus sign, so that it is seen that values have a side. */
export const valueText = (value: number): string =>
  `${value > 0.005 ? "+" : ""}${fixed(Math.abs(value) < 0.005 ? 0 : value, 2)}`;

/** Undefined where it can be anything. */
export function boundsText({ low, high }: Bounds): string | undefined {
  if (low === high) return valueText(low);
  if (low <= -1) return high >= 1 ? undefined : `≤ ${valueText(high)}`;
  return high >= 1 ? `≥ ${valueText(low)}` : `${valueText(low)} to ${valueText(high)}`;
}
