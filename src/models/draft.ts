/**
 * What speculative decoding drafts and how the draft is verified, over next-token laws as they are: no model, no text.
 *
 * Two drafts, and for each the verification that leaves the target's law as it is:
 *
 * - A chain of sampled tokens, each accepted with probability min(1, q/p), p the draft's law and q the target's; the first that is
 *   refused is drawn anew from the normalised positive part of q − p. Leviathan et al. 2022, arXiv:2211.17192, algorithm 1 (they write
 *   p for the target); Chen et al. 2023, arXiv:2302.01318.
 * - A tree of tokens that were chosen without chance. A token is drawn from q and its child followed, as long as there is one. Taking the
 *   children one by one by recursive rejection (accept with their share of what is left of q, else take them out; as EAGLE's own code
 *   does) has the same law: some child is accepted with probability Σ q over the children, which nothing can exceed.
 *
 * The tree grows by the draft's confidence: Li et al. 2024, arXiv:2406.16858 (EAGLE-2), §4: the value of a node is the product of the
 * draft's probabilities down to it; layer by layer the `width` most valuable nodes get `width` children each; of all nodes the `size`
 * most valuable stay (equal: the shallower). The draft's own law is used, whatever the sampling, as there; ends are left out here, as
 * nothing is to be read after them.
 */
import type { Random } from "../math/random.ts";
import { byProbability, draw } from "./sampling.ts";

/** log q by token id. */
export type TokenLaw = ArrayLike<number>;

export interface TreeShape {
  /** Drafted tokens that the target reads in one pass. */
  readonly size: number;
  /** Most tokens in a row; the draft is asked as often, one after the other. */
  readonly depth: number;
  /** Nodes of a layer that are grown on, and children that each gets. */
  readonly width: number;
}

export interface DraftNode {
  /** Token ids from the root to here; none at the root. */
  readonly path: readonly number[];
  readonly children: Map<number, DraftNode>;
}

/** Drafted tokens with the law that each was drawn from. */
export interface DraftedToken {
  readonly token: number;
  readonly law: TokenLaw;
}

/** `lawAfter` gives the law to draw from; the chain ends with an end token, or at `count`. */
export async function draftChain(
  count: number,
  lawAfter: (path: readonly number[]) => Promise<TokenLaw>,
  isEnd: (token: number) => boolean,
  stream: Random,
): Promise<DraftedToken[]> {
  const chain: DraftedToken[] = [];
  while (chain.length < count) {
    const law = await lawAfter(chain.map(({ token }) => token));
    const token = draw(law, stream);
    chain.push({ token, law });
    if (isEnd(token)) break;
  }
  return chain;
}

/** A token that follows the target's law `q`: the drafted one, where it is accepted. */
export function acceptOrReplace({ token, law: p }: DraftedToken, q: TokenLaw, stream: Random): number {
  if (stream.uniform() * Math.exp(p[token] as number) < Math.exp(q[token] as number)) return token;
  const residual = Array.from(q, (logQ, i) => Math.max(0, Math.exp(logQ) - Math.exp(p[i] as number)));
  return residual.some((weight) => weight > 0) ? stream.weighted(residual) : token; // equal laws, up to rounding
}

/** `lawsAfter` gives the draft's own laws after several paths. The root is not among the `size` nodes. */
export async function growTree(
  { size, depth, width }: TreeShape,
  lawsAfter: (paths: readonly (readonly number[])[]) => Promise<readonly TokenLaw[]>,
  isEnd: (token: number) => boolean,
): Promise<DraftNode> {
  const root = { path: [] as number[], logValue: 0 };
  const grown: (typeof root)[] = [];
  let layer = [root];
  for (let d = 0; d < depth && layer.length > 0; d++) {
    const laws = await lawsAfter(layer.map(({ path }) => path));
    const next = layer.flatMap(({ path, logValue }, i) => {
      const law = laws[i] as TokenLaw;
      return byProbability(law)
        .filter((token) => !isEnd(token) && (law[token] as number) > Number.NEGATIVE_INFINITY)
        .slice(0, width)
        .map((token) => ({ path: [...path, token], logValue: logValue + (law[token] as number) }));
    });
    grown.push(...next);
    layer = next.sort((a, b) => b.logValue - a.logValue).slice(0, width);
  }
  // No node is worth more than its parent, and sorting is stable, so a node that stays has its parent.
  return treeOf(
    grown
      .sort((a, b) => b.logValue - a.logValue)
      .slice(0, size)
      .map(({ path }) => path),
  );
}

/** The tree of some paths, parents before their children. */
function treeOf(paths: readonly (readonly number[])[]): DraftNode {
  const root: DraftNode = { path: [], children: new Map() };
  for (const path of paths) {
    let at = root;
    for (const token of path.slice(0, -1)) at = at.children.get(token) as DraftNode;
    at.children.set(path.at(-1) as number, { path, children: new Map() });
  }
  return root;
}

/** All nodes of a tree, the root first, parents before their children. */
export function nodesOf(root: DraftNode): DraftNode[] {
  return [root, ...Array.from(root.children.values()).flatMap(nodesOf)];
}
