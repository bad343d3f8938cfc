/**
 * What was evaluated already: a tree of tokens, each with its keys and values, so that a prefix is evaluated once and
 * shared by all samples and all branches that begin with it. Zheng et al. 2023, arXiv:2312.07104, §3 (RadixAttention);
 * here one token a node.
 *
 * Least recently used leaves go first when there are too many bytes. Blocks never change, and whoever uses a path holds
 * its blocks, so dropping a node from the tree never hurts a sequence that runs.
 */
import type { Block } from "./network.ts";

interface Node {
  readonly token: number;
  readonly block: Block;
  readonly parent: Node | undefined; // undefined for children of the root
  children: Map<number, Node> | undefined;
  /** The next-token law after this token, where it was asked for. */
  logProbs: Float64Array | undefined;
}

/** Bytes of a node besides its numbers: object, map and list entries, array headers. Measured: 1023 resident, Node.js 24, x64. */
const nodeBytes = 1000;

export class PrefixTree {
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #roots = new Map<number, Node>();
  /** Least recently used first. A path is touched from its leaf to its root, so that the first of all is a leaf. */
  readonly #recency = new Set<Node>();

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The blocks of the longest known prefix of `tokens`, and the law after it if that is all of them and it is known. */
  find(tokens: readonly number[]): { readonly path: Block[]; readonly logProbs: Float64Array | undefined } {
    const path: Block[] = [];
    let at: Node | undefined;
    for (const token of tokens) {
      const next: Node | undefined = this.#children(at).get(token);
      if (!next) break;
      path.push(next.block);
      at = next;
    }
    this.#touch(at);
    return { path, logProbs: path.length === tokens.length ? at?.logProbs : undefined };
  }

  /** Remembers the first `path.length` of `tokens`; what is known already stays as it is. */
  insert(tokens: readonly number[], path: readonly Block[], logProbs?: Float64Array): void {
    let at: Node | undefined;
    path.forEach((block, i) => {
      const token = tokens[i] as number;
      const siblings = this.#children(at);
      let next = siblings.get(token);
      if (!next) {
        next = { token, block, parent: at, children: undefined, logProbs: undefined };
        siblings.set(token, next);
        this.#bytes += block.byteLength + nodeBytes;
      }
      at = next;
    });
    if (at && logProbs && !at.logProbs) {
      at.logProbs = logProbs;
      this.#bytes += logProbs.byteLength;
    }
    this.#touch(at);
    this.#evict();
  }

  #children(node: Node | undefined): Map<number, Node> {
    return node ? (node.children ??= new Map()) : this.#roots;
  }

  #touch(leaf: Node | undefined): void {
    for (let at = leaf; at; at = at.parent) {
      this.#recency.delete(at);
      this.#recency.add(at);
    }
  }

  #evict(): void {
    for (const node of this.#recency) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#recency.delete(node);
      this.#children(node.parent).delete(node.token);
      this.#bytes -= node.block.byteLength + nodeBytes + (node.logProbs?.byteLength ?? 0);
    }
  }
}
