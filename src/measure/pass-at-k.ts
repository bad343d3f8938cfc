/**
 * How good k samples are, from a pool of n >= k that were drawn and judged: the average over all k-subsets of the pool, in closed
 * form. It is unbiased for what a fresh k would do. The first k of a pool would be so too, but far noisier, and a curve of such
 * points goes up and down with the luck of its first samples; 1 − (1 − c/n)^k is biased (Chen et al. 2021, arXiv:2107.03374,
 * §2.1).
 *
 * - `passAtK`: any of k is right: the ceiling for a verifier that is never wrong. Chen et al., equation 1.
 * - `passHatK`: all of k are right: what can be relied upon. Yao et al. 2024 (τ-bench), arXiv:2406.12045.
 * - `bestOfK`: the best scored of k is right, as best-of-n answers.
 * - `majAtK`: the most frequent answer of k is right, as a vote with `majority` answers.
 *
 * Ties are those of the searches: the earliest drawn. Over all orders of a subset each of the tied is the earliest equally often.
 *
 * A pool is summed up first, once for all k: `tally`, `ranked`, `votes`.
 *
 * `curve` is the mean over problems at several k. Its interval is a bootstrap over problems: problems are what is drawn from
 * the world, the samples of a problem only tell how hard that one is. It therefore holds both kinds of chance. Each point has
 * the level by itself; the whole curve is inside all intervals less often.
 */
import { logGamma } from "../math/special.ts";
import { random } from "../math/random.ts";
import type { Key } from "../key.ts";
import { checkCount, type Estimate, undefinedValue, type Value, withoutInterval } from "./estimate.ts";
import { bootstrapMeans, type BootstrapMeanOptions } from "./intervals.ts";

/** The samples of one problem, counted. */
export interface Tally {
  readonly samples: number;
  readonly correct: number;
}

/** One sample of a problem. */
export interface Candidate {
  readonly correct: boolean;
  /** Higher is better. Without one it never wins against one that has. */
  readonly score?: number | undefined;
  /** What votes are counted for. Without one it does not vote. */
  readonly answer?: string | undefined;
}

/** How many of the samples are alike in what decides, and how many of these are right. */
export interface Group {
  readonly count: number;
  readonly correct: number;
}

/** The samples of one problem by their score: the best first, those of equal score together, the unscored last. */
export interface Ranked {
  readonly samples: number;
  readonly groups: readonly Group[];
}

/** The samples of one problem by their answer. */
export interface Votes {
  readonly samples: number;
  readonly answers: readonly Group[];
  /** Those that do not vote. */
  readonly silent: Group;
}

export function tally(candidates: readonly { readonly correct: boolean }[]): Tally {
  let correct = 0;
  for (const candidate of candidates) if (candidate.correct) correct++;
  return { samples: candidates.length, correct };
}

export function ranked(candidates: readonly Candidate[]): Ranked {
  const scores = Float64Array.from(candidates, ({ score }) =>
    score === undefined || Number.isNaN(score) ? Number.NEGATIVE_INFINITY : score,
  );
  const places = new Map<number, number>();
  for (const score of scores.slice().sort().reverse()) if (!places.has(score)) places.set(score, places.size);
  return {
    samples: candidates.length,
    groups: grouped(candidates, (_, i) => places.get(scores[i] as number) as number),
  };
}

export function votes(candidates: readonly Candidate[]): Votes {
  const places = new Map<string | undefined, number>([[undefined, 0]]);
  for (const { answer } of candidates) if (!places.has(answer)) places.set(answer, places.size);
  const [silent = { count: 0, correct: 0 }, ...answers] = grouped(
    candidates,
    ({ answer }) => places.get(answer) as number,
  );
  return { samples: candidates.length, answers, silent };
}

function grouped(candidates: readonly Candidate[], placeOf: (candidate: Candidate, i: number) => number): Group[] {
  const groups: { count: number; correct: number }[] = [];
  for (const [i, candidate] of candidates.entries()) {
    const place = placeOf(candidate, i);
    while (groups.length <= place) groups.push({ count: 0, correct: 0 });
    const group = groups[place] as { count: number; correct: number };
    group.count++;
    if (candidate.correct) group.correct++;
  }
  return groups;
}

/** 1 − C(n − c, k) / C(n, k), as a product of at most min(c, k) factors: no binomial coefficient, no cancellation. */
export function passAtK({ samples, correct }: Tally, k: number): Value {
  return tooFew("pass@k", samples, correct, k) ?? { value: 1 - shareWithin(samples - correct, samples, k) };
}

