/**
 * When a vote has been decided: criteria that look at the votes so far and say whether to draw more.
 *
 * - `betaCriterion`: the posterior probability that the leader is more frequent than the runner-up, the other answers left out.
 *   Under a uniform prior P(p > 1/2 | v₁, v₂) = I_½(v₂ + 1, v₁ + 1), exactly, by the regularised incomplete beta function.
 * - `dirichletCriterion`: the posterior probability that the leader is the most frequent of all answers seen. Under a uniform
 *   prior it is P(X₁ > max Xᵢ) of independent Xᵢ ~ Gamma(vᵢ + 1): one integral, here to about 1e-10. With two answers or one it
 *   is the Beta criterion. The authors' program integrates by Monte Carlo and over the five most voted answers; here are all.
 * - `agreement`: the last `window` answers are all the same.
 *
 * Adaptive consistency: Aggarwal, Madaan, Yang & Mausam 2023, arXiv:2305.11860; threshold 0.95, reached or passed, as theirs.
 * Agreement: early-stopping self-consistency, Li et al. 2024, arXiv:2401.10480. Its windows follow one another without
 * overlapping, which they do where `batch` is the window (the default).
 *
 * A posterior that is looked at after every draw until it is high enough is no error rate. Over problems with two answers whose
 * shares are spread like the prior, of the votes it ends the leader is the more frequent answer at least as often as the threshold
 * says; on a given problem, say with 0.55 and 0.45, less often. `docs/methods/allocate.md` has figures.
 */
import { chanceOfMost } from "../math/dirichlet.ts";
import { regularisedBeta } from "../math/special.ts";
import type { Json } from "../problem.ts";
import { checkBetween, checkWhole } from "../options.ts";

/** The votes so far, as an aggregator counts them. */
export interface Votes {
  /** Of each distinct answer, greatest first. */
  readonly weights: readonly number[];
  /** The same of the last `count` answers alone. */
  last(count: number): readonly number[];
}

export interface Criterion {
  readonly name: string;
  readonly options: Json;
  /** Answers to draw at once where nothing else is asked for. */
  readonly batch: number;
  /** `certainty`: what the criterion holds against its threshold, where that is a probability. */
  judge(votes: Votes): { readonly stop: boolean; readonly certainty?: number };
}

export interface ThresholdOptions {
  /** In (1/2, 1). @default 0.95 */
  readonly threshold?: number;
}

export function betaCriterion({ threshold = 0.95 }: ThresholdOptions = {}): Criterion {
  return posterior("beta", threshold, ([first = 0, second = 0]) => probabilityToLead(first, second));
}

export function dirichletCriterion({ threshold = 0.95 }: ThresholdOptions = {}): Criterion {
  return posterior("dirichlet", threshold, (weights) =>
    weights.length < 3 ? probabilityToLead(weights[0] ?? 0, weights[1] ?? 0) : probabilityOfMost(weights),
  );
}

function posterior(name: string, threshold: number, certaintyOf: (weights: readonly number[]) => number): Criterion {
  checkBetween(`the ${name} criterion`, "threshold", threshold, [0.5, 1], { open: true });
  return {
    name,
    options: { threshold },
    batch: 1,
    judge({ weights }) {
      const certainty = certaintyOf(weights);
      return { stop: certainty > threshold - 1e-12, certainty }; // at the threshold too, whatever the rounding
    },
  };
}

export function agreement({ window = 5 }: { /** @default 5 */ readonly window?: number } = {}): Criterion {
  checkWhole("agreement", "window", window, 1);
  return {
    name: "agreement",
    options: { window },
    batch: window,
    judge(votes) {
      const weights = votes.last(window);
      return { stop: weights.length === 1 && weights[0] === window };
    },
  };
}

/** P(p > 1/2) of p ~ Beta(first + 1, second + 1). */
export const probabilityToLead = (first: number, second: number): number => regularisedBeta(0.5, second + 1, first + 1);

/** P(p₁ > pᵢ for all i > 1) of p ~ Dirichlet(counts + 1), the leader first. */
export const probabilityOfMost = ([leader = 0, ...others]: readonly number[]): number =>
  chanceOfMost(
    leader + 1,
    others.map((count) => count + 1),
  );
