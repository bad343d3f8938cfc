/**
 * Learned sets of answers: how far a set reaches is decided problem by problem, by a small network, and a PAC check on held-out problems
 * promises what the network cannot. A threshold that is one number must be wide enough for hard problems, and is then too wide for easy ones.
 *
 * Park & Kim 2023, "PAC Neural Prediction Set Learning to Quantify the Uncertainty of Generative Language Models", arXiv:2307.09254: sets
 * given by a network in place of a number, with the same promise as `pacThreshold`. The form here is ours: τ(x) of one hidden layer of tanh
 * units; its loss the mean share of candidates inside and λ × the share of misses, with sigmoids for steps; of several λ the one with the
 * smallest sets whose misses on the training problems are at most ε. The check moves τ up or down by one number, which is
 * `pacThreshold` of nonconformity − τ(x): with probability at least 1 − δ over the held-out problems, at most a share ε of new ones has
 * its right answer outside, however badly the network was trained.
 *
 * Needs hundreds of problems on each side. The held-out ones must not have trained the rule.
 */
import type { Key } from "../key.ts";
import { sigmoid } from "../math/logistic.ts";
import { lbfgs } from "../math/optimise.ts";
import { random } from "../math/random.ts";
import { checkBetween, checkWhole } from "../options.ts";
import { type PacOptions, pacThreshold } from "./conformal.ts";

/** A problem whose right answer is known. */
export interface SetExample {
  /** Of the problem, without knowing the right answer; of comparable size. */
  readonly features: readonly number[];
  /** Nonconformities of its candidates; the right one may be among them or not. */
  readonly candidates: readonly number[];
  /** Nonconformity of the right answer; Infinity where it was never drawn. */
  readonly right: number;
}

/** The greatest nonconformity in the set of a problem with these features. */
export type SetRule = (features: readonly number[]) => number;

export interface LearnSetsOptions {
  /** ε: the share of misses that is aimed at; in (0, 1). */
  readonly error: number;
  /** The first weights. */
  readonly key: Key;
  /** Units of the hidden layer. @default 6 */
  readonly hidden?: number;
}

/** How softly steps are taken, as a share of how far right answers spread. */
const softness = 0.05;

/** Out of examples whose right answer was drawn; one at least. Cost: six fits, each examples × candidates × units a step. */
export function learnSetRule(examples: readonly SetExample[], { error, key, hidden = 6 }: LearnSetsOptions): SetRule {
  checkBetween("learned sets", "error", error, [0, 1], { open: true });
  checkWhole("learned sets", "hidden", hidden, 1, 100);
  const known = examples.filter(({ right }) => Number.isFinite(right));
  const size = known[0]?.features.length ?? 0;
  if (known.length === 0 || !known.every(({ features }) => features.length === size && features.every(Number.isFinite)))
    throw new RangeError(
      "Cannot learn sets as 'examples' must have right answers that were drawn, and as many features each, all finite",
    );
  const rights = known.map(({ right }) => right).sort((a, b) => a - b);
  const middle = rights[Math.floor((1 - error) * (rights.length - 1))] as number;
  const spread = Math.max(middle - (rights[0] as number), 1e-9);
  const stream = random(key);
  const start = [
    ...Array.from({ length: hidden * (size + 1) }, () => stream.normal() / Math.sqrt(size + 1)), // [hidden][features, 1]
    ...Array.from({ length: hidden }, () => 0), // of the second layer
    middle,
  ];
  const step = softness * spread;

  const fits = [0.5, 1, 2, 4, 8, 16].map((price) => {
    const loss = (weights: readonly number[]): readonly [number, number[]] => {
      let total = 0;
      const gradient = weights.map(() => 0);
      for (const { features, candidates, right } of known) {
        const { tau, units } = forward(weights, features, hidden);
        let slope = 0; // d loss / d τ
        for (const one of candidates) {
          const inside = sigmoid((tau - one) / step);
          total += inside / (known.length * candidates.length);
          slope += (inside * (1 - inside)) / (step * known.length * candidates.length);
        }
        const outside = sigmoid((right - tau) / step);
        total += (price * outside) / known.length;
        slope -= (price * outside * (1 - outside)) / (step * known.length);
        backward(gradient, weights, features, units, slope);
      }
      return [total, gradient];
    };
    const { at } = lbfgs(loss, start, { maxIterations: 60, tolerance: 1e-6 });
    const rule: SetRule = (features) => forward(at, features, hidden).tau;
    return { rule, ...measureSetRule(rule, known) };
  });
  const kept = fits.filter(({ missed }) => missed <= error).sort((a, b) => a.size - b.size)[0];
  return (kept ?? (fits.toSorted((a, b) => a.missed - b.missed)[0] as (typeof fits)[number])).rule;
}

/** The rule, moved so that it keeps its promise; Infinity everywhere where the held-out problems are too few for one. */
export function pacSetRule(rule: SetRule, heldOut: readonly SetExample[], options: PacOptions): SetRule {
  const offset = pacThreshold(
    heldOut.map(({ features, right }) => right - rule(features)),
    options,
  );
  return (features) => rule(features) + offset;
}

/** The share of examples whose right answer is outside, and the mean number of candidates inside. */
export function measureSetRule(
  rule: SetRule,
  examples: readonly SetExample[],
): { readonly missed: number; readonly size: number } {
  let [missed, size] = [0, 0];
  for (const { features, candidates, right } of examples) {
    const threshold = rule(features);
    if (right > threshold) missed += 1 / examples.length;
    size += candidates.filter((one) => one <= threshold).length / examples.length;
  }
  return { missed, size };
}

function forward(weights: readonly number[], features: readonly number[], hidden: number) {
  const inputs = features.length + 1;
  const units = Array.from({ length: hidden }, (_, h) => {
    let sum = weights[h * inputs + features.length] as number;
    for (const [i, feature] of features.entries()) sum += (weights[h * inputs + i] as number) * feature;
    return Math.tanh(sum);
  });
  let tau = weights.at(-1) as number;
  for (const [h, unit] of units.entries()) tau += (weights[hidden * inputs + h] as number) * unit;
  return { tau, units };
}

/** Adds slope × d τ / d weights. */
function backward(
  gradient: number[],
  weights: readonly number[],
  features: readonly number[],
  units: readonly number[],
  slope: number,
): void {
  const inputs = features.length + 1;
  const second = units.length * inputs;
  const add = (at: number, value: number): void => {
    gradient[at] = (gradient[at] as number) + value;
  };
  for (const [h, unit] of units.entries()) {
    add(second + h, slope * unit);
    const inner = slope * (weights[second + h] as number) * (1 - unit ** 2);
    for (const [i, feature] of features.entries()) add(h * inputs + i, inner * feature);
    add(h * inputs + features.length, inner);
  }
  add(gradient.length - 1, slope);
}