/** C(c, k) / C(n, k). */
export function passHatK({ samples, correct }: Tally, k: number): Value {
  return tooFew("pass^k", samples, correct, k) ?? { value: shareWithin(correct, samples, k) };
}

/**
 * Σ over the distinct scores s of P(the best of k has score s) × the share of right ones among those with s. With N candidates of
 * score at most s that probability is [C(N, k) − C(N', k)] / C(n, k), N' those below s.
 */
export function bestOfK({ samples, groups }: Ranked, k: number): Value {
  const few = tooFew("best-of-k", samples, 0, k);
  if (few) return few;
  let value = 0;
  let inside = 1; // C(N, k) / C(n, k), N = `left`, those not yet passed
  let left = samples;
  for (const { count, correct } of groups) {
    const from = inside;
    for (let i = 0; i < count; i++, left--) inside *= Math.max(0, left - k) / left;
    value += ((from - inside) * correct) / count;
    if (inside === 0) break;
  }
  return { value };
}

export interface MajAtKOptions {
  /** Above about as many operations subsets are drawn instead. @default 1e7, some 0.1 s */
  readonly work?: number;
  /** Number of subsets, where they are drawn. @default 10_000 */
  readonly draws?: number;
  /** @default 0 */
  readonly seed?: Key | number;
}

export type MajAtK = Value & {
  /** Of the draws of subsets; 0 where the average is exact. */
  readonly standardError?: number;
};

/**
 * The votes of a random k-subset are multivariate hypergeometric, which is the law of independent binomial counts (one for each
 * answer, all with probability k/n) given that they sum to k. So the chance that an answer has r votes, no other more, and t
 * others as many comes from adding one answer after the other, for each r: exact, about n k² log k operations for each right
 * answer. Where that is more than `work` it is the mean over `draws` random subsets, with its standard error.
 */
export function majAtK(
  { samples, answers, silent }: Votes,
  k: number,
  { work = 1e7, draws = 10_000, seed = 0 }: MajAtKOptions = {},
): MajAtK {
  const few = tooFew("maj@k", samples, 0, k);
  if (few) return few;
  const winners = answers.filter(({ correct }) => correct > 0);
  if (winners.length * samples * k * k * (1 + Math.log(k)) > work)
    return drawnMajority([silent, ...answers], k, draws, seed);
  // Nobody who votes: the first drawn stands. One answer judged in two ways: so does its first voter.
  let value = silent.correct && (silent.correct / silent.count) * shareWithin(silent.count, samples, k);
  for (const winner of winners) {
    const others = answers.filter((answer) => answer !== winner).map(({ count }) => count);
    value += (winner.correct / winner.count) * winProbability(winner.count, others, silent.count, k);
  }
  return { value, standardError: 0 };
}

export type Point = Estimate & { readonly k: number };

/**
 * The mean over problems of `at` (as `passAtK`, of tallies) at each k, with its interval. Undefined where one problem has too few
 * samples. `clusters`: problems that are drawn together.
 */
export function curve<P>(
  problems: readonly P[],
  at: (problem: P, k: number) => Value,
  ks: readonly number[],
  { clusters, ...options }: Omit<BootstrapMeanOptions, "within"> = {},
): Point[] {
  if (ks.length === 0) return [];
  const why = new Map<number, string>();
  const table = new Float64Array(problems.length * ks.length); // [problems][ks]
  for (const [column, k] of ks.entries())
    for (const [row, problem] of problems.entries()) {
      const one = at(problem, k);
      if (one.value === undefined) {
        why.set(column, `problem ${row}: ${one.why}`);
        break;
      }
      table[row * ks.length + column] = one.value;
    }
  const units = clusters ? summedBy(table, ks.length, clusters) : { table };
  const means = bootstrapMeans(units.table, ks.length, {
    ...options,
    within: { low: 0, high: 1 },
    ...(units.sizes && { sizes: units.sizes }),
  });
  return ks.map((k, column) => {
    const reason = why.get(column);
    return { k, ...(reason === undefined ? (means[column] as Estimate) : withoutInterval(undefined, reason)) };
  });
}

/** Rows of one cluster as their sum, and how many they are. */
function summedBy(
  table: Float64Array,
  columns: number,
  clusters: readonly (string | number)[],
): { readonly table: Float64Array; readonly sizes?: Float64Array } {
  const groups = [...Map.groupBy(clusters.keys(), (row) => clusters[row]).values()];
  const summed = new Float64Array(groups.length * columns);
  for (const [group, rows] of groups.entries())
    for (const row of rows)
      for (let c = 0; c < columns; c++)
        summed[group * columns + c] = (summed[group * columns + c] as number) + (table[row * columns + c] as number);
  return { table: summed, sizes: Float64Array.from(groups, ({ length }) => length) };
}

