/**
 * CMA-ES: evolution of a normal law over vectors. Each generation draws points from it, and moves its mean, width and shape
 * towards those that score best; it needs neither slopes nor scales, only which of two points is better.
 *
 * Hansen 2016, "The CMA Evolution Strategy: A Tutorial", arXiv:1604.00772 (version 1): the (μ/μ_w, λ) strategy with negative
 * weights, cumulative step-size adaptation, rank-one and rank-μ update, and all the default parameters of its table 1. The
 * letters below are the tutorial's; here the score is maximised. The eigendecomposition is made anew every generation, which
 * is dear beyond a hundred dimensions.
 *
 * Points without a score take no part: the others are ranked among themselves, and weights that nobody takes are left out.
 * Ties: the earlier place. It ends after `generations`, when a score reaches `enough`, when the law has shrunk to a 10⁻¹² of
 * its first width, or when a whole generation remains without a score (the budget is spent, or the scorer broken).
 * The answer is the best point that was scored; the first one where none was. Cost: λ scores a generation, 4 + ⌊3 ln n⌋ by default. On smooth functions with
 * exact gradients gradient ascent is cheaper; nothing guarantees the global optimum.
 */
import { fold } from "../../key.ts";
import { dot, norm, plus, scaled, symmetricEigen, type Vector } from "../../math/linear.ts";
import { random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Search } from "../../search.ts";
import { BudgetSpent } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { byValue, judgedAt, type Scored, scoredOf, type Space } from "./space.ts";

export interface CmaEsOptions {
  /** Where the vectors are; as `latent()` makes it. */
  readonly space: Space;
  /** @default the run's scorer */
  readonly scorer?: Scorer<Vector>;
  /** The first mean. @default the run's root, which is 0 in a latent space */
  readonly start?: Vector;
  /** σ: the first standard deviation in every direction. @default 1, that of the prior */
  readonly spread?: number;
  /** λ: points a generation. @default 4 + ⌊3 ln n⌋ */
  readonly population?: number;
  /** @default 100 */
  readonly generations?: number;
  /** A score that ends the search. */
  readonly enough?: number;
}

export interface CmaEsOutcome extends Outcome<Vector> {
  readonly generations: number;
  /** Mean of the last law. */
  readonly mean: Vector;
  /** The largest standard deviation of the last law that was drawn from. */
  readonly spread: number;
}

export function cmaEs(options: CmaEsOptions): Search<Vector, CmaEsOutcome> {
  const { space, scorer, start, spread = 1, generations = 100, enough = Number.POSITIVE_INFINITY } = options;
  const n = space.dimension;
  const { population = 4 + Math.floor(3 * Math.log(n)) } = options;
  checkWhole("cma-es", "population", population, 2);
  checkWhole("cma-es", "generations", generations, 1, 10_000_000);
  checkNumber("cma-es", "spread", spread, { above: 0 });
  if (start && start.length !== n)
    throw new RangeError(`Cannot use cma-es as 'start' must have ${n} entries: it has ${start.length}`);
  const p = parameters(n, population);

  return {
    name: "cma-es",
    options: {
      dimension: n,
      population,
      generations,
      spread,
      start: start ?? null,
      enough: Number.isFinite(enough) ? enough : null,
      scorer: scorer?.name ?? null,
    },
    *run(root, { key }) {
      let law = firstLaw(start ?? root.state, spread);
      const best: Scored[] = []; // of each generation
      let unscored: Node<Vector> | undefined; // the first point, for want of a better one
      let generation = 0;
      let width = spread;
      try {
        while (generation < generations) {
          const stream = random(fold(key, generation));
          const shape = symmetricEigen(law.covariance); // C = Bᵀ D² B; the vectors are the rows of B
          const deviations = shape.values.map((value) => Math.sqrt(Math.max(value, 0))); // D
          width = law.sigma * (deviations[0] as number);
          if (width < 1e-12 * spread) break;
          const points = Array.from({ length: population }, () => {
            const y = shape.vectors.reduce<number[]>(
              (sum, vector, i) => plus(sum, vector, (deviations[i] as number) * stream.normal()),
              Array(n).fill(0),
            );
            return plus(law.mean, y, law.sigma); // eq. 38–40
          });
          const judged = yield* judgedAt(root, space, points, scorer);
          unscored ??= judged[0]?.node;
          const ranked = scoredOf(judged).sort(byValue);
          const [first] = ranked;
          if (!first) break;
          best.push(first);
          generation++;
          if (first.value >= enough) break;
          law = adapted(
            law,
            ranked.map(({ node }) => node.state),
            generation,
            p,
            (y) =>
              // C^(−1/2) y
              shape.vectors.reduce<number[]>(
                (sum, vector, i) =>
                  (deviations[i] as number) > 0 ? plus(sum, vector, dot(vector, y) / (deviations[i] as number)) : sum,
                Array(n).fill(0),
              ),
          );
        }
      } catch (error) {
        if (!(error instanceof BudgetSpent) || best.length === 0) throw error;
      }
      const candidates = best.sort(byValue).map(({ node }) => node);
      if (candidates.length === 0 && unscored) candidates.push(unscored);
      return { answer: candidates[0], candidates, generations: generation, mean: law.mean, spread: width };
    },
  };
}

