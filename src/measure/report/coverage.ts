/** What more samples would give: coverage, votes and best-of-k from recorded candidates, and the law that coverage follows. */
import type { CandidateRecord, RunRecord } from "../../record.ts";
import { bootstrap } from "../bootstrap.ts";
import { coverageAt, type CoverageLawFit, fitCoverageLaw } from "../coverage-fit.ts";
import { undefinedValue, type Value, withoutInterval } from "../estimate.ts";
import {
  bestOfK,
  type Candidate,
  curve,
  majAtK,
  passAtK,
  type Point,
  ranked,
  type Tally,
  tally,
  type Votes,
  votes,
} from "../pass-at-k.ts";
import { areIndependent, clustersOf, fewestForBootstrap, type Setting, tooFewText } from "./cells.ts";
import type { Coverage, CoverageFit, Missing } from "./report.ts";

/** Methods whose candidates are independent draws of whole answers, as many as were asked for. */
const independent: readonly string[] = ["sample", "best-of-n", "majority", "weighted-vote", "medoid", "rpc"];

const isIndependent = (method: string): boolean => independent.includes(method.split(":")[0] as string);

/**
 * From the method and budget with the most samples a problem; of equals that with the most scorers, then the first. The seeds of a
 * problem are one pool: their draws are independent.
 */
export function coverageOf(setting: Setting, candidates: readonly CandidateRecord[]): Coverage | Missing {
  if (candidates.length === 0) return { why: "no candidates were recorded" };
  const ofRun = Map.groupBy(candidates, ({ run }) => run);
  const { methods, budgets, problems } = setting.evaluation;
  const sources = budgets
    .flatMap((_, budget) => methods.filter(isIndependent).map((method) => ({ method, budget })))
    .map(({ method, budget }) => {
      const runs = setting.runsOf(method, budget);
      const drawn = (id: string) => (runs.get(id) ?? ([] as RunRecord[])).flatMap((run) => ofRun.get(run.id) ?? []);
      const all = problems.map((asked) => ({ asked, pool: drawn(asked.problem.id) }));
      const judged = all.filter(({ pool }) => pool.length > 0 && pool.every(({ correct }) => correct !== null));
      const usual = judged.map(({ pool }) => pool.length).sort((a, b) => a - b)[judged.length >> 1] ?? 0;
      const kept = judged.filter(({ pool }) => 2 * pool.length >= usual);
      const used = kept.map(({ pool }) => pool);
      const samples = used.reduce((least, { length }) => Math.min(least, length), used.length === 0 ? 0 : Infinity);
      const asked = kept.map((one) => one.asked);
      return { method, budget, asked, pools: used, samples, scorers: scorersOf(used) };
    })
    .sort((a, b) => b.samples - a.samples || b.scorers.length - a.scorers.length);
  const [source] = sources;
  if (!source || source.samples === 0) return { why: "no method with independent samples has judged candidates" };

  const { method, budget, asked, pools, samples, scorers } = source;
  const ks = powersOfTwo(samples);
  const clusters = clustersOf(asked);
  const unit = areIndependent(asked) ? "problems" : "clusters";
  const options = { level: setting.level, clusters };
  const tallies = pools.map((pool) => tally(pool.map((one) => asCandidate(one))));
  const voted = pools.map((pool) => votes(pool.map((one) => asCandidate(one))));
  const vote = pools.some((pool) => pool.some(({ canonical }) => canonical !== null));
  return {
    method,
    budget,
    problems: pools.length,
    leftOut: problems.length - pools.length,
    samples,
    passAtK: curve(tallies, passAtK, ks, options),
    majority: vote ? curve(voted, voteOf, ks, options) : [],
    plateau: vote ? plateauOf(voted) : undefinedValue("no candidate states a result that could be voted for"),
    bestOfK: scorers.map((scorer) => ({
      scorer,
      points: curve(
        pools.map((pool) => ranked(pool.map((one) => asCandidate(one, scorer)))),
        bestOfK,
        ks,
        options,
      ),
    })),
    law: lawOf(tallies, ks, { level: setting.level, clusters, unit }),
  };
}

function plateauOf(voted: readonly Votes[]): Value {
  const won = voted.map((pool) => voteOfAll(pool));
  return { value: won.reduce((sum, value) => sum + value, 0) / won.length };
}

/** The share of right ones among the most frequent answers, of which a vote takes the first. */
function voteOfAll({ answers, silent }: Votes): number {
  const most = answers.reduce((best, { count }) => Math.max(best, count), 0);
  const first = most > 0 ? answers.filter(({ count }) => count === most) : [silent];
  return first.reduce((sum, { count, correct }) => sum + correct / count, 0) / first.length;
}

/** Exact for pools of about fifty; of larger ones subsets are drawn, which puts the mean over 100 problems off by 0.35 points. */
const voteOfSome = { work: 1e6, draws: 200 };

const voteOf = (pool: Votes, k: number): Value =>
  k === pool.samples ? { value: voteOfAll(pool) } : majAtK(pool, k, voteOfSome);

/** Least squares on the points of the curve; beyond the last the law alone, drawn anew where there are enough problems or clusters. */
function lawOf(
  tallies: readonly Tally[],
  ks: readonly number[],
  of: { readonly level: number; readonly clusters: readonly string[]; readonly unit: "problems" | "clusters" },
): CoverageFit | Missing {
  const { level, clusters, unit } = of;
  const places = new Map([...new Set(clusters)].map((cluster, i) => [cluster, i]));
  const placeOf = clusters.map((cluster) => places.get(cluster) as number);
  const table = tallies.map((one) => ks.map((k) => passAtK(one, k).value ?? 0));
  const fitOf = (counts: ArrayLike<number>): CoverageLawFit => {
    const countOf = (i: number): number => counts[placeOf[i] as number] as number;
    const drawn = table.reduce((sum, _, i) => sum + countOf(i), 0);
    return fitCoverageLaw(
      ks.map((k, j) => {
        const solved = table.reduce((sum, row, i) => sum + countOf(i) * (row[j] as number), 0);
        return { k, value: Math.min(1, solved / drawn) };
      }),
    );
  };
  const fit = fitOf(new Int32Array(places.size).fill(1));
  if (fit.value === undefined) return { why: fit.why };
  const law = fit.value;
  const last = ks.at(-1) as number;
  const extrapolated = [2, 4, 8].map((times): Point => {
    const k = times * last;
    const value = coverageAt(law, k);
    if (places.size < fewestForBootstrap) return { k, ...withoutInterval(value, tooFewText(places.size, unit)) };
    const drawn = (counts: ArrayLike<number>): number | undefined => {
      const { value: again } = fitOf(counts);
      return again && coverageAt(again, k);
    };
    return { k, ...bootstrap(places.size, drawn, { level, resamples: 400 }) };
  });
  return { ...law, residual: fit.residual, extrapolated };
}

function scorersOf(pools: readonly (readonly CandidateRecord[])[]): string[] {
  return [...new Set(pools.flatMap((pool) => pool.flatMap(({ scores }) => Object.keys(scores))))].sort();
}

const asCandidate = ({ correct, canonical, scores }: CandidateRecord, scorer?: string): Candidate => ({
  correct: correct === true,
  answer: canonical ?? undefined,
  score: scorer === undefined ? undefined : scores[scorer],
});

/** 1, 2, 4, … and the last. */
function powersOfTwo(last: number): number[] {
  const ks = [];
  for (let k = 1; k < last; k *= 2) ks.push(k);
  return [...ks, last];
}
