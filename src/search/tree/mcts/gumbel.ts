/**
 * Gumbel AlphaZero: at the root, moves are drawn without replacement and compared by Sequential Halving, so that even a few
 * simulations improve the policy; below, visits follow the improved policy without chance.
 *
 * Danihelka, Guez, Schrittwieser & Silver 2022, "Policy improvement by planning with Gumbel", ICLR; form and constants as in
 * mctx: the root's children are ranked by g + logit + σ(q), with Gumbel noise g of each; completed values (unvisited children
 * have the mixed value of appendix D) are brought to [0, 1] by the least and the greatest of them; σ(q) = (50 + max n) · 0.1 · q;
 * below the root the child with the greatest π'(a) − n(a) / (1 + Σ n) is visited, π' = softmax(logit + σ(q)) (section 5).
 * Sequential Halving: Karnin, Koren & Somekh 2013, "Almost Optimal Exploration in Multi-Armed Bandits", ICML.
 *
 * Closed children (failed ones) are left out everywhere; where that leaves none of those due, the least visited one is visited.
 */
import { fold } from "../../../key.ts";
import { random } from "../../../math/random.ts";
import { checkNumber, checkWhole } from "../../../options.ts";
import { mostVisited, type Select } from "./select.ts";
import { Status, type Tree } from "./tree.ts";

export interface GumbelOptions {
  /** Moves compared at the root. @default 16 */
  readonly considered?: number;
  /** c_visit of σ. @default 50 */
  readonly visits?: number;
  /** c_scale of σ. @default 0.1 */
  readonly scale?: number;
  /** Multiplies the noise; 0 takes the most probable moves without chance. @default 1 */
  readonly noise?: number;
}

export function gumbel({ considered = 16, visits = 50, scale = 0.1, noise = 1 }: GumbelOptions = {}): Select {
  checkWhole("gumbel", "considered", considered, 1);
  checkNumber("gumbel", "visits", visits, { least: 0 });
  checkNumber("gumbel", "scale", scale, { least: 0 });
  checkNumber("gumbel", "noise", noise, { least: 0 });
  return {
    name: "gumbel",
    options: { considered, visits, scale, noise },
    rule({ key, simulations }) {
      /** [edges of the root] g + logit, descending; made when the root is expanded. */
      let ranks: readonly number[] = [];

      function begin(tree: Tree): void {
        const [from, to] = tree.edgesOf(0);
        const stream = random(fold(key, "gumbel"));
        const drawn = Array.from({ length: to - from }, (_, i) => {
          const weight = tree.weight[from + i] as number;
          const g = -Math.log(-Math.log(1 - stream.uniform()));
          const rank = noise * g + Math.log(weight / (tree.mass[0] as number));
          return { weight, action: tree.action[from + i] as number, rank };
        });
        drawn.sort((a, b) => b.rank - a.rank);
        for (const [i, { weight, action }] of drawn.entries()) {
          tree.weight[from + i] = weight;
          tree.action[from + i] = action;
        }
        ranks = drawn.map(({ rank }) => rank);
      }

      /** Of the root's children with so many visits, the one with the greatest g + logit + σ(q). */
      function bestOf(tree: Tree, visited: number): number {
        const [from, to] = tree.edgesOf(0);
        const sigma = completed(tree, 0, visits, scale);
        let best = -1;
        let most = Number.NEGATIVE_INFINITY;
        for (let edge = from; edge < to; edge++) {
          const at = tree.child[edge] as number;
          if (!isLiving(tree, at) || countOf(tree, at) !== visited) continue;
          const rank = (ranks[edge - from] as number) + bonusOf(tree, 0, at, sigma);
          if (best < 0 || rank > most) {
            best = edge;
            most = rank;
          }
          if (at < 0) break; // of the unvisited the first is the best
        }
        return best;
      }

      const interior = improving(visits, scale);
      return {
        choose(tree, node) {
          if (node > 0) return interior(tree, node);
          if (ranks.length === 0) begin(tree);
          const edge = bestOf(tree, consideredVisits(Math.min(considered, ranks.length), simulations, tree.playsOf(0)));
          return edge >= 0 ? edge : leastVisited(tree);
        },
        final(tree) {
          const [from, to] = tree.edgesOf(0);
          let most = 0;
          for (let edge = from; edge < to; edge++) {
            const at = tree.child[edge] as number;
            if (isLiving(tree, at)) most = Math.max(most, countOf(tree, at));
          }
          const edge = bestOf(tree, most);
          return edge >= 0 ? edge : mostVisited(tree);
        },
        improved(tree) {
          const [from, to] = tree.edgesOf(0);
          const sigma = completed(tree, 0, visits, scale);
          const shares = Array.from({ length: to - from }, (_, i) => {
            const at = tree.child[from + i] as number;
            if (!isLiving(tree, at)) return 0;
            return (tree.weight[from + i] as number) * Math.exp(bonusOf(tree, 0, at, sigma) - sigma.most);
          });
          const total = shares.reduce((sum, share) => sum + share, 0);
          return shares.map((share) => (total > 0 ? share / total : 0));
        },
      };
    },
  };
}

