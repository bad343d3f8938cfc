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
import { fewestForBootstrap, type Setting, tooFewText } from "./cells.ts";
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
      const all = problems.map(({ problem }) => drawn(problem.id));
      const pools = all.filter((pool) => pool.length > 0 && pool.every(({ correct }) => correct !== null));
      const usual = pools.map(({ length }) => length).sort((a, b) => a - b)[pools.length >> 1] ?? 0;
      const used = pools.filter(({ length }) => 2 * length >= usual);
      const samples = used.reduce((least, { length }) => Math.min(least, length), used.length === 0 ? 0 : Infinity);
      return { method, budget, pools: used, samples, scorers: scorersOf(used), leftOut: problems.length - used.length };
    })
    .sort((a, b) => b.samples - a.samples || b.scorers.length - a.scorers.length);
  const [source] = sources;
  if (!source || source.samples === 0) return { why: "no method with independent samples has judged candidates" };

  const { method, budget, pools, samples, scorers, leftOut } = source;
  const ks = powersOfTwo(samples);
  const options = { level: setting.level };
  const tallies = pools.map((pool) => tally(pool.map((one) => asCandidate(one))));
  const voted = pools.map((pool) => votes(pool.map((one) => asCandidate(one))));
  const vote = pools.some((pool) => pool.some(({ canonical }) => canonical !== null));
  return {
    method,
    budget,
    problems: pools.length,
    leftOut,
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
    law: lawOf(tallies, ks, setting.level),
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

/** Least squares on the points of the curve; beyond the last the law alone, drawn anew over problems where there are enough of them. */
function lawOf(tallies: readonly Tally[], ks: readonly number[], level: number): CoverageFit | Missing {
  const table = tallies.map((one) => ks.map((k) => passAtK(one, k).value ?? 0));
  const fitOf = (counts: ArrayLike<number>): CoverageLawFit => {
    const drawn = table.reduce((sum, _, i) => sum + (counts[i] as number), 0);
    return fitCoverageLaw(
      ks.map((k, j) => {
        const solved = table.reduce((sum, row, i) => sum + (counts[i] as number) * (row[j] as number), 0);
        return { k, value: Math.min(1, solved / drawn) };
      }),
    );
  };
  const fit = fitOf(new Int32Array(tallies.length).fill(1));
  if (fit.value === undefined) return { why: fit.why };
  const law = fit.value;
  const last = ks.at(-1) as number;
  const extrapolated = [2, 4, 8].map((times): Point => {
    const k = times * last;
    const value = coverageAt(law, k);
    if (tallies.length < fewestForBootstrap) return { k, ...withoutInterval(value, tooFewText(tallies.length)) };
    const drawn = (counts: ArrayLike<number>): number | undefined => {
      const { value: again } = fitOf(counts);
      return again && coverageAt(again, k);
    };
    return { k, ...bootstrap(tallies.length, drawn, { level, resamples: 400 }) };
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
