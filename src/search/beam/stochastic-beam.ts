/**
 * Self-evaluation guided stochastic beam search: steps are drawn, weighed by likelihood and confidence, and kept by chance.
 *
 * Xie et al. 2023, arXiv:2305.00633, §2. `branch` steps are drawn after each partial answer kept. A scorer of probabilities
 * says how confident one is in the newest step, C (they ask the model itself, as a multiple-choice question). With
 * w = `confidenceWeight` a chain is worth E = Π P(step)^(1 - w) · C(step)^w (eq. 3; their λ is 1 - w). `width` of the
 * candidates are drawn without replacement, each time with probability proportional to exp(E / τ) (eq. 4); τ is
 * `temperature`, and is multiplied by `anneal` after every step. At τ = 0 the best by E are kept; with w = 0 too it is beam
 * search over drawn steps, node for node.
 *
 * E lies in [0, 1] and falls with every token, so that on long steps all of exp(E / τ) are nearly equal and the drawing
 * nearly uniform. `normalize` takes P per token of the step and E per step, geometric means both, as the authors' code does.
 *
 * Drawing is by Gumbel noise on E / τ and taking the largest: the same law (Kool, van Hoof & Welling 2019, arXiv:1903.06059,
 * §2), one sort. Finished answers stay candidates and can be lost by chance, but not in the step that a spent budget ends. A
 * step that could not be scored is kept only where nothing else is. The outcome names the step of the answer in which
 * confidence was least: where to look first if it is wrong. Ties: the earlier place. Cost: width × branch steps and scores a
 * level.
 */
import { fold } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import { pathTo } from "../../node.ts";
import type { Draw } from "../../policy.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { propose } from "../../search.ts";
import { allAffordable } from "../../program.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { bestFinished, byRank, firstOfEach, growScored, type Ranked } from "../ranked.ts";

export interface StochasticBeamOptions<S> {
  /** C: the probability that the newest step is right, given those before it. @default the run's scorer */
  readonly scorer?: Scorer<S>;
  /** k: chains kept. @default 4 */
  readonly width?: number;
  /** n: steps drawn after each. @default the width */
  readonly branch?: number;
  /** @default "sample" */
  readonly draw?: Draw;
  /** w in [0, 1]: 0 is likelihood alone, 1 confidence alone. @default 0.5 */
  readonly confidenceWeight?: number;
  /** τ of the first step; 0 keeps the best. @default 0.2 */
  readonly temperature?: number;
  /** α in [0, 1]. @default 0.5 */
  readonly anneal?: number;
  /** Geometric means in place of products. @default false */
  readonly normalize?: boolean;
  /** Merges states that are equal by this key: the one of more worth stays. */
  readonly distinct?: (state: S) => string;
  /** @default 1000 */
  readonly maxSteps?: number;
}

export interface StochasticBeamOutcome<S> extends Outcome<S> {
  /** The step of the answer in which confidence was least, and how much there was. */
  readonly weakest?: { readonly node: Node<S>; readonly confidence: number };
}

/** Ranked by log E. */
interface Chain<S> extends Ranked<S> {
  /** log of the product, whatever `normalize` makes of it. */
  readonly logProduct: number;
}

