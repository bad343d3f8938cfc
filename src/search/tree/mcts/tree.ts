/**
 * The statistics of a search tree in flat arrays: what Monte Carlo tree search counts, whatever its nodes stand for.
 *
 * Nodes are numbers, the root 0. The edges of an expanded node lie side by side, the most probable first; the node below an
 * edge is made when the edge is first followed. Edges are followed for the first time in their order, so those followed are the
 * first `opened` ones, and a rule by which unvisited siblings differ in their prior alone looks no further than one edge
 * beyond them. Memory: 50 bytes a node, 16 an edge.
 *
 * Values are said for the first player; `turn` says who moves at a node, −1 minimises. `pending` counts visits whose value
 * is not there yet, while leaves are evaluated side by side.
 */

/** What a node is. */
export const Status = {
  /** Not evaluated yet. */
  fresh: 0,
  /** Evaluated, without edges. */
  leaf: 1,
  expanded: 2,
  /** The end of a game, a finished answer. */
  terminal: 3,
  /** Nothing can be had from it, as its score or all its children failed: never chosen again. */
  closed: 4,
} as const;

/** Whose turn it is after an action at a node. */
export type TurnOf = (action: number, node: number) => number;

export class Tree {
  /** Number of nodes. */
  size = 0;
  // [nodes]
  parent: Int32Array = new Int32Array(256);
  visits: Int32Array = new Int32Array(256);
  pending: Int32Array = new Int32Array(256);
  /** What the backup made of all values from here down, for the first player. */
  value: Float64Array = new Float64Array(256);
  /** Its own evaluation; NaN where there is none. */
  raw: Float64Array = new Float64Array(256);
  turn: Int8Array = new Int8Array(256);
  status: Uint8Array = new Uint8Array(256);
  first: Int32Array = new Int32Array(256);
  count: Int32Array = new Int32Array(256);
  opened: Int32Array = new Int32Array(256);
  /** Sum of the weights of its edges. */
  mass: Float64Array = new Float64Array(256);
  // [edges]
  /** Number of edges, and of gaps where a block has moved. */
  edges = 0;
  /** An edge's prior is its weight divided by the `mass` of its node. */
  weight: Float64Array = new Float64Array(1024);
  /** The node below; -1 until it is opened. */
  child: Int32Array = new Int32Array(1024);
  /** What the edge stands for, to whoever made it. */
  action: Int32Array = new Int32Array(1024);
  /** The range of all values that were backed up. */
  low: number = Number.POSITIVE_INFINITY;
  high: number = Number.NEGATIVE_INFINITY;

  constructor(turn: number) {
    this.#node(-1, turn);
  }

