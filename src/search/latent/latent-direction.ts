/**
 * One direction of a latent space along which a score rises by as much as one says: d such that s(z + αd) ≈ s(z) + α for all z.
 * What changes in the generator's output along it shows what the score rests on.
 *
 * GANalyze: Goetschalckx et al. 2019, arXiv:1906.10112, whose loss is the mean over z and α of (s(G(z + αd)) − s(G(z)) − α)².
 * There d is learned by stochastic gradient descent; here by Gauss–Newton on a sample of z and α that stays the same, as few
 * numbers are to be found: each round linearises the score at z + αd and solves a least-squares problem. The first round, at
 * d = 0, is the least-squares answer to ∇s(z)·d = 1. `slope` and `error` are measured on vectors that were not learned from.
 * Where the score is steeper at some vectors than at others, the least loss is that of too short a step on average: at the
 * optimum the slope is 1 − (error / without)², for small α.
 *
 * Cost: `samples` scores; for each round one more each, or 2n + 1 where slopes are measured by differences (see `gradient`);
 * five times `samples` for the check. The answer is the point that scored best, as in every search; what one wants is
 * `direction`. It exists only as far as the score is a function of direction: `error` says how far that is, beside `without`.
 */
import { fold } from "../../key.ts";
import { dot, leastSquares, norm, plus, type Vector } from "../../math/linear.ts";
import { random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import type { Scorer } from "../../scorer.ts";
import type { Outcome, Program, Search } from "../../search.ts";
import { BudgetSpent, extend } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import {
  byValue,
  type Gradient,
  type Judged,
  judge,
  judgedAt,
  type Scored,
  scoredOf,
  slopesAt,
  type Space,
} from "./space.ts";

export interface LatentDirectionOptions {
  /** Where the vectors are; as `latent()` makes it. */
  readonly space: Space;
  /** The slope of the run's score. @default measured by central differences */
  readonly gradient?: Gradient;
  /** @default the run's scorer */
  readonly scorer?: Scorer<Vector>;
  /** Vectors to learn from, drawn by the policy. @default 128 */
  readonly samples?: number;
  /** The most that the score is asked to change: α is uniform in [−reach, reach]. @default 0.2 */
  readonly reach?: number;
  /** Of Gauss–Newton. @default 5 */
  readonly rounds?: number;
  /** h of the central differences. @default 1e-4 */
  readonly difference?: number;
}

export interface LatentDirectionOutcome extends Outcome<Vector> {
  /** d; undefined where too little was scored to learn it. */
  readonly direction: Vector | undefined;
  /** By how much the score changes for α = 1, fitted on fresh vectors; 1 is meant. NaN where unknown. */
  readonly slope: number;
  /** Root mean square of s(z + αd) − s(z) − α on fresh vectors. */
  readonly error: number;
  /** The same with d = 0: the root mean square of α. */
  readonly without: number;
}

const steps = [-1, -0.5, 0.5, 1] as const;

export function latentDirection(options: LatentDirectionOptions): Search<Vector, LatentDirectionOutcome> {
  const { space, gradient, scorer, samples = 128, reach = 0.2, rounds = 5, difference = 1e-4 } = options;
  checkWhole("latent-direction", "samples", samples, 1);
  checkWhole("latent-direction", "rounds", rounds, 1);
  checkNumber("latent-direction", "reach", reach, { above: 0 });
  checkNumber("latent-direction", "difference", difference, { above: 0 });

  return {
    name: "latent-direction",
    options: {
      dimension: space.dimension,
      gradient: gradient ? "given" : "measured",
      samples,
      reach,
      rounds,
      difference,
      scorer: scorer?.name ?? null,
    },
    *run(root, { key }) {
      const seen: Scored[] = [];
      let unscored: Node<Vector> | undefined; // the first vector, for want of a better one
      let direction: Vector | undefined;
      let checked = unknown;

      /** Vectors that were scored, with their scores. */
      function* drawn(): Program<Vector, Scored[]> {
        const nodes = yield* extend(root, { count: samples });
        unscored ??= nodes[0];
        return known(yield* judge(nodes, scorer));
      }

      /** Undefined where even one is missing, as which of them cannot be told. */
      function* valuesAt(points: readonly Vector[]): Program<Vector, number[] | undefined> {
        const values = known(yield* judgedAt(root, space, points, scorer)).map(({ value }) => value);
        return values.length === points.length ? values : undefined;
      }

      function known(judged: readonly Judged[]): Scored[] {
        const scored = scoredOf(judged);
        seen.push(...scored);
        return scored;
      }

      function* learn(): Program<Vector, void> {
        const base = yield* drawn();
        const stream = random(fold(key, "alpha"));
        const alphas = base.map(() => reach * (2 * stream.uniform() - 1));
        for (let round = 0; round < rounds; round++) {
          const d = direction ?? root.state.map(() => 0);
          const points = base.map(({ node }, i) => plus(node.state, d, alphas[i] as number));
          const values = round === 0 ? base.map(({ value }) => value) : yield* valuesAt(points);
          if (!values) break;
          const slopes = yield* slopesAt(root, space, points, { gradient, scorer, difference });
          const usable = [...base.keys()].filter((i) => slopes[i]);
          if (usable.length === 0) break;
          // s(z + αd') ≈ s(z + αd) + α ∇s·(d' − d), which is to be s(z) + α.
          const rows = usable.map((i) => (slopes[i] as number[]).map((g) => (alphas[i] as number) * g));
          const targets = usable.map(
            (i, k) =>
              (base[i] as Scored).value + (alphas[i] as number) - (values[i] as number) + dot(rows[k] as Vector, d),
          );
          const next = leastSquares(rows, targets);
          const moved = norm(plus(next, d, -1));
          direction = next;
          if (moved < 1e-9 * norm(next)) break;
        }
      }

      /** Of s(z + αd) − s(z) against α, through the origin, on fresh vectors. */
      function* check(direction: Vector): Program<Vector, { slope: number; error: number }> {
        const base = yield* drawn();
        const alphas = steps.map((step) => step * reach);
        const points = base.flatMap(({ node }) => alphas.map((alpha) => plus(node.state, direction, alpha)));
        const values = yield* valuesAt(points);
        if (!values || points.length === 0) return unknown;
        let [products, squares, errors] = [0, 0, 0];
        for (const [i, value] of values.entries()) {
          const alpha = alphas[i % alphas.length] as number;
          const change = value - (base[Math.floor(i / alphas.length)] as Scored).value;
          products += alpha * change;
          squares += alpha * alpha;
          errors += (change - alpha) ** 2;
        }
        return { slope: products / squares, error: Math.sqrt(errors / values.length) };
      }

      try {
        yield* learn();
        if (direction) checked = yield* check(direction);
      } catch (error) {
        if (!(error instanceof BudgetSpent) || seen.length === 0) throw error;
      }
      const candidates = seen.sort(byValue).map(({ node }) => node);
      if (candidates.length === 0 && unscored) candidates.push(unscored);
      const without = reach * Math.sqrt(steps.reduce((sum, step) => sum + step * step, 0) / steps.length);
      return { answer: candidates[0], candidates, direction, ...checked, without };
    },
  };
}

const unknown = { slope: Number.NaN, error: Number.NaN };

/**
 * What changes along a direction: for each factor that can be measured on a vector's output, its mean change for α = 1, by
 * central differences of `reach`, and the same in standard deviations of that factor over the vectors.
 */
export function changesAlong(
  direction: Vector,
  vectors: readonly Vector[],
  factors: Readonly<Record<string, (z: Vector) => number>>,
  reach = 0.2,
): Record<string, { readonly change: number; readonly deviations: number }> {
  return Object.fromEntries(
    Object.entries(factors).map(([name, factor]) => {
      const values = vectors.map(factor);
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      const deviation = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
      const changes = vectors.map(
        (z) => (factor(plus(z, direction, reach)) - factor(plus(z, direction, -reach))) / (2 * reach),
      );
      const change = changes.reduce((a, b) => a + b, 0) / changes.length;
      return [name, { change, deviations: change / deviation }];
    }),
  );
}
