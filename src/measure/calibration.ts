/**
 * How good confidences are: whether they say how often an answer is right (calibration), whether right answers get higher ones
 * than wrong ones (discrimination), and what is gained by answering only where they are high (selective answering).
 *
 * Everything takes two arrays of one length: the confidences, and whether the answers were correct. Items are taken as
 * independent; draw problems, not samples of one problem. Confidences are probabilities, except for `auroc`, `riskCoverage` and
 * `selectiveAccuracy`, for which only their order counts.
 */
import { checkLevel, type LevelOptions, wilson } from "../math/intervals.ts";
import { normalQuantile } from "../math/normal.ts";
import { bootstrap, type BootstrapOptions } from "./bootstrap.ts";
import { checkCount, checkFinite, type Estimate, undefinedValue, type Value, withoutInterval } from "./estimate.ts";
import { bootstrapMean } from "./intervals.ts";

export interface BinOptions {
  /** @default {10} */
  readonly bins?: number;
  /**
   * `equal-width`: cuts [0, 1] evenly; the bins may be very unequal in number. `equal-mass`: cuts the sorted confidences into
   * equally many each, equal confidences together. @default "equal-width"
   */
  readonly binning?: "equal-width" | "equal-mass";
}

export interface ReliabilityBin {
  /** The least and the highest confidence inside. */
  readonly from: number;
  readonly to: number;
  readonly count: number;
  /** Their mean. */
  readonly confidence: number;
  /** The share that was correct, with Wilson's interval. */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
}

/** The reliability table: in bins of the confidence, what was claimed and what was so. Bins without items are left out. */
export function reliability(
  confidences: readonly number[],
  correct: readonly boolean[],
  { level = 0.95, ...binOptions }: BinOptions & LevelOptions = {},
): ReliabilityBin[] {
  return binned(confidences, correct, binOptions).map((bin) => {
    const successes = bin.filter((i) => correct[i]).length;
    const claims = bin.map((i) => confidences[i] as number);
    return {
      from: claims[0] as number,
      to: claims.at(-1) as number,
      count: bin.length,
      confidence: mean(claims),
      accuracy: successes / bin.length,
      ...wilson(successes, bin.length, { level }),
    };
  });
}

export type CalibrationError = Value & {
  /**
   * What perfectly calibrated confidences would show on average, by chance alone. The error is biased upwards; where it is not
   * well above this, nothing is known to be wrong.
   */
  readonly whenCalibrated: number | undefined;
};

/**
 * Expected calibration error: Σ (n_b / n) · |accuracy_b − confidence_b| over bins. Naeini, Cooper & Hauskrecht 2015, "Obtaining Well
 * Calibrated Probabilities Using Bayesian Binning", AAAI; Guo et al. 2017, arXiv:1706.04599. With equal-mass bins: Nixon et al.
 * 2019, arXiv:1904.01685.
 *
 * Two biases: an absolute value of noise is not 0 (upwards: the fewer per bin, the more; Roelofs et al. 2020, arXiv:2012.08668),
 * and errors of opposite sign within a bin cancel (downwards). The first is computed and reported, the second is not known. No
 * interval: resampling a biased figure repeats its bias. Prefer `brier` or `logScore` to compare methods.
 */
export function expectedCalibrationError(
  confidences: readonly number[],
  correct: readonly boolean[],
  options: BinOptions = {},
): CalibrationError {
  const bins = binned(confidences, correct, options);
  if (bins.length === 0) return { ...undefinedValue("there are no items"), whenCalibrated: undefined };
  let [value, whenCalibrated] = [0, 0];
  for (const bin of bins) {
    const claims = bin.map((i) => confidences[i] as number);
    value += Math.abs(bin.filter((i) => correct[i]).length - sum(claims)) / confidences.length;
    whenCalibrated += meanDeviation(claims) / confidences.length;
  }
  return { value, whenCalibrated };
}

/**
 * E|S − E S| for a sum S of coins with these probabilities, by its exact law; beyond 1000 coins by the normal law, √(2 Var / π).
 */
