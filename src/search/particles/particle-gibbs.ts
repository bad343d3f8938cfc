/**
 * Particle Gibbs: sweeps of a particle filter, one after the other, in each of which one path is held fixed: the one that
 * the sweep before has drawn by weight. A Markov chain over whole answers whose invariant law is the target itself, for any
 * number of particles from 2 on: where one sweep has too few particles, many sweeps of as few still converge.
 *
 * Andrieu, Doucet & Holenstein 2010, JRSS B 72(3), 269-342: conditional sequential Monte Carlo. Resampling is multinomial,
 * for which holding one particle fixed is exact; the retained steps cost nothing again. The first sweep is a plain
 * particle filter's, so the first samples are still biased, by an amount that falls with the number of particles.
 *
 * The retained path's past hardly changes in long answers, as all particles come from it in the end. Ancestor sampling
 * (Lindsten, Jordan & Schön 2014, arXiv:1401.0604) draws it a new past at each resampling. That needs log p(rest | other
 * past), which text policies cannot give for nothing; so it is there for states that are all that matters for what follows
 * (a chain, a game, a latent state) and for potentials of the state alone: give `transition`. Paths then are those of the
 * outcome's `samples`, not those of the tree. Without it this is plain conditional sequential Monte Carlo.
 *
 * Answers are weighed by the mean over the sweeps of their final weights. Where no answer of a sweep weighs anything, the
 * next one starts afresh. Failures and budgets as in the particle filter. Puri et al. 2025, arXiv:2502.01618, use it on
 * steps of language models. Cost: `iterations` × (particles - 1) answers, and as many more in the first sweep as one.
 */
import { fold } from "../../key.ts";
import { multinomial } from "../../math/resampling.ts";
import { random } from "../../math/random.ts";
import type { Node } from "../../node.ts";
import type { Search } from "../../search.ts";
import { BudgetSpent } from "../../search.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { type ParticleOutcome, weighted } from "./outcome.ts";
import { checkTarget, finalWeights, targetJson } from "./particle-filter.ts";
import { type Step, type Sweep, sweep, type TargetOptions, type Trail } from "./sweep.ts";

export interface ParticleGibbsOptions<S> extends TargetOptions<S> {
  /** Of each sweep, the retained one among them. @default 8 */
  readonly particles?: number;
  /** Sweeps. @default 4 */
  readonly iterations?: number;
  /** As for `particleFilter`. @default 1 */
  readonly threshold?: number;
  /** log p(to | from) of one step, where the state is all that matters: turns on ancestor sampling. */
  readonly transition?: (from: S, to: S) => number;
  readonly canonical?: (node: Node<S>) => string | undefined;
}

export interface ParticleGibbsOutcome<S> extends ParticleOutcome<S> {
  /** The retained path of each sweep, from the first step to the answer: the states of the chain. */
  readonly samples: readonly (readonly Node<S>[])[];
}

export function particleGibbs<S>(options: ParticleGibbsOptions<S> = {}): Search<S, ParticleGibbsOutcome<S>> {
  const { particles = 8, iterations = 4, threshold = 1, transition, canonical } = options;
  checkWhole("particle-gibbs", "particles", particles, 2);
  checkWhole("particle-gibbs", "iterations", iterations, 1);
  checkNumber("particle-gibbs", "threshold", threshold, { least: 0, most: 1 });
  checkTarget("particle-gibbs", options);
  return {
    name: "particle-gibbs",
    options: {
      particles,
      iterations,
      threshold,
      transition: transition !== undefined,
      canonical: canonical !== undefined,
      ...targetJson(options),
    },
    *run(root, { key }) {
      const settings = { ...options, particles, threshold, resample: multinomial };
      const samples: Node<S>[][] = [];
      const weightOf = new Map<Node<S>, number>();
      let retained: Step<S>[] | undefined;
      let first: Sweep<S> | undefined;
      let last: Sweep<S> | undefined;
      let lost = 0;
      for (let i = 0; i < iterations; i++) {
        const place = fold(key, i);
        try {
          last = yield* sweep(root, settings, fold(place, "sweep"), retained);
        } catch (error) {
          if (!(error instanceof BudgetSpent) || !last) throw error;
          break;
        }
        first ??= last;
        lost += last.lost;
        for (const [node, weight] of finalWeights(last)) weightOf.set(node, (weightOf.get(node) ?? 0) + weight);
        const drawn = last.weights.some((weight) => weight > 0)
          ? last.cloud[random(fold(place, "retain")).weighted(last.weights)]
          : undefined;
        retained = drawn && stepsOf(drawn.trail);
        if (retained) samples.push(retained.map(({ node }) => node));
      }
      const total = [...weightOf.values()].reduce((sum, weight) => sum + weight, 0);
      if (total > 0) for (const [node, weight] of weightOf) weightOf.set(node, weight / total);
      return {
        ...weighted(weightOf, canonical, last?.fallback ?? first?.fallback),
        logZ: first && first.cloud.length > 0 ? first.logZ : undefined, // the only sweep whose estimate is unbiased
        steps: last?.steps ?? [],
        lost,
        samples,
      };
    },
  };
}

function stepsOf<S>(trail: Trail<S> | undefined): Step<S>[] {
  const steps: Step<S>[] = [];
  for (let at = trail; at; at = at.before) steps.push(at.step);
  return steps.reverse();
}
