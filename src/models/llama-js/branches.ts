/**
 * Continuations of one prefix as a tree, evaluated together: what they have in common once, all of it in one batch where it fits.
 * Each token attends to its own ancestors alone (tree attention: Miao et al. 2023, arXiv:2305.09781, §4.2); as a path is a list of
 * blocks here, that needs no mask.
 */
import { Failed } from "../../errors.ts";
import type { Engine } from "./engine.ts";
import type { Block } from "./network.ts";
import type { PrefixTree } from "./prefix-tree.ts";
import type { Prompted } from "./prompts.ts";

interface Branch {
  /** All tokens from the start of the prompt to here. */
  readonly tokens: readonly number[];
  /** Undefined for the prefix itself. */
  readonly parent: Branch | undefined;
  path: Block[];
  law: Float64Array | undefined;
  readonly children: Map<number, Branch>;
}

/**
 * [continuations] the next-token law after each; `evaluated`: tokens that were not known, `found`: those that were. `start` is what they continue, with the law after
 * it where an empty continuation asks for that.
 */
export async function evaluateBranches(
  engine: Engine,
  tree: PrefixTree,
  start: Pick<Prompted, "tokens" | "path"> & Partial<Pick<Prompted, "logProbs">>,
  continuations: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<{ readonly laws: Float64Array[]; readonly evaluated: number; readonly found: number }> {
  const root: Branch = {
    tokens: start.tokens,
    parent: undefined,
    path: [...start.path],
    law: start.logProbs,
    children: new Map(),
  };
  const missing: Branch[] = []; // parents before their children
  let found = 0;
  const ends = continuations.map((continuation) => {
    let at = root;
    for (const token of continuation) {
      let next = at.children.get(token);
      if (!next) {
        const tokens = [...at.tokens, token];
        const { path, logProbs } = tree.find(tokens);
        next = { tokens, parent: at, path: logProbs ? path : [], law: logProbs, children: new Map() };
        at.children.set(token, next);
        if (logProbs) found++;
        else missing.push(next);
      }
      at = next;
    }
    return at;
  });

  if (missing.length > 0)
    await new Promise<void>((resolve, reject) => {
      let begun = 0;
      let ended = 0;
      engine.add({
        path: [],
        pending: missing.map(({ tokens }) => tokens.at(-1) as number),
        wantedFrom: 0,
        branch() {
          const branch = missing[begun++] as Branch;
          branch.path = [...(branch.parent as Branch).path];
          return branch.path;
        },
        receive(lent) {
          const branch = missing[ended++] as Branch;
          branch.law = lent.slice();
          tree.insert(branch.tokens, branch.path, branch.law);
          if (ended === missing.length) resolve();
        },
        hasStopped() {
          if (signal.aborted)
            reject(new Failed("aborted", "The request was aborted while continuations were evaluated"));
          return signal.aborted;
        },
        fail: reject,
      });
    });
  return { laws: ends.map(({ law }) => law as Float64Array), evaluated: missing.length, found };
}