function meanDeviation(probabilities: readonly number[]): number {
  if (probabilities.length > 1000) return Math.sqrt((2 / Math.PI) * sum(probabilities.map((p) => p * (1 - p))));
  const law = new Float64Array(probabilities.length + 1);
  law[0] = 1;
  for (const [i, p] of probabilities.entries())
    for (let s = i + 1; s >= 0; s--) law[s] = (law[s] as number) * (1 - p) + (s > 0 ? (law[s - 1] as number) * p : 0);
  const middle = sum(probabilities);
  return law.reduce((total, mass, s) => total + mass * Math.abs(s - middle), 0);
}

export type BrierScore = Estimate & {
  /** Σ (n_b / n)(confidence_b − accuracy_b)²: less is better. */
  readonly reliability: number | undefined;
  /** Σ (n_b / n)(accuracy_b − accuracy)²: more is better. */
  readonly resolution: number | undefined;
  /** accuracy · (1 − accuracy): the score of the base rate, which no forecaster can change. */
  readonly uncertainty: number | undefined;
  /** What varies within the bins: Var(confidence) − 2 Cov(confidence, correct); 0 where each bin holds one confidence. */
  readonly withinBins: number | undefined;
};

/**
 * The Brier score, the mean of (confidence − correct)², a proper score: honest confidences minimise it. Brier 1950. It equals
 * reliability − resolution + uncertainty + withinBins exactly: Murphy 1973, "A new vector partition of the probability score",
 * with the last term for bins that hold different confidences by Stephenson, Coelho & Jolliffe 2008, "Two Extra Components in the
 * Brier Score Decomposition". The parts depend on the bins and share the bias of their noise; the score does not. Its interval
 * is that of `bootstrapMean` within [0, 1].
 */
export function brier(
  confidences: readonly number[],
  correct: readonly boolean[],
  { bins, binning, ...options }: BinOptions & BootstrapOptions = {},
): BrierScore {
  const groups = binned(confidences, correct, { ...(bins && { bins }), ...(binning && { binning }) });
  const labels = correct.map(Number);
  const losses = confidences.map((confidence, i) => (confidence - (labels[i] as number)) ** 2);
  const estimate = bootstrapMean(losses, { within: { low: 0, high: 1 }, ...options });
  const n = confidences.length;
  if (n === 0)
    return {
      ...withoutInterval(undefined, "there are no items"),
      reliability: undefined,
      resolution: undefined,
      uncertainty: undefined,
      withinBins: undefined,
    };
  const rate = mean(labels);
  let [reliable, resolved, within] = [0, 0, 0];
  for (const group of groups) {
    const claim = mean(group.map((i) => confidences[i] as number));
    const accuracy = mean(group.map((i) => labels[i] as number));
    reliable += (group.length / n) * (claim - accuracy) ** 2;
    resolved += (group.length / n) * (accuracy - rate) ** 2;
    for (const i of group) {
      const away = (confidences[i] as number) - claim;
      within += (away * (away - 2 * ((labels[i] as number) - accuracy))) / n;
    }
  }
  return {
    ...estimate,
    reliability: reliable,
    resolution: resolved,
    uncertainty: rate * (1 - rate),
    withinBins: within,
  };
}

/**
 * The log score: the mean of −log of the probability that was given to what happened, in nats; proper, and merciless: one
 * certainty that was wrong has no finite price. Good 1952, "Rational Decisions". Less is better.
 */
export function logScore(
  confidences: readonly number[],
  correct: readonly boolean[],
  options: BootstrapOptions = {},
): Estimate {
  check(confidences, correct, true);
  const surprised = confidences.findIndex((confidence, i) => confidence === (correct[i] ? 0 : 1));
  if (surprised >= 0)
    return withoutInterval(
      undefined,
      `item ${surprised} was ${correct[surprised] ? "right with confidence 0" : "wrong with confidence 1"}: the price is infinite`,
    );
  return bootstrapMean(
    confidences.map((confidence, i) => -(correct[i] ? Math.log(confidence) : Math.log1p(-confidence))),
    options,
  );
}

