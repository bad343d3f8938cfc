/** A small model that searches against a larger one that answers once, at equal floating-point operations. */
import { passAtK, tally } from "../src/measure/index.ts";
import { text } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { greedy } from "../src/search/sampling/sample.ts";
import { isRightAnswer } from "../src/task.ts";
import { countdown } from "../src/tasks/index.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { judged } from "./phenomenon.ts";
import {
  countdownPool,
  maxTokens,
  mean,
  meanOver,
  modelNamed,
  type PoolRow,
  problemOf,
  seedlingPool,
  shareOver,
  shown,
  tokensOf,
  total,
} from "./samples.ts";

/** Of the files in sapling/, embeddings included. */
const parameters = { sapling: 204_544, seedling: 26_880 };

interface Row {
  readonly right: boolean;
  readonly tokens: number;
}

const saplingGreedy: Measurement<Row> = {
  name: "size-greedy",
  units: { full: 240, quick: 2 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const policy = text(await modelNamed("sapling"), { maxTokens, stream: false });
    const result = await run(greedy(), problem, { policy });
    const right = result.text !== undefined && isRightAnswer(countdown, problem, result.text);
    return { right, tokens: result.spent.tokens };
  },
};

/** Floating-point operations of a sample: 2 a parameter and generated token; prompts and attention are left out. */
const flopsOf = (rows: readonly PoolRow[], of: keyof typeof parameters): number =>
  (2 * parameters[of] * tokensOf(rows)) / total(rows.map(({ samples }) => samples.length));

export const smallWithSearch: Phenomenon = {
  name: "size",
  title: "A small model with search against a larger model",
  claim:
    "At equal inference FLOPs a smaller model with a good inference strategy is as good as, or better than, a larger model; small models are the better choice at small budgets.",
  source: { text: "Wu et al. 2024, Inference Scaling Laws", url: "https://arxiv.org/abs/2408.00724" },
  method:
    "Countdown, 240 problems. Seedling (26,880 parameters) draws answers and an exact verifier picks (best of n); sapling (204,544) answers once, by one sample or greedily, or draws and verifies too. FLOPs are 2 × parameters × generated tokens; prompts and attention are left out.",
  rule: "At the FLOPs of one answer of sapling, seedling's best of n (n rounded down) is right more often than one sample of sapling, and more often than its greedy answer.",
  why: "A sample of seedling costs 7.6 times less and is right some six times less often, so that its best of n lies on sapling's own curve; what it does not reach is the greedy answer, which is right twice as often as a sample and costs the same. The paper compares strategies that sample.",
  measurements: [countdownPool, seedlingPool, saplingGreedy],
  conclude(rows) {
    const alone = rows(saplingGreedy);
    const all = { sapling: rows(countdownPool), seedling: rows(seedlingPool) };
    const size = Math.min(alone.length, all.sapling.length, all.seedling.length);
    const large = all.sapling.slice(0, size);
    const small = all.seedling.slice(0, size);
    const [largeFlops, smallFlops] = [flopsOf(large, "sapling"), flopsOf(small, "seedling")];
    const n = Math.floor(largeFlops / smallFlops);
    const covered = (of: readonly PoolRow[], k: number): number[] =>
      of.map(({ samples }) => passAtK(tally(samples.map(({ right }) => ({ correct: right }))), k).value ?? 0);
    const searched = covered(small, n);
    const once = covered(large, 1);
    const greedily = alone.slice(0, size).map(({ right }) => Number(right));
    const minus = (a: readonly number[], b: readonly number[]) => meanOver(a.map((value, i) => value - (b[i] ?? 0)));
    const [overOnce, overGreedy] = [minus(searched, once), minus(searched, greedily)];
    const points = (series: string, of: readonly PoolRow[], flops: number, ks: readonly number[]): Point[] =>
      ks.map((k) => {
        const { value, low, high } = shareOver(covered(of, k));
        return { series, x: (k * flops) / 1e6, y: value ?? 0, low, high };
      });
    const greedyShare = shareOver(greedily);
    const greedyFlops = (2 * parameters.sapling * mean(alone.map(({ tokens }) => tokens))) / 1e6;
    const ratio = largeFlops / smallFlops;
    return {
      effects: [
        judged({
          name: `seedling's best of ${n} less one sample of sapling`,
          world: "sapling",
          unit: "points",
          estimate: overOnce,
        }),
        judged({
          name: `seedling's best of ${n} less sapling's greedy answer`,
          world: "sapling",
          unit: "points",
          estimate: overGreedy,
        }),
      ],
      statement: `A sample of sapling costs ${(largeFlops / 1e6).toFixed(1)} million operations, as much as ${ratio.toFixed(1)} of seedling. For one of them seedling's best of ${n} is right on ${shown(shareOver(searched))} percent, one sample of sapling on ${shown(shareOver(once))}, its greedy answer on ${shown(greedyShare)}.`,
      table: {
        head: ["million operations", "seedling, best of n", "sapling, best of n"],
        rows: [1, 4, 16].map((k) => {
          const equal = Math.floor(k * ratio);
          return [
            ((k * largeFlops) / 1e6).toFixed(0),
            `n = ${equal}: ${shown(shareOver(covered(small, equal)))}`,
            `n = ${k}: ${shown(shareOver(covered(large, k)))}`,
          ];
        }),
      },
      panels: [
        {
          kind: "curves",
          title: "Countdown, exact verifier",
          x: { label: "million floating-point operations a problem", log: true },
          y: { label: "solved", percent: true, domain: [0, 1] },
          points: [
            ...points("sapling, best of n", large, largeFlops, [1, 2, 4, 8, 16]),
            ...points("seedling, best of n", small, smallFlops, [1, 2, 4, 8, 16, 32, 64, 128]),
            {
              series: "sapling, greedy",
              x: greedyFlops,
              y: greedyShare.value ?? 0,
              low: greedyShare.low,
              high: greedyShare.high,
              look: "single",
            },
          ],
        },
      ],
      outlay: {
        units: `${size} problems; 64 samples of sapling and 128 of seedling, one seed`,
        tokens: tokensOf(large) + tokensOf(small) + total(alone.map(({ tokens }) => tokens)),
      },
    };
  },
};
