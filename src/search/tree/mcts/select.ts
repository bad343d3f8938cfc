/** Rules that choose which child to visit next, and the walk from the root that they guide. */
import type { Key } from "../../../key.ts";
import type { Json } from "../../../problem.ts";
import { checkNumber } from "../../../options.ts";
import { Status, type Tree, type TurnOf } from "./tree.ts";

/** A rule of selection as a value. */
export interface Select {
  readonly name: string;
  readonly options: Json;
  /** The rule of one search, which will have so many simulations. */
  rule(search: { readonly key: Key; readonly simulations: number }): SelectRule;
}

export interface SelectRule {
  /** The edge to follow from an expanded node; -1 where all children are closed. Ties: the earlier edge. */
  choose(tree: Tree, node: number): number;
  /** The edge of the root to play in the end; absent: the most visited. */
  final?(tree: Tree): number;
  /** [edges of the root] the policy that the search recommends; absent: the shares of the visits. */
  improved?(tree: Tree): number[];
}

export interface UctOptions {
  /** How much is explored; values should span about 1. @default √2, for values in [0, 1] */
  readonly c?: number;
}

/**
 * UCT: q + c √(ln N / n), where n visits went to the child and N to all children; unvisited children first, in order.
 * Kocsis & Szepesvári 2006, "Bandit based Monte-Carlo Planning", ECML; with c = √2 the UCB1 of Auer, Cesa-Bianchi & Fischer
 * 2002, Machine Learning 47. Priors do nothing but order the unvisited.
 */
export function uct({ c = Math.SQRT2 }: UctOptions = {}): Select {
  checkNumber("uct", "c", c, { least: 0 });
  const choose: SelectRule["choose"] = (tree, node) => {
    const [from, to] = tree.edgesOf(node);
    const next = from + (tree.opened[node] as number);
    if (next < to) return next;
    const { child, status } = tree;
    const turn = tree.turn[node] as number;
    const logPlays = Math.log(tree.playsOf(node));
    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let edge = from; edge < next; edge++) {
      const at = child[edge] as number;
      if (status[at] === Status.closed) continue;
      const bound = tree.valueFor(turn, at) + c * Math.sqrt(logPlays / tree.visitsOf(at));
      if (bound > most) [best, most] = [edge, bound];
    }
    return best;
  };
  return { name: "uct", options: { c }, rule: () => ({ choose }) };
}

export interface PuctOptions {
  /** How much is explored. @default 1.25, as in MuZero */
  readonly c?: number;
  /** The visits from which on exploration grows. @default 19652, as in AlphaZero */
  readonly base?: number;
}

/**
 * PUCT: q + P · √N / (1 + n) · (c + ln((N + base + 1) / base)), with the prior P, n visits to the child and N to the node,
 * its own evaluation included. Silver et al. 2018, "A general reinforcement learning algorithm that masters chess, shogi, and
 * Go through self-play", Science 362(6419), its pseudo-code; constants and form of q as in MuZero (Schrittwieser et al. 2019,
 * arXiv:1911.08265, appendix B) and mctx: q is brought to [0, 1] by the least and the greatest of the node's own value and
 * those of its visited children, so that values may have any scale. Unvisited children have q = 0, the least.
 */
export function puct({ c = 1.25, base = 19652 }: PuctOptions = {}): Select {
  checkNumber("puct", "c", c, { least: 0 });
  checkNumber("puct", "base", base, { above: 0 });
  const choose: SelectRule["choose"] = (tree, node) => {
    const [from, to] = tree.edgesOf(node);
    const next = from + (tree.opened[node] as number);
    const { child, status, weight } = tree;
    const turn = tree.turn[node] as number;
    const visits = tree.visitsOf(node);
    const explore = (Math.sqrt(visits) * (c + Math.log((visits + base + 1) / base))) / (tree.mass[node] as number);

    let least = Number.POSITIVE_INFINITY;
    let greatest = Number.NEGATIVE_INFINITY;
    if ((tree.visits[node] as number) > 0) least = greatest = turn * (tree.value[node] as number);
    for (let edge = from; edge < next; edge++) {
      const at = child[edge] as number;
      if (status[at] === Status.closed) continue;
      const q = tree.valueFor(turn, at);
      if (q < least) least = q;
      if (q > greatest) greatest = q;
    }
    const span = Math.max(greatest - least, 1e-8);

    let best = -1;
    let most = Number.NEGATIVE_INFINITY;
    for (let edge = from; edge < next; edge++) {
      const at = child[edge] as number;
      if (status[at] === Status.closed) continue;
      const q = (tree.valueFor(turn, at) - least) / span;
      const bound = q + (explore * (weight[edge] as number)) / (1 + tree.visitsOf(at));
      if (bound > most) {
        most = bound;
        best = edge;
      }
    }
    // Of the unvisited ones, all of q = 0, the first is the most probable.
    return next < to && explore * (weight[next] as number) > most ? next : best;
  };
  return { name: "puct", options: { c, base }, rule: () => ({ choose }) };
}

/**
 * Walks down, from the root or on from a node, to where the next visit ends: a node that is not evaluated, or not expanded, or
 * terminal, or where it `stops`. Nodes without a living child are closed on the way, and the walk begins again.
 * @returns -1 where the whole tree is closed
 */
export function descend(
  tree: Tree,
  rule: SelectRule,
  turnOf: TurnOf,
  stops: (node: number) => boolean = never,
  from = 0,
): number {
  for (let node = from; ; ) {
    const status = tree.status[node] as number;
    if (status === Status.closed) return -1; // the root
    if (status !== Status.expanded || stops(node)) return node;
    const edge = rule.choose(tree, node);
    if (edge >= 0) node = tree.below(node, edge, turnOf);
    else {
      tree.status[node] = Status.closed;
      node = 0;
    }
  }
}

const never = (): boolean => false;

/** The edge of the root that most visits went to; -1 if none did. Ties: the earlier edge. */
export function mostVisited(tree: Tree): number {
  const [from] = tree.edgesOf(0);
  let best = -1;
  let most = 0;
  for (let edge = from; edge < from + (tree.opened[0] as number); edge++) {
    const visits = tree.visits[tree.child[edge] as number] as number;
    if (visits > most) [best, most] = [edge, visits];
  }
  return best;
}

/** The visited edge of the root with the best value for its player; -1 if there is none. Ties: the earlier edge. */
export function mostValued(tree: Tree): number {
  const [from] = tree.edgesOf(0);
  let best = -1;
  let most = Number.NEGATIVE_INFINITY;
  for (let edge = from; edge < from + (tree.opened[0] as number); edge++) {
    const at = tree.child[edge] as number;
    const value = (tree.turn[0] as number) * (tree.value[at] as number);
    if ((tree.visits[at] as number) > 0 && value > most) [best, most] = [edge, value];
  }
  return best;
}
