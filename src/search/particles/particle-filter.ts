/**
 * Particle filter over partial answers (sequential Monte Carlo): n of them grow side by side, each weighed by a potential
 * after every step; where the weights have become uneven the population is drawn anew by them.
 *
 * The target is the policy's law of whole answers times the potential: p(x) Φ(x) / Z. The weights are *proper*: for any
 * function f the weighted sum of f over the final particles, times the estimate of Z, has expectation Σ p(x) Φ(x) f(x),
 * for every number of particles, resampling scheme, threshold, tempering and annealing. So Z's estimate is unbiased,
 * and the weighted answers converge to the target. Finished particles stay in the population through resampling, and are
 * neither extended nor weighed again. One particle is plain sampling, `threshold: 0` is importance sampling.
 *
 * What it takes: a potential that is 0 for a partial answer must be 0 for all its completions, else these are missed
 * (`regular`, `grammar` and `words` are such). Under top-k, top-p or min-p the law of the policy is the cut one; `correct`
 * gives back the model's own law only where nothing is cut.
 *
 * What fails (the model's reply or the score) leaves the population, and its weight goes to the others that were asked for
 * the same step: still unbiased where failing is by chance and not all of a step fail. What cannot be afforded goes the same
 * way, but not by chance: `lost` counts both, and where a budget ended the run the weights favour what was finished early.
 * Answers for which `isCut` holds weigh 0 and count in n, so that Z is that of the answers which end by themselves.
 *
 * Gordon, Salmond & Smith 1993 (the bootstrap filter); Del Moral, Doucet & Jasra 2006 (intermediate targets). For steps of
 * language models Puri et al. 2025, arXiv:2502.01618; the form of their library its_hub (particle_gibbs.py) is
 *
 *     { potential: potential(prm, oddsWeight), accumulate: "multiply", resample: multinomial, threshold: 1, reweighFinished: true }
 *
 * where the product of all odds is the target, and finished answers are weighed at every later step, which favours those
 * that end early above even odds, and is the one setting that is not proper. `anneal: entropic(…)` is the entropic annealing
 * of Giannone et al., "Mitigating Premature Exploitation in Particle-based Monte Carlo for Inference-Time Scaling", as its_hub
 * computes it, but for one thing: here the particles bear what the flattened law took from them, so that the target stays
 * the same.
 * Ties: the earlier place. Cost: one step a particle and level, and a score each; bookkeeping linear in the particles.
 * Not for a potential that only judges whole answers: that is importance sampling in more steps; see best-of-n.
 */
import type { Resample } from "../../math/resampling.ts";
import { systematic } from "../../math/resampling.ts";
import type { Node } from "../../node.ts";
import type { Json } from "../../problem.ts";
import type { Search } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { type ParticleOutcome, weighted } from "./outcome.ts";
import { potentialName } from "./potential.ts";
import { type Anneal, type Sweep, sweep, type TargetOptions } from "./sweep.ts";

export interface ParticleFilterOptions<S> extends TargetOptions<S> {
  /** @default 16 */
  readonly particles?: number;
  /** @default systematic */
  readonly resample?: Resample;
  /** Resamples where the effective sample size falls below this share of the particles: 1 always, 0 never. @default 0.5 */
  readonly threshold?: number;
  /** Flattens the law that the particles are resampled by; see `entropic`. */
  readonly anneal?: Anneal;
  /** Multiplies the last step's potential into finished particles at every later step. Not proper; for `accumulate: "multiply"`. */
  readonly reweighFinished?: boolean;
  /** What answers are compared by: the answer is the form with most weight. Absent: each node for itself. */
  readonly canonical?: (node: Node<S>) => string | undefined;
}

export function particleFilter<S>(options: ParticleFilterOptions<S> = {}): Search<S, ParticleOutcome<S>> {
  const { particles = 16, resample = systematic, threshold = 0.5, canonical } = options;
  const { anneal, reweighFinished = false } = options;
  checkWhole("particle-filter", "particles", particles, 1);
  checkNumber("particle-filter", "threshold", threshold, { least: 0, most: 1 });
  checkTarget("particle-filter", options);
  if (reweighFinished && options.accumulate !== "multiply")
    throw new RangeError(
      `Cannot use particle-filter with 'reweighFinished' as it needs 'accumulate' to be "multiply": current value is "${options.accumulate ?? "telescope"}"`,
    );
  return {
    name: "particle-filter",
    options: {
      particles,
      resample: resample.name,
      threshold,
      anneal: anneal ? anneal.name || true : null,
      reweighFinished,
      canonical: canonical !== undefined,
      ...targetJson(options),
    },
    *run(root, { key }) {
      const { steps, lost, ...swept } = yield* sweep(root, { ...options, particles, resample, threshold }, key);
      const { cloud, logZ, fallback } = swept;
      return {
        ...weighted(finalWeights(swept), canonical, fallback),
        logZ: cloud.length > 0 ? logZ : undefined,
        steps,
        lost,
      };
    },
  };
}

/** Weights by node: a node may bear many particles. */
export function finalWeights<S>({ cloud, weights }: Pick<Sweep<S>, "cloud" | "weights">): Map<Node<S>, number> {
  const weightOf = new Map<Node<S>, number>();
  for (const [i, { node }] of cloud.entries())
    if (node.done) weightOf.set(node, (weightOf.get(node) ?? 0) + (weights[i] as number));
  return weightOf;
}

/**
 * Entropic annealing: while less than `threshold` of the particles is effective, and in the first part `early` of
 * `maxSteps`, particles are resampled at the temperature 1 / (h + (1 - h) step / maxSteps), h being the normalised entropy
 * of their weights.
 */
export function entropic({
  maxSteps,
  threshold = 0.5,
  early = 0.5,
}: {
  readonly maxSteps: number;
  readonly threshold?: number;
  readonly early?: number;
}): Anneal {
  checkWhole("entropic annealing", "maxSteps", maxSteps, 1);
  const named = `entropic(${maxSteps}, ${threshold}, ${early})`;
  const anneal: Anneal = ({ step, effective, entropy }) => {
    const progress = step / maxSteps;
    return effective < threshold && progress < early ? 1 / (entropy + (1 - entropy) * progress) : 1;
  };
  return Object.defineProperty(anneal, "name", { value: named });
}

export function checkTarget<S>(
  method: string,
  { temper, maxSteps = 1000, lookahead, potential }: TargetOptions<S>,
): void {
  checkWhole(method, "maxSteps", maxSteps, 1);
  if (typeof temper === "number") checkWhole(method, "temper", temper, 0);
  if (lookahead && !potential)
    throw new RangeError(`Cannot use ${method} with 'lookahead' as there is no 'potential' that could look ahead`);
}

/** The target as data, for a search's options. */
export function targetJson<S>(options: TargetOptions<S>): { readonly [name: string]: Json } {
  const { potential, terminal, accumulate = "telescope", lookahead = false, temper = 0, correct = false } = options;
  return {
    potential: potentialName(potential),
    terminal: potentialName(terminal),
    accumulate,
    lookahead,
    temper: typeof temper === "number" ? temper : temper.name || true,
    correct,
    isCut: options.isCut !== undefined,
    policy: options.policy?.name ?? null,
    maxSteps: options.maxSteps ?? 1000,
  };
}