/** P(all of a k-subset of n lie in a part of size m) = C(m, k) / C(n, k). Each product is of factors in [0, 1]. */
function shareWithin(m: number, n: number, k: number): number {
  if (m < k) return 0;
  let share = 1;
  if (k <= n - m) for (let i = 0; i < k; i++) share *= (m - i) / (n - i);
  else for (let i = m + 1; i <= n; i++) share *= 1 - k / i;
  return share;
}

function tooFew(what: string, samples: number, correct: number, k: number): Value | undefined {
  checkCount(what, "samples", samples, 0);
  checkCount(what, "correct", correct, 0, samples);
  checkCount(what, "k", k, 1);
  return samples < k ? undefinedValue(`${what} with k = ${k} needs as many samples, there are ${samples}`) : undefined;
}

/** P(an answer with `own` voters wins the vote of a random k-subset), ties shared equally. */
function winProbability(own: number, others: readonly number[], silent: number, k: number): number {
  const n = others.reduce((sum, count) => sum + count, own + silent);
  const law = (count: number): Float64Array => binomial(count, k / n, k);
  const [mine, theirs, quiet] = [law(own), others.map(law), law(silent)];
  let sum = 0;
  for (let r = 1; r < mine.length; r++) {
    const rest = k - r;
    const most = Math.floor(rest / r); // others that can have r votes as well
    const width = rest + 1;
    const ways = new Float64Array((most + 1) * width); // [tied others][votes of the others]
    ways.set(quiet.subarray(0, width));
    for (const other of theirs) {
      const below = Math.min(other.length - 1, r - 1);
      const level = other[r] ?? 0; // P(as many votes as mine)
      for (let t = most; t >= 0; t--)
        for (let j = rest; j >= 0; j--) {
          let entry = 0;
          for (let x = Math.min(below, j); x >= 0; x--)
            entry += (ways[t * width + j - x] as number) * (other[x] as number);
          if (t > 0 && j >= r) entry += (ways[(t - 1) * width + j - r] as number) * level;
          ways[t * width + j] = entry;
        }
    }
    let wins = 0;
    for (let t = 0; t <= most; t++) wins += (ways[t * width + rest] as number) / (1 + t);
    sum += (mine[r] as number) * wins;
  }
  return sum / (law(n)[k] as number);
}

/** [min(count, most) + 1] probabilities of the binomial law. */
function binomial(count: number, p: number, most: number): Float64Array {
  const scale = logGamma(count + 1);
  return Float64Array.from({ length: Math.min(count, most) + 1 }, (_, x) =>
    p === 1
      ? Number(x === count)
      : Math.exp(scale - logGamma(x + 1) - logGamma(count - x + 1) + x * Math.log(p) + (count - x) * Math.log1p(-p)),
  );
}

/** `groups`: the silent, then each answer. */
function drawnMajority(
  groups: readonly Group[],
  k: number,
  draws: number,
  seed: Key | number,
): { value: number; standardError: number } {
  checkCount("maj@k", "draws", draws, 2);
  const stream = random(seed);
  const ids = Uint32Array.from(groups.flatMap(({ count }, id) => Array<number>(count).fill(id)));
  const right = Float64Array.from(groups, ({ count, correct }) => (count === 0 ? 0 : correct / count));
  const counts = new Int32Array(groups.length);
  let [sum, squares] = [0, 0];
  for (let draw = 0; draw < draws; draw++) {
    counts.fill(0);
    for (let i = 0; i < k; i++) {
      const j = i + stream.integer(ids.length - i);
      const id = ids[j] as number;
      ids[j] = ids[i] as number;
      ids[i] = id;
      counts[id] = (counts[id] as number) + 1;
    }
    let [most, tied, share] = [0, 1, right[0] as number];
    for (let id = 1; id < counts.length; id++) {
      const count = counts[id] as number;
      if (count === 0 || count < most) continue;
      if (count > most) [most, tied, share] = [count, 0, 0];
      tied++;
      share += right[id] as number;
    }
    sum += share / tied;
    squares += (share / tied) ** 2;
  }
  const value = sum / draws;
  return { value, standardError: Math.sqrt(Math.max(0, squares / draws - value ** 2) / (draws - 1)) };
}