/** Below the root: the child with the greatest π'(a) − n(a) / (1 + Σ n). */
function improving(visits: number, scale: number): (tree: Tree, node: number) => number {
  return (tree, node) => {
    const [from, to] = tree.edgesOf(node);
    const next = from + (tree.opened[node] as number);
    const { child, weight } = tree;
    const sigma = completed(tree, node, visits, scale);
    const fresh = Math.exp(bonusOf(tree, node, -1, sigma) - sigma.most);
    let total = 0;
    for (let edge = next; edge < to; edge++) total += (weight[edge] as number) * fresh;
    for (let edge = from; edge < next; edge++) {
      const at = child[edge] as number;
      if (isLiving(tree, at)) total += (weight[edge] as number) * Math.exp(bonusOf(tree, node, at, sigma) - sigma.most);
    }
    const plays = tree.playsOf(node);
    let best = next < to ? next : -1; // of the unvisited the first is the most probable
    let most = next < to ? ((weight[next] as number) * fresh) / total : Number.NEGATIVE_INFINITY;
    for (let edge = next - 1; edge >= from; edge--) {
      const at = child[edge] as number;
      if (!isLiving(tree, at)) continue;
      const share = ((weight[edge] as number) * Math.exp(bonusOf(tree, node, at, sigma) - sigma.most)) / total;
      const lack = share - tree.visitsOf(at) / (1 + plays);
      if (lack >= most) {
        most = lack; // backwards, so that of equals the earlier edge stays
        best = edge;
      }
    }
    return best;
  };
}

interface Sigma {
  /** The value of unvisited children, for the node's player. */
  readonly mixed: number;
  readonly least: number;
  /** σ(q) = slope · (q − least). */
  readonly slope: number;
  /** σ of the greatest. */
  readonly most: number;
}

/** Completed values of a node's children, and the scale that σ gives them. */
function completed(tree: Tree, node: number, visits: number, scale: number): Sigma {
  const [from, to] = tree.edgesOf(node);
  const next = from + (tree.opened[node] as number);
  const turn = tree.turn[node] as number;
  let plays = 0;
  let most = 0;
  let prior = 0;
  let weighted = 0;
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  for (let edge = from; edge < next; edge++) {
    const at = tree.child[edge] as number;
    if (!isLiving(tree, at)) continue;
    const n = tree.visitsOf(at);
    const q = tree.valueFor(turn, at);
    const p = Math.max(tree.weight[edge] as number, 1e-300); // so that values count where no prior does
    plays += n;
    most = Math.max(most, n);
    prior += p;
    weighted += p * q;
    least = Math.min(least, q);
    greatest = Math.max(greatest, q);
  }
  const raw = turn * (tree.raw[node] as number);
  const mean = plays > 0 ? weighted / prior : 0;
  const mixed = Number.isNaN(raw) ? mean : (raw + plays * mean) / (plays + 1);
  if (next < to || plays === 0) {
    least = Math.min(least, mixed);
    greatest = Math.max(greatest, mixed);
  }
  const slope = ((visits + most) * scale) / Math.max(greatest - least, 1e-8);
  return { mixed, least, slope, most: slope * (greatest - least) };
}

/** σ of a child's value; of the mixed value where there is no child yet. */
const bonusOf = (tree: Tree, node: number, child: number, { mixed, least, slope }: Sigma): number =>
  slope * ((child < 0 ? mixed : tree.valueFor(tree.turn[node] as number, child)) - least);

const isLiving = (tree: Tree, child: number): boolean => child < 0 || tree.status[child] !== Status.closed;

const countOf = (tree: Tree, child: number): number => (child < 0 ? 0 : tree.visitsOf(child));

function leastVisited(tree: Tree): number {
  const [from, to] = tree.edgesOf(0);
  let best = -1;
  let least = Number.POSITIVE_INFINITY;
  for (let edge = from; edge < to; edge++) {
    const at = tree.child[edge] as number;
    if (isLiving(tree, at) && countOf(tree, at) < least) {
      best = edge;
      least = countOf(tree, at);
    }
  }
  return best;
}

/**
 * How many visits the child has that is visited in a simulation, when Sequential Halving compares m children: each of
 * ⌈log2 m⌉ phases has an equal share of the simulations and keeps the better half, at least two, until all are used up.
 */
export function consideredVisits(m: number, simulations: number, simulation: number): number {
  if (m <= 1) return simulation;
  const phases = Math.ceil(Math.log2(m));
  let left = simulation;
  let visited = 0;
  for (let kept = m; ; kept = Math.max(2, kept >> 1)) {
    const each = Math.max(1, Math.floor(simulations / (phases * kept)));
    if (left < each * kept) return visited + Math.floor(left / kept);
    left -= each * kept;
    visited += each;
  }
}