  #node(parent: number, turn: number): number {
    const node = this.size++;
    if (node >= this.parent.length) this.#growNodes();
    this.parent[node] = parent;
    this.raw[node] = Number.NaN;
    this.turn[node] = turn;
    return node;
  }

  /** Gives a leaf its edges: actions with weights >= 0. The heavier come first, equal ones in the given order. */
  expand(node: number, actions: ArrayLike<number>, weights: ArrayLike<number>): void {
    const count = actions.length;
    const start = this.#room(count);
    const { weight, action, child } = this;
    let mass = 0;
    for (let i = 0; i < count; i++) {
      const w = weights[i] as number;
      let at = start + i;
      for (; at > start && (weight[at - 1] as number) < w; at--) {
        weight[at] = weight[at - 1] as number;
        action[at] = action[at - 1] as number;
      }
      weight[at] = w;
      action[at] = actions[i] as number;
      child[start + i] = -1;
      mass += w;
    }
    this.first[node] = start;
    this.count[node] = count;
    this.mass[node] = mass;
    this.status[node] = Status.expanded;
  }

  /**
   * One more edge, the last in order, of weight 1. The block moves when it is full: its size, a power of two, doubles. Not for
   * nodes that were expanded at once.
   */
  widen(node: number, act: number): void {
    const count = this.count[node] as number;
    if ((count & (count - 1)) === 0) {
      const from = this.first[node] as number;
      const to = this.#room(Math.max(1, 2 * count));
      this.first[node] = to;
      for (const column of [this.weight, this.child, this.action]) column.copyWithin(to, from, from + count);
    }
    const edge = (this.first[node] as number) + count;
    this.weight[edge] = 1;
    this.child[edge] = -1;
    this.action[edge] = act;
    this.count[node] = count + 1;
    this.mass[node] = (this.mass[node] as number) + 1;
    this.status[node] = Status.expanded;
  }

  /** Makes an edge heavier by 1. */
  weigh(node: number, edge: number): void {
    this.weight[edge] = (this.weight[edge] as number) + 1;
    this.mass[node] = (this.mass[node] as number) + 1;
  }

  /** Visits, those underway included. */
  visitsOf(node: number): number {
    return (this.visits[node] as number) + (this.pending[node] as number);
  }

  /** Visits that went on to a child. */
  playsOf(node: number): number {
    return this.visitsOf(node) - (Number.isNaN(this.raw[node] as number) ? 0 : 1);
  }

  /**
   * The value of a visited child for the player whose `turn` it is at its parent. Visits underway count as lost: as the
   * worst value of the tree so far. Chaslot, Winands & van den Herik 2008, "Parallel Monte-Carlo Tree Search" (virtual loss).
   */
  valueFor(turn: number, child: number): number {
    const value = turn * (this.value[child] as number);
    const pending = this.pending[child] as number;
    if (pending === 0) return value;
    const loss = this.low > this.high ? 0 : turn > 0 ? this.low : -this.high;
    const visits = this.visits[child] as number;
    return visits === 0 ? loss : (visits * value + pending * loss) / (visits + pending);
  }

  /** Follows an edge; `turnOf` is asked where nobody did before. */
  below(node: number, edge: number, turnOf: TurnOf): number {
    const known = this.child[edge] as number;
    if (known >= 0) return known;
    const child = this.#node(node, turnOf(this.action[edge] as number, node));
    this.child[edge] = child;
    this.opened[node] = edge - (this.first[node] as number) + 1;
    return child;
  }

  /** Marks the visit of a node, and of all above it, as underway; or takes that back. */
  mark(node: number, by: 1 | -1): void {
    const { pending, parent } = this;
    for (let at = node; at >= 0; at = parent[at] as number) pending[at] = (pending[at] as number) + by;
  }

  /** The edges of a node as places in the edge arrays, [from, to). */
  edgesOf(node: number): readonly [from: number, to: number] {
    const from = this.first[node] as number;
    return [from, from + (this.count[node] as number)];
  }

  #room(count: number): number {
    const start = this.edges;
    this.edges += count;
    if (this.edges > this.action.length) {
      const length = Math.max(this.edges, 2 * this.action.length);
      this.weight = grown(this.weight, new Float64Array(length));
      this.child = grown(this.child, new Int32Array(length));
      this.action = grown(this.action, new Int32Array(length));
    }
    return start;
  }

  #growNodes(): void {
    const length = 2 * this.parent.length;
    this.parent = grown(this.parent, new Int32Array(length));
    this.visits = grown(this.visits, new Int32Array(length));
    this.pending = grown(this.pending, new Int32Array(length));
    this.value = grown(this.value, new Float64Array(length));
    this.raw = grown(this.raw, new Float64Array(length));
    this.turn = grown(this.turn, new Int8Array(length));
    this.status = grown(this.status, new Uint8Array(length));
    this.first = grown(this.first, new Int32Array(length));
    this.count = grown(this.count, new Int32Array(length));
    this.opened = grown(this.opened, new Int32Array(length));
    this.mass = grown(this.mass, new Float64Array(length));
  }
}

function grown<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