/** The law that points are drawn from, N(mean, sigma² covariance), and the two paths that its mean has taken. */
interface Law {
  readonly mean: Vector;
  readonly sigma: number;
  readonly covariance: readonly Vector[]; // C
  readonly sigmaPath: Vector; // p_σ
  readonly covariancePath: Vector; // p_c
}

const firstLaw = (mean: Vector, sigma: number): Law => ({
  mean,
  sigma,
  covariance: mean.map((_, i) => mean.map((_, j) => (i === j ? 1 : 0))),
  sigmaPath: mean.map(() => 0),
  covariancePath: mean.map(() => 0),
});

/** The tutorial's table 1. */
function parameters(n: number, lambda: number) {
  const mu = Math.floor(lambda / 2);
  const raw = Array.from({ length: lambda }, (_, i) => Math.log((lambda + 1) / 2) - Math.log(i + 1)); // eq. 49
  const sum = (weights: readonly number[]): number => weights.reduce((a, b) => a + b, 0);
  const effective = (weights: readonly number[]): number => sum(weights) ** 2 / sum(weights.map((w) => w * w));
  const muEff = effective(raw.slice(0, mu));
  const muEffNegative = effective(raw.slice(mu));
  const cC = (4 + muEff / n) / (n + 4 + (2 * muEff) / n);
  const c1 = 2 / ((n + 1.3) ** 2 + muEff);
  const cMu = Math.min(1 - c1, (2 * (muEff - 2 + 1 / muEff)) / ((n + 2) ** 2 + muEff));
  // No more negative weight in sum than these three allow; the third keeps C positive definite.
  const most = Math.min(1 + c1 / cMu, 1 + (2 * muEffNegative) / (muEff + 2), (1 - c1 - cMu) / (n * cMu));
  const [positive, negative] = [sum(raw.filter((w) => w > 0)), -sum(raw.filter((w) => w < 0))];
  const cSigma = (muEff + 2) / (n + muEff + 5);
  return {
    mu,
    weights: raw.map((w) => (w >= 0 ? w / positive : (most * w) / negative)), // eq. 53
    muEff,
    cC,
    c1,
    cMu,
    cSigma,
    dSigma: 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma,
    /** E‖N(0, I)‖ */
    length: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
  };
}

/** The next law, from the points of this generation, best first. */
function adapted(
  law: Law,
  ranked: readonly Vector[],
  generation: number,
  { mu, weights, muEff, cC, c1, cMu, cSigma, dSigma, length }: ReturnType<typeof parameters>,
  whitened: (y: Vector) => number[],
): Law {
  const { mean, sigma, covariance } = law;
  const n = mean.length;
  const steps = ranked.map((x) => scaled(plus(x, mean, -1), 1 / sigma)); // y_{i:λ}
  const step = weights // ⟨y⟩_w
    .slice(0, Math.min(mu, steps.length))
    .reduce<number[]>((sum, w, i) => plus(sum, steps[i] as Vector, w), Array(n).fill(0));

  // Step size, eq. 43–44.
  const sigmaPath = plus(scaled(law.sigmaPath, 1 - cSigma), whitened(step), Math.sqrt(cSigma * (2 - cSigma) * muEff));
  const pathLength = norm(sigmaPath);
  const nextSigma = sigma * Math.exp((cSigma / dSigma) * (pathLength / length - 1));

  // Covariance, eq. 45–47; the path stalls while the step size grows fast.
  const moves = pathLength / Math.sqrt(1 - (1 - cSigma) ** (2 * generation)) < (1.4 + 2 / (n + 1)) * length ? 1 : 0; // h_σ
  const covariancePath = plus(scaled(law.covariancePath, 1 - cC), step, moves * Math.sqrt(cC * (2 - cC) * muEff));
  const used = weights.slice(0, steps.length);
  const kept = 1 + c1 * (1 - moves) * cC * (2 - cC) - c1 - cMu * used.reduce((a, b) => a + b, 0);
  const bounded = used.map((w, i) => (w >= 0 ? w : (w * n) / (norm(whitened(steps[i] as Vector)) ** 2 || 1))); // w°
  const nextCovariance = covariance.map((row, i) =>
    row.map((value, j) => {
      const product = (y: Vector): number => (y[i] as number) * (y[j] as number);
      const rankMu = bounded.reduce((sum, w, k) => sum + w * product(steps[k] as Vector), 0);
      return kept * value + c1 * product(covariancePath) + cMu * rankMu;
    }),
  );
  return { mean: plus(mean, step, sigma), sigma: nextSigma, covariance: nextCovariance, sigmaPath, covariancePath };
}
