/** Temperature trades the accuracy of one sample for the diversity of many. */
import { type Estimate, majAtK, passAtK, tally, votes } from "../src/measure/index.ts";
import type { Task } from "../src/task.ts";
import { countdown, productChain } from "../src/tasks/index.ts";
import type { Measurement, Panel, Phenomenon } from "./phenomenon.ts";
import { curves, judged, point, shown } from "./phenomenon.ts";
import { candidatesOf, drawn, mean, meanOver, minus, modelNamed, problemOf, shareOver, total } from "./samples.ts";

const temperatures = [0.25, 0.5, 0.75, 1, 1.25, 1.5];
const n = 16;

interface At {
  readonly once: number;
  readonly covered: number;
  readonly voted: number;
  /** Distinct texts among the samples, as a share. */
  readonly distinct: number;
  readonly tokens: number;
}

/** By temperature. */
type Row = readonly At[];

const sweep = (task: Task): Measurement<Row> => ({
  name: `temperature-${task.name}`,
  units: { full: 120, quick: 1 },
  async measure(unit) {
    const problem = problemOf(task, unit);
    const row: At[] = [];
    for (const temperature of temperatures) {
      const samples = await drawn(await modelNamed("sapling"), task, problem, { n, seed: 2, temperature });
      const candidates = candidatesOf(samples);
      row.push({
        once: mean(samples.map(({ right }) => Number(right))),
        covered: passAtK(tally(candidates), n).value ?? 0,
        voted: majAtK(votes(candidates), n).value ?? 0,
        distinct: new Set(samples.map(({ text }) => text)).size / n,
        tokens: total(samples.map(({ tokens }) => tokens)),
      });
    }
    return row;
  },
});

const sweeps = [sweep(countdown), sweep(productChain)] as const;

const measures = [
  { name: "pass@16", of: ({ covered }: At) => covered },
  { name: "majority of 16", of: ({ voted }: At) => voted },
  { name: "one sample", of: ({ once }: At) => once },
  { name: "distinct", of: ({ distinct }: At) => distinct },
] as const;

export const temperature: Phenomenon = {
  name: "temperature",
  title: "Temperature trades accuracy for diversity",
  claim:
    "The best temperature rises with the number of samples: low for one sample, higher for pass@k of a large k, where the set of samples has to be diverse (0.2 for k = 1, 0.8 for k = 100 in the paper, with a model of 679 million parameters).",
  source: "Chen et al. 2021, Evaluating Large Language Models Trained on Code, §3.3",
  arxiv: "2107.03374",
  method:
    "Sapling, 120 countdown problems and 120 product chains, 16 samples at each of six temperatures: the share right of one sample, of a majority vote and of a perfect choice (pass@16), and the share of the 16 texts that are distinct.",
  rule: "On countdown, from temperature 0.5 to 1: one sample gets worse, pass@16 gets better, and the share of distinct answers rises; each by an interval beyond 0.",
  remark:
    "One sample and diversity change as claimed, and the highest pass@16 is at a higher temperature than the best single sample; but that optimum, 0.75, lies between the two temperatures of the rule, which so compare its two slopes. The rule is as it was before the first run; the paper that states the claim was named after it, in place of one that only says that temperature matters.",
  measurements: sweeps,
  conclude(rows) {
    const [solving, products] = [rows(sweeps[0]), rows(sweeps[1])];
    const at = (t: number, of: (at: At) => number): number[] =>
      solving.map((row) => of(row[temperatures.indexOf(t)] as At));
    const change = (of: (at: At) => number): Estimate => meanOver(minus(at(1, of), at(0.5, of)));
    const worse = meanOver(minus(at(0.5, measures[2].of), at(1, measures[2].of)));
    const [better, broader] = [change(measures[0].of), change(measures[3].of)];
    const meanAt = (of: readonly Row[], measure: (at: At) => number, i: number): number =>
      mean(of.map((row) => measure(row[i] as At)));
    const bestFor = (of: readonly Row[], measure: (at: At) => number): number =>
      temperatures.reduce((best, t, i) =>
        meanAt(of, measure, i) > meanAt(of, measure, temperatures.indexOf(best)) ? t : best,
      );
    const panel = (title: string, of: readonly Row[]): Panel =>
      curves(
        title,
        { label: "temperature" },
        { label: "share", percent: true, domain: [0, 1] },
        measures.flatMap(({ name, of: measure }) =>
          temperatures.map((x, i) => point(name, x, shareOver(of.map((row) => measure(row[i] as At))))),
        ),
      );
    const [single, , many] = [measures[2].of, measures[1].of, measures[0].of];
    return {
      effects: [
        judged("sapling", "loss of one sample, 0.5 to 1", worse),
        judged("sapling", "gain of pass@16, 0.5 to 1", better),
        judged("sapling", "gain of distinct answers, 0.5 to 1", broader),
      ],
      statement: `On countdown, from 0.5 to 1 one sample loses ${shown(worse)} points, pass@16 gains ${shown(better)} and distinct answers ${shown(broader)}. The best temperature of the six is ${bestFor(solving, single)} for one sample, ${bestFor(solving, measures[1].of)} for a vote and ${bestFor(solving, many)} for pass@16; on product chains ${bestFor(products, single)}, ${bestFor(products, measures[1].of)} and ${bestFor(products, many)}.`,
      table: {
        head: ["temperature", ...measures.map(({ name }) => `${name}, countdown`), "majority of 16, products"],
        rows: temperatures.map((t, i) => [
          String(t),
          ...measures.map(({ of }) => shown(shareOver(solving.map((row) => of(row[i] as At))))),
          shown(shareOver(products.map((row) => (row[i] as At).voted))),
        ]),
      },
      panels: [panel("Sapling, countdown", solving), panel("Sapling, product chains", products)],
      units: `${solving.length} and ${products.length} problems, ${n} samples at ${temperatures.length} temperatures, one seed`,
      tokens: total([...solving, ...products].flatMap((row) => row.map(({ tokens }) => tokens))),
    };
  },
};
