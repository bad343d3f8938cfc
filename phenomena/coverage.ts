/** Coverage grows with the number of samples over decades, by a law that can be extrapolated; voting stops growing. */
import { fold, key } from "../src/key.ts";
import { drawBeta } from "../src/math/distributions.ts";
import { random } from "../src/math/random.ts";
import type { CoverageLaw, Estimate, Tally } from "../src/measure/index.ts";
import { bootstrap, coverageAt, fitCoverageLaw, majAtK, tally, votes } from "../src/measure/index.ts";
import { successLaw } from "../src/testing/simulated-solver.ts";
import type { Effect, Measurement, Panel, Phenomenon, World } from "./phenomenon.ts";
import { curves, judged, point, shown, solved } from "./phenomenon.ts";
import { candidatesOf, covered, mean, meanOver, minus, productPool, shareOver, tokensOf } from "./samples.ts";

/** Rates of success of problems: Beta(0.4, 1.6), mean 0.2. */
export const difficulty = { a: 0.4, b: 1.6 };
/** What a wrong answer is. A vote of many is right where p > 0.4 (1 − p). */
export const wrongAnswers = { a: 0.4, b: 0.25, c: 0.15, d: 0.1, e: 0.06, f: 0.04 };

const most = 10_000;
const shownAt = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, most];
const seen = 100;

interface Row {
  /** Right ones among the first `seen` draws, and among all. */
  readonly correct: number;
  readonly correctInAll: number;
  /** The vote of the first k draws, at each k of `shownAt`: whether it is right; of m answers that lead together each counts 1/m. */
  readonly voted: readonly number[];
}

const simulated: Measurement<Row> = {
  name: "coverage-simulated",
  units: { full: 400, quick: 100 },
  async measure(unit) {
    const stream = random(fold(fold(key(1), "coverage"), unit));
    const law = successLaw(drawBeta(difficulty.a, difficulty.b, stream), { wrong: wrongAnswers });
    const weights = law.map(({ probability }) => probability);
    const counts = weights.map(() => 0);
    const voted: number[] = [];
    let correct = 0;
    for (let k = 1; k <= most; k++) {
      const drawn = stream.weighted(weights);
      counts[drawn] = (counts[drawn] as number) + 1;
      if (k === seen) correct = counts[0] as number;
      if (k !== shownAt[voted.length]) continue;
      const lead = Math.max(...counts);
      voted.push(counts[0] === lead ? 1 / counts.filter((count) => count === lead).length : 0);
    }
    return { correct, correctInAll: counts[0] as number, voted };
  },
};

/** exp(a·k^b) of least squares; `shares`: at each k, by problem; `counts`: how often each problem was drawn. */
const lawOf = (
  ks: readonly number[],
  shares: readonly number[][],
  counts?: ArrayLike<number>,
): CoverageLaw | undefined =>
  fitCoverageLaw(ks.map((k, i) => ({ k, value: Math.min(1, mean(shares[i] ?? [], counts)) }))).value;

/** How far the law that was fitted to `few` is from what `all` cover at k. */
function missedBy(few: readonly Tally[], ks: readonly number[], all: readonly Tally[], k: number): Estimate {
  const [early, last] = [ks.map((each) => covered(few, each)), covered(all, k)];
  return bootstrap(
    few.length,
    (counts) => {
      const law = lawOf(ks, early, counts);
      return law && coverageAt(law, k) - mean(last, counts);
    },
    { resamples: 1000 },
  );
}

/** An error of this size is the most that counts as having been foretold. */
const tolerance = 0.03;

function foretold(world: World, from: number, to: number, error: Estimate): Effect {
  const inside =
    error.low === undefined
      ? error
      : {
          value: tolerance - Math.abs(error.value),
          low: tolerance - Math.max(Math.abs(error.low), Math.abs(error.high)),
          high: tolerance - (error.low * error.high < 0 ? 0 : Math.min(Math.abs(error.low), Math.abs(error.high))),
        };
  return judged(world, `3 points less the error of the law of k ≤ ${from} at k = ${to}`, inside);
}

/** Both claims in one world: shares by problem at any k, and the law that few samples give. */
interface Growth {
  readonly world: World;
  readonly ks: readonly number[];
  readonly covered: (k: number) => number[];
  readonly voted: (k: number) => number[];
  /** Growth is taken between these. */
  readonly from: number;
  readonly to: number;
  /** The few samples the law is fitted to, and the k of it. */
  readonly few: readonly Tally[];
  readonly fewKs: readonly number[];
}

function effectsOf({ world, covered: at, voted, from, to, fewKs }: Growth, error: Estimate): Effect[] {
  const ahead = minus(minus(at(to), at(from)), minus(voted(to), voted(from)));
  const growth = `growth of coverage less growth of the vote, k = ${from} to ${to}`;
  return [judged(world, growth, meanOver(ahead, 2), { margin: 0.05 }), foretold(world, fewKs.at(-1) ?? 0, to, error)];
}

