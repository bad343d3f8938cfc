/**
 * The bootstrap particle filter for state-space models of numbers: x₁ ~ initial, xₜ ~ transition(xₜ₋₁), observed through a
 * likelihood. A plain function, without effects; its weights and its resampling are those of the search over answers.
 *
 * Gordon, Salmond & Smith 1993. The estimate of the likelihood of all observations, exp(logZ), is unbiased; means are
 * those of the filter, E[xₜ | y₁..yₜ], and consistent. The model works on all particles at a time, in place, so that a step is a
 * few loops over arrays. Cost: linear in particles × steps. For linear Gaussian models the Kalman filter is exact.
 */
import type { Key } from "../../key.ts";
import { fold } from "../../key.ts";
import type { Random } from "../../math/random.ts";
import { random } from "../../math/random.ts";
import type { Resample } from "../../math/resampling.ts";
import { systematic } from "../../math/resampling.ts";
import { checkNumber, checkWhole } from "../../options.ts";
import { resampled, spreadOf } from "./population.ts";

export interface StateSpaceModel {
  /** Numbers in one state. @default 1 */
  readonly dimension?: number;
  /** Draws x₁ into `states` [particles × dimension]. */
  readonly initial: (states: Float64Array, random: Random) => void;
  /** Replaces each state by a draw of the next; `step` counts from 0, so the first to come is 1. */
  readonly transition: (states: Float64Array, random: Random, step: number) => void;
  /** log p(y at `step` | state) of each state, into `logs` [particles]. */
  readonly logLikelihood: (states: Float64Array, logs: Float64Array, step: number) => void;
}

export interface Filtered {
  /** Estimate of log p(y₁..y_T). */
  readonly logZ: number;
  /** [steps × dimension] means of the state given the observations up to then. */
  readonly means: Float64Array;
  /** [steps] effective sample size over the number of particles, before resampling. */
  readonly effective: Float64Array;
  /** [particles × dimension] at the last step. */
  readonly states: Float64Array;
  /** [particles] normalised. */
  readonly weights: Float64Array;
}

export interface BootstrapFilterOptions {
  readonly steps: number;
  readonly key: Key;
  /** @default 1000 */
  readonly particles?: number;
  /** @default systematic */
  readonly resample?: Resample;
  /** Resamples where the effective sample size falls below this share of the particles: 1 always, 0 never. @default 0.5 */
  readonly threshold?: number;
}

export function bootstrapFilter(
  model: StateSpaceModel,
  { steps, key, particles = 1000, resample = systematic, threshold = 0.5 }: BootstrapFilterOptions,
): Filtered {
  const { dimension = 1 } = model;
  checkWhole("bootstrap-filter", "steps", steps, 1, 1e9);
  checkWhole("bootstrap-filter", "particles", particles, 1, 1e9);
  checkWhole("bootstrap-filter", "dimension", dimension, 1);
  checkNumber("bootstrap-filter", "threshold", threshold, { least: 0, most: 1 });
  let states = new Float64Array(particles * dimension);
  let spare = new Float64Array(particles * dimension);
  let logWeights: Float64Array = new Float64Array(particles);
  const logs = new Float64Array(particles);
  const weights = new Float64Array(particles);
  const means = new Float64Array(steps * dimension);
  const effective = new Float64Array(steps);
  let logZ = 0;
  for (let step = 0; step < steps; step++) {
    const stream = random(fold(key, step));
    if (step === 0) model.initial(states, stream);
    else model.transition(states, stream, step);
    model.logLikelihood(states, logs, step);
    for (let i = 0; i < particles; i++) logWeights[i] = (logWeights[i] as number) + (logs[i] as number);
    const spread = spreadOf(logWeights, weights);
    logZ = spread.logMean;
    effective[step] = spread.effective / particles;
    for (let i = 0; i < particles; i++)
      for (let d = 0; d < dimension; d++) {
        const at = step * dimension + d;
        means[at] = (means[at] as number) + (weights[i] as number) * (states[i * dimension + d] as number);
      }
    if (logZ === Number.NEGATIVE_INFINITY) break; // nothing that could have been observed
    if (step === steps - 1 || !(threshold >= 1 || (effective[step] as number) < threshold)) continue;
    const offspring = resampled(logWeights, { count: particles, resample, random: stream });
    for (let i = 0; i < particles; i++) {
      const from = (offspring.ancestors[i] as number) * dimension;
      for (let d = 0; d < dimension; d++) spare[i * dimension + d] = states[from + d] as number;
    }
    [states, spare] = [spare, states];
    logWeights = offspring.logWeights;
  }
  return { logZ, means, effective, states, weights };
}
