/** Temperature trades the accuracy of one sample for the diversity of many. */
import { majAtK, passAtK, tally, votes } from "../src/measure/index.ts";
import type { Task } from "../src/task.ts";
import { countdown, productChain } from "../src/tasks/index.ts";
import type { Measurement, Panel, Phenomenon } from "./phenomenon.ts";
import { judged } from "./phenomenon.ts";
import { drawn, mean, meanOver, modelNamed, problemOf, shareOver, shown, total } from "./samples.ts";

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
      const candidates = samples.map(({ right, answer }) => ({ correct: right, answer: answer ?? undefined }));
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
    "The temperature matters as much as the method: a lower one makes the single answer better, a higher one makes many answers more diverse, so that each way to use samples has a temperature of its own.",
  source: {
    text: "Liu et al. 2025, Bag of Tricks for Inference-time Computation of LLM Reasoning",
    url: "https://arxiv.org/abs/2502.07191",
  },
  method:
    "Sapling, 120 countdown problems and 120 product chains, 16 samples at each of six temperatures: the share right of one sample, of a majority vote and of a perfect choice (pass@16), and the share of the 16 texts that are distinct.",
  rule: "On countdown, from temperature 0.5 to 1: one sample gets worse, pass@16 gets better, and the share of distinct answers rises; each by an interval beyond 0.",
  why: "One sample and diversity change as claimed, but the best temperature for pass@16 lies between the two that the rule compares: at 0.5 four answers in five are distinct already, and beyond it each loses as much as diversity brings.",
  measurements: sweeps,
  conclude(rows) {
    const [solving, products] = [rows(sweeps[0]), rows(sweeps[1])];
    const change = (of: (at: At) => number, sign: number) =>
      meanOver(
        solving.map((row) => {
          const [low, high] = [0.5, 1].map((t) => of(row[temperatures.indexOf(t)] as At)) as [number, number];
          return sign * (high - low);
        }),
      );
    const [worse, better, broader] = [
      change(({ once }) => once, -1),
      change(({ covered }) => covered, 1),
      change(({ distinct }) => distinct, 1),
    ];
    const meanAt = (of: readonly Row[], measure: (at: At) => number, i: number): number =>
      mean(of.map((row) => measure(row[i] as At)));
    const bestFor = (of: readonly Row[], measure: (at: At) => number): number =>
      temperatures.reduce((best, t, i) =>
        meanAt(of, measure, i) > meanAt(of, measure, temperatures.indexOf(best)) ? t : best,
      );
    const panel = (title: string, of: readonly Row[]): Panel => ({
      kind: "curves",
      title,
      x: { label: "temperature" },
      y: { label: "share", percent: true, domain: [0, 1] },
      points: measures.flatMap(({ name, of: measure }) =>
        temperatures.map((x, i) => {
          const { value, low, high } = shareOver(of.map((row) => measure(row[i] as At)));
          return { series: name, x, y: value ?? 0, low, high };
        }),
      ),
    });
    const [single, , many] = [measures[2].of, measures[1].of, measures[0].of];
    return {
      effects: [
        judged({ name: "loss of one sample, 0.5 to 1", world: "sapling", unit: "points", estimate: worse }),
        judged({ name: "gain of pass@16, 0.5 to 1", world: "sapling", unit: "points", estimate: better }),
        judged({ name: "gain of distinct answers, 0.5 to 1", world: "sapling", unit: "points", estimate: broader }),
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
      outlay: {
        units: `${solving.length} and ${products.length} problems, ${n} samples at ${temperatures.length} temperatures, one seed`,
        tokens: total([...solving, ...products].flatMap((row) => row.map(({ tokens }) => tokens))),
      },
    };
  },
};