/**
 * AUROC: the probability that a right answer has a higher confidence than a wrong one, ties counting half; exactly the
 * Mann-Whitney statistic. Its standard error is that of DeLong, DeLong & Clarke-Pearson 1988, "Comparing the Areas under Two or
 * More Correlated Receiver Operating Characteristic Curves", Biometrics 44(3), by the ranks of Sun & Xu 2014 (n log n); the
 * interval is normal in the logit, so that it stays inside (0, 1); with 30 of each it covers 96%. None where the two are
 * separated perfectly.
 */
export function auroc(
  confidences: readonly number[],
  correct: readonly boolean[],
  { level = 0.95 }: LevelOptions = {},
): Estimate {
  check(confidences, correct, false);
  checkLevel(level);
  const right = confidences.filter((_, i) => correct[i]);
  const wrong = confidences.filter((_, i) => !correct[i]);
  if (right.length === 0 || wrong.length === 0)
    return withoutInterval(undefined, `there are no ${right.length === 0 ? "right" : "wrong"} answers to compare with`);
  // Each one's share of the others that it is on the proper side of: its rank among all less its rank among its own.
  const all = midranks(confidences);
  const [ownRight, ownWrong] = [midranks(right), midranks(wrong)];
  let [r, w] = [0, 0];
  const above: number[] = [];
  const below: number[] = [];
  for (const [i, rank] of all.entries())
    if (correct[i]) above.push((rank - (ownRight[r++] as number)) / wrong.length);
    else below.push(1 - (rank - (ownWrong[w++] as number)) / right.length);
  const value = mean(above);
  if (right.length < 2 || wrong.length < 2)
    return withoutInterval(value, "one right or one wrong answer says nothing of how they vary");
  const standardError = Math.sqrt(variance(above) / above.length + variance(below) / below.length);
  if (!(value > 0 && value < 1 && standardError > 0))
    return withoutInterval(
      value,
      "the confidences separate perfectly, or not at all: no spread to estimate an interval from",
    );
  const [logit, half] = [
    Math.log(value / (1 - value)),
    (normalQuantile((1 + level) / 2) * standardError) / (value * (1 - value)),
  ];
  return { value, low: 1 / (1 + Math.exp(half - logit)), high: 1 / (1 + Math.exp(-half - logit)) };
}

/** Ranks from 1; those of equal values are their mean. */
function midranks(values: readonly number[]): number[] {
  const ranks = Array<number>(values.length);
  let place = 0;
  for (const tie of tiesOf(values, (a, b) => a - b)) {
    for (const i of tie) ranks[i] = place + (tie.length + 1) / 2;
    place += tie.length;
  }
  return ranks;
}

export interface RiskAtCoverage {
  /** Answers are given where the confidence is at least this. */
  readonly threshold: number;
  /** The share of items that are answered. */
  readonly coverage: number;
  /** The share of wrong ones among these. */
  readonly risk: number;
}

/**
 * The risk-coverage curve: a point for each threshold, from the most confident answers to all of them. El-Yaniv & Wiener 2010, JMLR
 * 11, "On the Foundations of Noise-free Selective Classification". Equal confidences are answered together or not at all.
 */
export function riskCoverage(confidences: readonly number[], correct: readonly boolean[]): RiskAtCoverage[] {
  check(confidences, correct, false);
  let [answered, wrong] = [0, 0];
  return tiesOf(confidences, (a, b) => b - a).map((tie) => {
    answered += tie.length;
    wrong += tie.filter((i) => !correct[i]).length;
    return {
      threshold: confidences[tie[0] as number] as number,
      coverage: answered / confidences.length,
      risk: wrong / answered,
    };
  });
}

export type RiskArea = Estimate & {
  /** The area over that of an oracle that ranks every right answer before every wrong one; 0 is the best. */
  readonly excess: number | undefined;
};

/**
 * AURC: the risk, averaged over the coverages 1/n, 2/n, …, 1. Less is better; a constant confidence has the error rate. Its excess
 * over the oracle's is E-AURC. Geifman, Uziel & El-Yaniv 2018, arXiv:1805.08206. Within equal confidences it is the mean over
 * their orders. The interval is the BCa bootstrap's over items.
 */