function panelOf(title: string, { ks, covered: at, voted, few, fewKs }: Growth): Panel {
  const law = lawOf(
    fewKs,
    fewKs.map((k) => covered(few, k)),
  );
  return curves(title, { label: "samples k", log: true }, solved, [
    ...ks.map((k) => point("coverage", k, shareOver(at(k)))),
    ...(law ? ks.map((x) => ({ series: "fitted law", x, y: coverageAt(law, x), look: "law" as const })) : []),
    ...ks.map((k) => point("vote", k, shareOver(voted(k)))),
  ]);
}

export const coverage: Phenomenon = {
  name: "coverage",
  title: "Coverage keeps growing where voting stops",
  claim:
    "The share of problems that at least one of k samples solves grows with k over four orders of magnitude, and can often be described by an exponentiated power law; where no verifier picks, majority voting plateaus beyond some hundred samples.",
  source: "Brown et al. 2024, Large Language Monkeys",
  arxiv: "2407.21787",
  method:
    "A simulated solver on 400 problems whose rates of success are drawn from Beta(0.4, 1.6), 10,000 samples of each; and 64 samples of sapling on each of 240 product chains, where the final number counts and can be voted for.",
  rule: "In both: over the last factor of k (simulated: 100 to 10,000; sapling: 8 to 64) coverage grows by more than 5 points more than the vote does; and pass@k = exp(a·k^b), fitted to the small k alone (to 100; to 16), foretells the coverage at the largest k within 3 points.",
  remark:
    "What the paper says of growth is reproduced in both worlds. What fails is the second half of the rule, which asks for more than the paper, where the law describes a curve and need not foretell one: simulated it errs by little, but the interval ends beyond 3 points; on sapling it stays below what is covered. Sapling's coverage is partly luck: a product mod 100 has a hundred values, some of them common, and 64 even guesses would hit 47 percent.",
  measurements: [simulated, productPool],
  conclude(rows) {
    const worlds = rows(simulated);
    const all = worlds.map(({ correctInAll }) => ({ samples: most, correct: correctInAll }));
    const known: Growth = {
      world: "simulated",
      ks: shownAt,
      covered: (k) => covered(all, k),
      voted: (k) => worlds.map(({ voted }) => voted[shownAt.indexOf(k)] ?? 0),
      from: seen,
      to: most,
      few: worlds.map(({ correct }) => ({ samples: seen, correct })),
      fewKs: shownAt.filter((k) => k <= seen),
    };
    const knownError = missedBy(known.few, known.fewKs, all, most);

    const drawn = rows(productPool).map(({ samples }) => candidatesOf(samples));
    const tallies = drawn.map(tally);
    const voting = drawn.map(votes);
    const sapling: Growth = {
      world: "sapling",
      ks: [1, 2, 4, 8, 16, 32, 64],
      covered: (k) => covered(tallies, k),
      voted: (k) => voting.map((one) => majAtK(one, k).value ?? 0),
      from: 8,
      to: 64,
      few: drawn.map((candidates) => tally(candidates.slice(0, 16))),
      fewKs: [1, 2, 4, 8, 16],
    };
    const saplingError = missedBy(sapling.few, sapling.fewKs, tallies, 64);

    const cells = ({ ks, covered: at, voted }: Growth, k: number): string[] =>
      ks.includes(k) ? [shown(shareOver(at(k))), shown(shareOver(voted(k)))] : ["–", "–"];
    const told = (growth: Growth): string => {
      const [[coveredFrom, votedFrom], [coveredTo, votedTo]] = [cells(growth, growth.from), cells(growth, growth.to)];
      return `coverage goes from ${coveredFrom} percent at k = ${growth.from} to ${coveredTo} at ${growth.to}, the vote from ${votedFrom} to ${votedTo}`;
    };
    return {
      effects: [...effectsOf(known, knownError), ...effectsOf(sapling, saplingError)],
      statement: `Simulated, ${told(known)}. On sapling ${told(sapling)}. The law is off by ${shown(knownError)} points, and by ${shown(saplingError)} on sapling.`,
      table: {
        head: ["k", "coverage, simulated", "vote, simulated", "coverage, sapling", "vote, sapling"],
        rows: [1, 2, 8, 10, 16, 64, seen, 1000, most].map((k) => [String(k), ...cells(known, k), ...cells(sapling, k)]),
      },
      panels: [panelOf("Simulated, rates from Beta(0.4, 1.6)", known), panelOf("Sapling, product chains", sapling)],
      units: `${worlds.length} simulated problems of 10,000 draws; ${drawn.length} problems of 64 samples, one seed`,
      tokens: tokensOf(rows(productPool)),
    };
  },
};
