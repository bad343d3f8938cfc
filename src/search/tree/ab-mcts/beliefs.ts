/** What is believed about the mean of a stream of rewards: conjugate posteriors that one reward updates in constant time. */
import { drawBeta, drawStudent } from "../../../math/distributions.ts";
import type { Random } from "../../../math/random.ts";

/** Normal-inverse-χ²: mean ~ N(m, σ²/κ), σ² ~ scaled-Inv-χ²(ν, τ²). Murphy 2023, "Probabilistic Machine Learning: Advanced Topics", §3.4.3.3. */
export interface GaussianPrior {
  readonly family: "gaussian";
  readonly m: number;
  readonly kappa: number;
  readonly nu: number;
  readonly tauSquared: number;
}

/** Beta(a, b), to which a reward r in [0, 1] adds r and 1 − r. */
export interface BetaPrior {
  readonly family: "beta";
  readonly a: number;
  readonly b: number;
}

export type Prior = GaussianPrior | BetaPrior;

/** The defaults of the authors' implementation. */
export const gaussianPrior: GaussianPrior = { family: "gaussian", m: 0, kappa: 1, nu: 1, tauSquared: 0.1 };
/** Jeffreys' prior. */
export const betaPrior: BetaPrior = { family: "beta", a: 0.5, b: 0.5 };

export class Belief {
  readonly prior: Prior;
  count = 0;
  mean = 0;
  /** Sum of squared differences from the mean. */
  squares = 0;
  /** The posterior of the mean as a Student's t: of Gaussian beliefs, whose `nu` and count make its degrees of freedom. */
  location = 0;
  scale = 0;

  constructor(prior: Prior) {
    this.prior = prior;
    this.#settle();
  }

  get degrees(): number {
    return this.prior.family === "gaussian" ? this.prior.nu + this.count : Number.NaN;
  }

  observe(reward: number): void {
    if (this.prior.family === "beta" && !(reward >= 0 && reward <= 1))
      throw new RangeError(
        `Cannot learn from a reward as Beta beliefs need rewards in [0, 1]: current value is ${reward}; give 'value', which maps scores to rewards`,
      );
    this.count++;
    const before = reward - this.mean;
    this.mean += before / this.count;
    this.squares += before * (reward - this.mean); // Welford 1962
    this.#settle();
  }

  /** One draw from the posterior of the mean. */
  draw(random: Random): number {
    if (this.prior.family === "gaussian") return this.location + this.scale * drawStudent(this.degrees, random);
    const successes = this.count * this.mean;
    return drawBeta(this.prior.a + successes, this.prior.b + this.count - successes, random);
  }

  #settle(): void {
    if (this.prior.family === "beta") return;
    const { m, kappa, nu, tauSquared } = this.prior;
    const { count, mean, squares } = this;
    const sum = nu * tauSquared + squares + ((count * kappa) / (kappa + count)) * (m - mean) ** 2;
    this.location = (kappa * m + count * mean) / (kappa + count);
    this.scale = Math.sqrt(sum / (nu + count) / (kappa + count));
  }
}

/** The index of the largest draw; ties: the earlier. */
export function thompson(beliefs: readonly Belief[], random: Random): number {
  let best = 0;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < beliefs.length; i++) {
    const drawn = (beliefs[i] as Belief).draw(random);
    if (!(drawn > most)) continue;
    best = i;
    most = drawn;
  }
  return best;
}