export function aurc(
  confidences: readonly number[],
  correct: readonly boolean[],
  options: BootstrapOptions = {},
): RiskArea {
  check(confidences, correct, false);
  const ties = tiesOf(confidences, (a, b) => b - a);
  const area = (counts: ArrayLike<number>): number | undefined => {
    let [answered, wrong, total] = [0, 0, 0];
    for (const tie of ties) {
      let [size, errors] = [0, 0];
      for (const i of tie) {
        size += counts[i] as number;
        if (!correct[i]) errors += counts[i] as number;
      }
      for (let j = 1; j <= size; j++) total += (wrong + (errors * j) / size) / (answered + j);
      answered += size;
      wrong += errors;
    }
    return answered > 0 ? total / answered : undefined;
  };
  const estimate = bootstrap(confidences.length, area, options);
  if (estimate.value === undefined) return { ...estimate, excess: undefined };
  const n = correct.length;
  const right = correct.filter(Boolean).length;
  let oracle = 0;
  for (let k = right + 1; k <= n; k++) oracle += (k - right) / k / n;
  return { ...estimate, excess: estimate.value - oracle };
}

export type SelectiveAccuracy = Estimate & Partial<Pick<RiskAtCoverage, "threshold" | "coverage">>;

/**
 * The accuracy of the most confident answers, of as few as make up at least the wanted share of all. Equal confidences are
 * answered together, so the coverage may be more than was asked. Wilson's interval, as if the threshold had been chosen on other
 * data; chosen on the same 120 items, nominal 95% is 93% in simulation.
 */
export function selectiveAccuracy(
  confidences: readonly number[],
  correct: readonly boolean[],
  { coverage, level = 0.95 }: { readonly coverage: number } & LevelOptions,
): SelectiveAccuracy {
  if (!(coverage > 0 && coverage <= 1))
    throw new RangeError(`Cannot select answers as 'coverage' must be in (0, 1]: current value is ${coverage}`);
  const point = riskCoverage(confidences, correct).find((one) => one.coverage >= coverage - 1e-12);
  if (!point) return withoutInterval(undefined, "there are no items");
  const answered = Math.round(point.coverage * correct.length);
  const right = answered - Math.round(point.risk * answered);
  const { threshold, coverage: reached } = point;
  return { value: right / answered, ...wilson(right, answered, { level }), threshold, coverage: reached };
}

/** Items by bin, all in ascending order of confidence, without empty bins. */
function binned(
  confidences: readonly number[],
  correct: readonly boolean[],
  { bins = 10, binning = "equal-width" }: BinOptions,
): number[][] {
  check(confidences, correct, true);
  checkCount("bins", "bins", bins, 1);
  const groups: number[][] = Array.from({ length: bins }, () => []);
  let place = 0;
  for (const tie of tiesOf(confidences, (a, b) => a - b)) {
    const share = binning === "equal-width" ? (confidences[tie[0] as number] as number) : place / confidences.length;
    groups[Math.min(Math.floor(share * bins), bins - 1)]?.push(...tie);
    place += tie.length;
  }
  return groups.filter((group) => group.length > 0);
}

/** Places of equal values, in the given order of values. */
function tiesOf(values: readonly number[], compare: (a: number, b: number) => number): number[][] {
  const order = values.map((_, i) => i).sort((i, j) => compare(values[i] as number, values[j] as number));
  const ties: number[][] = [];
  for (const i of order) {
    const last = ties.at(-1);
    if (last && values[last[0] as number] === values[i]) last.push(i);
    else ties.push([i]);
  }
  return ties;
}

function check(confidences: readonly number[], correct: readonly boolean[], probabilities: boolean): void {
  if (confidences.length !== correct.length)
    throw new RangeError(
      `Cannot judge confidences as 'correct' must have one entry for each: ${confidences.length} confidences, ${correct.length} entries`,
    );
  checkFinite("a judgement of confidences", "confidences", confidences);
  const outside = probabilities ? confidences.find((confidence) => confidence < 0 || confidence > 1) : undefined;
  if (outside !== undefined)
    throw new RangeError(`Cannot judge confidences as they must be in [0, 1]: one is ${outside}`);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
/** With n − 1. */
function variance(values: readonly number[]): number {
  const middle = mean(values);
  return sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1);
}
