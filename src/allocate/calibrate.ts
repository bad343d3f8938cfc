/**
 * From a score to the probability of being right: maps fitted to scores whose answers are known to be right or wrong.
 *
 * | map | parameters | use it |
 * |---|---|---|
 * | `temperature` | 1 | the confidence is a probability, too sure or not sure enough; little data |
 * | `platt` | 2 | any score, as a reward; little data |
 * | `isotonic` | many | a thousand items or more; the order of the scores is right and nothing else is known |
 * | `histogram` | one a bin | the order is not to be trusted either |
 *
 * - `temperature`: σ(logit(p) / T), T of greatest likelihood. Guo, Pleiss, Sun & Weinberger 2017, arXiv:1706.04599. By Newton's steps
 *   in 1/T. Where more confidence means less chance, the best is T = Infinity: all are 1/2.
 * - `platt`: σ(a·s + b), with targets (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2) in place of 1 and 0, so that it exists where a threshold
 *   separates the data. Platt 1999, "Probabilistic Outputs for Support Vector Machines".
 * - `isotonic`: the rising function of greatest likelihood, by pooling adjacent violators (Ayer et al. 1955); Zadrozny & Elkan 2002.
 *   Constant on a pool, linear between them, constant beyond.
 * - `histogram`: bins of about equally many items, each the share of right ones. Zadrozny & Elkan 2001.
 *
 * The last two keep away from 0 and 1 by 1 / (n + 2), which the papers do not: no data exclude an event, and one surprise would cost
 * infinitely much. The order of scores is kept by all but `histogram`; `platt` turns it round where more means less. A map is right for the model, the problems and the stop
 * that it was fitted on; measure it on others (`ponderosa/measure`).
 */
import { logisticRegression, sigmoid } from "../math/logistic.ts";
import type { Json } from "../problem.ts";
import { checkPairs, checkWhole } from "../options.ts";

export interface CalibrationMap {
  readonly name: string;
  /** What was fitted. */
  readonly parameters: Json;
  /** The probability of being right at a score. */
  at(score: number): number;
}

/** Of a probability, within ±34.5: 0 and 1 are taken for 1e-15 away from them. */
const logit = (p: number): number => {
  const inside = Math.min(Math.max(p, 1e-15), 1 - 1e-15);
  return Math.log(inside) - Math.log1p(-inside);
};

/** Small beside a single item, so that the fit is of greatest likelihood; it only bounds what has no maximum. */
const barely = 1e-9;

/** @throws RangeError where a confidence is outside [0, 1] */
export function temperature(confidences: readonly number[], correct: readonly boolean[]): CalibrationMap {
  checkPairs("temperature scaling", "confidences", confidences, correct);
  const outside = confidences.find((one) => one < 0 || one > 1);
  if (outside !== undefined)
    throw new RangeError(`Cannot use temperature scaling as confidences must be in [0, 1]: one is ${outside}`);
  const { weights } = logisticRegression(
    confidences.map((one) => [logit(one)]),
    correct.map(Number),
    { l2: barely },
  );
  const inverse = Math.max(weights[0] as number, 0);
  return {
    name: "temperature",
    parameters: { temperature: inverse > 0 ? 1 / inverse : "infinite" },
    at: (confidence) => sigmoid(inverse * logit(confidence)),
  };
}

export function platt(scores: readonly number[], correct: readonly boolean[]): CalibrationMap {
  checkPairs("Platt scaling", "scores", scores, correct);
  const right = correct.filter(Boolean).length;
  const [high, low] = [(right + 1) / (right + 2), 1 / (correct.length - right + 2)];
  // Centred and scaled, so that neither a far origin nor a small unit spoils the steps.
  const mean = scores.reduce((sum, one) => sum + one, 0) / scores.length;
  const spread = Math.sqrt(scores.reduce((sum, one) => sum + (one - mean) ** 2, 0) / scores.length) || 1;
  const { weights } = logisticRegression(
    scores.map((one) => [(one - mean) / spread, 1]),
    correct.map((one) => (one ? high : low)),
    { l2: barely },
  );
  const slope = (weights[0] as number) / spread;
  const intercept = (weights[1] as number) - slope * mean;
  return { name: "platt", parameters: { slope, intercept }, at: (score) => sigmoid(slope * score + intercept) };
}

interface Pool {
  least: number;
  greatest: number;
  right: number;
  items: number;
}

export function isotonic(scores: readonly number[], correct: readonly boolean[]): CalibrationMap {
  checkPairs("isotonic calibration", "scores", scores, correct);
  const pools: Pool[] = [];
  for (const next of ties(scores, correct)) {
    let pool = next;
    for (let last = pools.at(-1); last && last.right * pool.items >= pool.right * last.items; last = pools.at(-1)) {
      pools.pop();
      pool = joined(last, pool);
    }
    pools.push(pool);
  }
  const values = pools.map((pool) => inside(pool.right / pool.items, scores.length));
  return {
    name: "isotonic",
    parameters: pools.map(({ least, greatest }, i) => [least, greatest, values[i] as number]),
    at(score) {
      const next = firstAfter(pools, score);
      if (next === 0) return values[0] as number;
      const [last, value] = [pools[next - 1] as Pool, values[next - 1] as number];
      const after = pools[next];
      if (!after || score <= last.greatest) return value;
      const share = (score - last.greatest) / (after.least - last.greatest);
      return value + share * ((values[next] as number) - value);
    },
  };
}

export function histogram(
  scores: readonly number[],
  correct: readonly boolean[],
  { bins = 10 }: { /** @default 10 */ readonly bins?: number } = {},
): CalibrationMap {
  checkPairs("histogram calibration", "scores", scores, correct);
  checkWhole("histogram calibration", "bins", bins, 1);
  const pools: Pool[] = [];
  let before = 0;
  let lastBin = -1;
  for (const tie of ties(scores, correct)) {
    const bin = Math.floor((before / scores.length) * bins); // equal scores stay together
    const last = pools.at(-1);
    if (last && bin === lastBin) pools[pools.length - 1] = joined(last, tie);
    else pools.push(tie);
    lastBin = bin;
    before += tie.items;
  }
  const values = pools.map((pool) => inside(pool.right / pool.items, scores.length));
  return {
    name: "histogram",
    parameters: pools.map(({ least }, i) => [least, values[i] as number]),
    at: (score) => values[Math.max(firstAfter(pools, score) - 1, 0)] as number,
  };
}

/** Equal scores as one pool each, ascending. */
function ties(scores: readonly number[], correct: readonly boolean[]): Pool[] {
  const order = scores.map((_, i) => i).sort((i, j) => (scores[i] as number) - (scores[j] as number));
  const found: Pool[] = [];
  for (const i of order) {
    const [score, right] = [scores[i] as number, Number(correct[i])];
    const last = found.at(-1);
    if (last && last.least === score) {
      last.right += right;
      last.items++;
    } else found.push({ least: score, greatest: score, right, items: 1 });
  }
  return found;
}

const joined = (a: Pool, b: Pool): Pool => ({
  least: a.least,
  greatest: b.greatest,
  right: a.right + b.right,
  items: a.items + b.items,
});

/** Place of the first pool that begins after the score. */
function firstAfter(pools: readonly Pool[], score: number): number {
  let [low, high] = [0, pools.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((pools[middle] as Pool).least <= score) low = middle + 1;
    else high = middle;
  }
  return low;
}

const inside = (share: number, items: number): number =>
  Math.min(Math.max(share, 1 / (items + 2)), 1 - 1 / (items + 2));
