/** What a new value at a leaf does to the nodes above it. */
import { Status, type Tree } from "./tree.ts";

export interface Backup {
  readonly name: string;
  /** Counts one visit of the leaf and of all above it, and changes their values. */
  update(tree: Tree, leaf: number, value: number): void;
}

/** Every node keeps the mean of all values below it. Kocsis & Szepesvári 2006; the default of the literature. */
export const meanBackup: Backup = {
  name: "mean",
  update(tree, leaf, value) {
    const { parent, visits, value: means } = tree;
    see(tree, value);
    for (let node = leaf; node >= 0; node = parent[node] as number) {
      const n = (visits[node] as number) + 1;
      visits[node] = n;
      means[node] = (means[node] as number) + (value - (means[node] as number)) / n;
    }
  },
};

/**
 * Every node keeps the best value of its visited children, for the player who moves there: minimax over the tree so far.
 * For evaluations without noise: the best of many noisy ones is the luckiest. Costs a look at all siblings on the way.
 */
export const bestBackup: Backup = {
  name: "best",
  update(tree, leaf, value) {
    const { parent, visits, value: values, child, turn } = tree;
    see(tree, value);
    values[leaf] = value;
    for (let node = leaf; node >= 0; node = parent[node] as number) {
      visits[node] = (visits[node] as number) + 1;
      if (node === leaf) continue;
      const from = tree.first[node] as number;
      const sign = turn[node] as number;
      let most = Number.NEGATIVE_INFINITY;
      for (let edge = from; edge < from + (tree.opened[node] as number); edge++) {
        const at = child[edge] as number;
        if ((visits[at] as number) > 0 && tree.status[at] !== Status.closed)
          most = Math.max(most, sign * (values[at] as number));
      }
      values[node] = sign * most;
    }
  },
};

function see(tree: Tree, value: number): void {
  if (value < tree.low) tree.low = value;
  if (value > tree.high) tree.high = value;
}