export function stochasticBeam<S>({
  scorer,
  width = 4,
  branch = width,
  draw = "sample",
  confidenceWeight = 0.5,
  temperature = 0.2,
  anneal = 0.5,
  normalize = false,
  distinct,
  maxSteps = 1000,
}: StochasticBeamOptions<S> = {}): Search<S, StochasticBeamOutcome<S>> {
  checkWhole("stochastic-beam", "width", width, 1);
  checkWhole("stochastic-beam", "branch", branch, 1);
  checkWhole("stochastic-beam", "maxSteps", maxSteps, 1);
  checkNumber("stochastic-beam", "confidenceWeight", confidenceWeight, { least: 0, most: 1 });
  checkNumber("stochastic-beam", "temperature", temperature, { least: 0 });
  checkNumber("stochastic-beam", "anneal", anneal, { least: 0, most: 1 });

  /** log P^(1 - w) C^w of a step; 0 · log 0 is 0, and so is the weight of a probability that the model does not tell. */
  function worth(node: Node<S>, confidence: number): number {
    const logProb = normalize ? node.logProb / Math.max(1, node.length - (node.parent?.length ?? 0)) : node.logProb;
    return (
      (confidenceWeight === 1 ? 0 : (1 - confidenceWeight) * logProb) +
      (confidenceWeight === 0 ? 0 : confidenceWeight * Math.log(confidence))
    );
  }

  return {
    name: "stochastic-beam",
    options: {
      scorer: scorer?.name ?? null,
      width,
      branch,
      draw,
      confidenceWeight,
      temperature,
      anneal,
      normalize,
      distinct: distinct !== undefined,
      maxSteps,
    },
    *run(root, { key }) {
      const confidences = new Map<Node<S>, number>();

      function* grow(chain: Chain<S>): Program<S, Chain<S>[]> {
        const steps = yield* growScored(chain.node, { count: branch, draw, scorer });
        return steps.map(({ node, rank: confidence }) => {
          const isScored = confidence > Number.NEGATIVE_INFINITY;
          if (isScored) confidences.set(node, checkProbability(confidence));
          const logProduct =
            isScored || confidenceWeight === 0 ? chain.logProduct + worth(node, confidence) : Number.NEGATIVE_INFINITY;
          return { node, logProduct, rank: normalize ? logProduct / node.depth : logProduct };
        });
      }

      /** `width` of the candidates, drawn without replacement by exp(E / τ). */
      function choose(candidates: readonly Chain<S>[], step: number): readonly Chain<S>[] {
        const tau = temperature * anneal ** step;
        if (tau < 1e-300 || candidates.length <= width) return candidates.slice(0, width);
        const chance = random(fold(key, step));
        const drawn = candidates.map((chain) => {
          const gumbel = -Math.log(-Math.log(chance.uniform()));
          const known = chain.rank > Number.NEGATIVE_INFINITY; // else unscored, or impossible: last
          return {
            chain,
            node: chain.node,
            rank: known ? Math.exp(chain.rank) / tau + gumbel : Number.NEGATIVE_INFINITY,
          };
        });
        const chosen = new Set(
          drawn
            .sort(byRank)
            .slice(0, width)
            .map(({ chain }) => chain),
        );
        return candidates.filter((chain) => chosen.has(chain));
      }

      let kept: readonly Chain<S>[] = [{ node: root, rank: 0, logProduct: 0 }];
      let passed: Ranked<S>[] = []; // the best finished answer so far, kept or not
      for (let step = 0; step < maxSteps; step++) {
        const finished = kept.filter(({ node }) => node.done);
        const open = kept.filter(({ node }) => !node.done);
        if (open.length === 0) break;
        const { results, spent } = yield* allAffordable(open.map(grow));
        let candidates = [...finished, ...results.flatMap((chains) => chains ?? [])].sort(byRank);
        if (distinct) candidates = firstOfEach(candidates, ({ node }) => distinct(node.state));
        passed = bestFinished([...passed, ...candidates]);
        kept = spent ? candidates.filter(({ node }) => node.done) : choose(candidates, step);
        for (const { node, rank } of kept) if (node.done) yield* propose(node, rank);
        if (!spent) continue;
        if (passed.length === 0) throw spent;
        break;
      }
      const finished = kept.filter(({ node }) => node.done);
      const candidates = (finished.length > 0 ? finished : passed).map(({ node }) => node);
      const [answer] = candidates;
      const weakest = answer && weakestOf(pathTo(answer), confidences);
      return { answer, candidates, ...(weakest && { weakest }) };
    },
  };
}

function weakestOf<S>(path: readonly Node<S>[], confidences: ReadonlyMap<Node<S>, number>) {
  let weakest: { node: Node<S>; confidence: number } | undefined;
  for (const node of path) {
    const confidence = confidences.get(node);
    if (confidence !== undefined && !(weakest && weakest.confidence <= confidence)) weakest = { node, confidence };
  }
  return weakest;
}

function checkProbability(confidence: number): number {
  if (confidence >= 0 && confidence <= 1) return confidence;
  throw new RangeError(
    `Cannot use stochastic-beam as its scorer must give probabilities: it gave ${confidence}; use a scorer of kind "probability" or "verdict"`,
  );
}
