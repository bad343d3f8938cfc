/**
 * Diverse beam search: a beam in groups, each of which is kept from repeating the groups before it.
 *
 * Vijayakumar et al. 2016, arXiv:1610.02424, algorithm 1. The width is split into equal groups. At each time step the groups
 * choose one after the other; the first by log-probability alone, each later one by log-probability minus `strength` times a
 * penalty for resembling what the groups before it have just chosen (see penalties.ts; the paper finds Hamming best, and
 * strengths of 0.2 to 0.8). The first group is a beam search of width / groups, so the result is never worse than that.
 *
 * One group, whatever the strength, is beam search of the same width, node for node; strength 0 is that of width / groups. The
 * penalty steers the search only: the answer is the most likely of all that were kept, and the candidates come by
 * log-probability. A penalty that looks at the newest step adds up along the path, as it does in fairseq; one that looks at the
 * whole path is taken anew each time. Finished answers keep their score and their place in the group, and compete with
 * unfinished ones. What several groups keep is extended once.
 * A penalised step may be overtaken by one of lower probability, so `branch` children must be looked at: for Hamming and
 * cumulative penalties the width is enough to be exact, as earlier groups can penalise at most width - width / groups of them.
 *
 * Use it to get answers that differ; by likelihood alone a beam of the same width often does as well. For tokens, or steps
 * that recur: drawn lines hardly ever do. Ties: the earlier place. Cost: width × branch steps a level, at most.
 */
import type { Node } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Outcome, Search } from "../../search.ts";
import { extend, propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import type { Penalty } from "./penalties.ts";
import { bestFinished, byRank, type Ranked } from "../ranked.ts";

export interface DiverseBeamOptions<S> {
  /** δ: what counts as resembling. */
  readonly penalty: Penalty<S>;
  /** B: partial answers kept, in all groups together; a multiple of the groups. @default 4 */
  readonly width?: number;
  /** G. @default the width: one hypothesis a group */
  readonly groups?: number;
  /** λ, in nats. @default 0.5 */
  readonly strength?: number;
  /** Children of each. @default the width */
  readonly branch?: number;
  /** @default "top" */
  readonly draw?: Draw;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export interface DiverseBeamOutcome<S> extends Outcome<S> {
  /** The finished answers of each group, by their penalised score. */
  readonly groups: readonly (readonly Node<S>[])[];
}

interface Penalised<S> extends Ranked<S> {
  /** What it has been charged so far. */
  readonly charge: number;
}

export function diverseBeam<S>(options: DiverseBeamOptions<S>): Search<S, DiverseBeamOutcome<S>> {
  const { penalty, width = 4, groups = width, strength = 0.5, branch = width, draw = "top", maxSteps = 1000 } = options;
  checkWhole("diverse-beam", "width", width, 1);
  checkWhole("diverse-beam", "groups", groups, 1, width);
  checkWhole("diverse-beam", "branch", branch, 1);
  checkWhole("diverse-beam", "maxSteps", maxSteps, 1);
  checkNumber("diverse-beam", "strength", strength, { least: 0 });
  if (width % groups !== 0)
    throw new RangeError(
      `Cannot use diverse-beam as 'groups' must divide the width: current value is ${groups} of ${width}`,
    );

  return {
    name: "diverse-beam",
    options: { penalty: penalty.name, width, groups, strength, branch, draw, maxSteps },
    *run(root) {
      let kept: Penalised<S>[][] = Array.from({ length: groups }, () => [{ node: root, rank: 0, charge: 0 }]);
      let passed: Ranked<S>[] = []; // the most likely finished answer so far, kept or not
      for (let step = 0; step < maxSteps; step++) {
        const open = [...new Set(kept.flat().map(({ node }) => node))].filter(({ done }) => !done);
        if (open.length === 0) break;
        const { results, spent } = yield* allAffordable(open.map((node) => extend(node, { count: branch, draw })));
        const childrenOf = new Map(open.map((node, i) => [node, results[i] ?? []]));

        const grown = results.flatMap((children) => children ?? []);
        passed = bestFinished([...passed, ...grown.map((node) => ({ node, rank: node.totalLogProb }))]);

        const chosen: Node<S>[][] = [];
        kept = kept.map((group) => {
          const penaltyOf = penalty.against(chosen);
          const ours = group.flatMap(({ node: parent, charge: before }) =>
            (childrenOf.get(parent) ?? []).map((node): Penalised<S> => {
              const charge = (penalty.extent === "step" ? before : 0) + penaltyOf(node);
              return { node, charge, rank: node.totalLogProb - strength * charge };
            }),
          );
          const useful = ours.filter(({ node }) => node.done || !spent);
          const next = [...group.filter(({ node }) => node.done), ...useful].sort(byRank).slice(0, width / groups);
          chosen.push(next.map(({ node }) => node));
          return next;
        });
        for (const { node } of kept.flat()) if (node.done) yield* propose(node, node.totalLogProb);
        if (!spent) continue;
        if (passed.length === 0) throw spent;
        break;
      }
      const finished = kept.map((group) => group.filter(({ node }) => node.done));
      const ranked = [...new Set(finished.flat().map(({ node }) => node))]
        .map((node) => ({ node, rank: node.totalLogProb }))
        .sort(byRank);
      const candidates = (ranked.length > 0 ? ranked : passed).map(({ node }) => node);
      return { answer: candidates[0], candidates, groups: finished.map((group) => group.map(({ node }) => node)) };
    },
  };
}
