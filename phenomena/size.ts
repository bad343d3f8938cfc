/** A small model that searches against a larger one that answers once, at equal floating-point operations. */
import { type Tally, tally } from "../src/measure/index.ts";
import { text } from "../src/policies/text.ts";
import { greedy } from "../src/search/sampling/sample.ts";
import { countdown } from "../src/tasks/index.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, judged, point, shown, solved } from "./phenomenon.ts";
import {
  candidatesOf,
  countdownPool,
  covered,
  maxTokens,
  mean,
  meanOver,
  minus,
  modelNamed,
  type PoolRow,
  problemOf,
  seedlingPool,
  shareOver,
  solve,
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
  units: { full: 240, quick: 1 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const policy = text(await modelNamed("sapling"), { maxTokens, stream: false });
    return solve(greedy(), countdown, problem, { policy });
  },
};

/** Floating-point operations of a sample: 2 a parameter and generated token; prompts and attention are left out. */
const flopsOf = (rows: readonly PoolRow[], of: keyof typeof parameters): number =>
  (2 * parameters[of] * tokensOf(rows)) / total(rows.map(({ samples }) => samples.length));

export const smallWithSearch: Phenomenon = {
  name: "size",
  title: "A small model with search against a larger model",
  claim:
    "At equal inference FLOPs a smaller model with a good inference strategy can be better than a larger one, and small models with search are on the frontier of cost and accuracy.",
  source: "Wu et al. 2024, Inference Scaling Laws",
  arxiv: "2408.00724",
  method:
    "Countdown, 240 problems. Seedling (26,880 parameters) draws answers and an exact verifier picks (best of n); sapling (204,544) answers once, by one sample or greedily, or draws and verifies too. FLOPs are 2 × parameters × generated tokens, as the paper counts them: prompts and attention are left out.",
  rule: "At the FLOPs of one sample of sapling, seedling's best of n (n rounded down) is right more often than one sample of sapling, and more often than its greedy answer.",
  remark:
    "Best of n of either model lies on about the same curve, as seedling's samples are cheaper and more rarely right in nearly the same proportion. What seedling does not reach is the greedy answer, which costs as much as a sample and is right twice as often. The count of FLOPs decides about the first effect: samples of one problem can share the reading of its prompt, and if that is counted too, seedling affords more of them; this figure was added after the first run and is no part of the verdict.",
  measurements: [countdownPool, seedlingPool, saplingGreedy],
  conclude(rows) {
    const [large, small, alone] = [rows(countdownPool), rows(seedlingPool), rows(saplingGreedy)];
    const [largeFlops, smallFlops] = [flopsOf(large, "sapling"), flopsOf(small, "seedling")];
    const ratio = largeFlops / smallFlops;
    const n = Math.floor(ratio);
    // A token is a character. With the prompt read once: 2 P (prompt + n · tokens) of seedling for one sample of sapling.
    const prompt = mean(large.map((_, unit) => problemOf(countdown, unit).prompt.length));
    const readAlso = 2 * prompt * (parameters.sapling - parameters.seedling);
    const more = Math.floor((largeFlops + readAlso) / smallFlops);
    const talliesOf = (of: readonly PoolRow[]) => of.map(({ samples }) => tally(candidatesOf(samples)));
    const [largeTallies, smallTallies] = [talliesOf(large), talliesOf(small)];
    const [searched, once] = [covered(smallTallies, n), covered(largeTallies, 1)];
    const greedily = alone.map(({ right }) => Number(right));
    const points = (series: string, of: readonly Tally[], flops: number, ks: readonly number[]): Point[] =>
      ks.map((k) => point(series, (k * flops) / 1e6, shareOver(covered(of, k))));
    const greedyFlops = (2 * parameters.sapling * mean(alone.map(({ tokens }) => tokens))) / 1e6;
    const x = { label: "million floating-point operations a problem", log: true };
    return {
      effects: [
        judged("sapling", `seedling's best of ${n} less one sample of sapling`, meanOver(minus(searched, once))),
        judged("sapling", `seedling's best of ${n} less sapling's greedy answer`, meanOver(minus(searched, greedily))),
      ],
      statement: `A sample of sapling costs ${(largeFlops / 1e6).toFixed(1)} million operations, as much as ${ratio.toFixed(1)} of seedling. For one of them seedling's best of ${n} is right on ${shown(shareOver(searched))} percent, one sample of sapling on ${shown(shareOver(once))}, its greedy answer on ${shown(shareOver(greedily))}. With the prompt counted, once a problem, it would be best of ${more}, right on ${shown(meanOver(minus(covered(smallTallies, more), once)))} points more than one sample of sapling.`,
      table: {
        head: ["million operations", "seedling, best of n", "sapling, best of n"],
        rows: [1, 4, 16].map((k) => {
          const equal = Math.floor(k * ratio);
          return [
            ((k * largeFlops) / 1e6).toFixed(0),
            `n = ${equal}: ${shown(shareOver(covered(smallTallies, equal)))}`,
            `n = ${k}: ${shown(shareOver(covered(largeTallies, k)))}`,
          ];
        }),
      },
      panels: [
        curves("Countdown, exact verifier", x, solved, [
          ...points("sapling, best of n", largeTallies, largeFlops, [1, 2, 4, 8, 16]),
          ...points("seedling, best of n", smallTallies, smallFlops, [1, 2, 4, 8, 16, 32, 64, 128]),
          { ...point("sapling, greedy", greedyFlops, shareOver(greedily)), look: "single" },
        ]),
      ],
      units: `${large.length} problems; 64 samples of sapling and 128 of seedling, one seed`,
      tokens: tokensOf(large) + tokensOf(small) + total(alone.map(({ tokens }) => tokens)),
    };
  },
};
