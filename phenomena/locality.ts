/** Steps in between help where what was seen in training was local. */
import { fold, key } from "../src/key.ts";
import { random, type Random } from "../src/math/random.ts";
import { bootstrapMean, type Estimate } from "../src/measure/index.ts";
import { tabular } from "../src/models/tabular.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, fixed, judged, point, shown } from "./phenomenon.ts";
import { mean } from "./samples.ts";

const variables = 8;
/** Consecutive variables that one training sample shows. */
const windows = [2, 3, 4, 6, 8];
const trained = 2000;

/** Mean squared error over all questions, by window: asked at once, and with the variables in between written out. */
interface Row {
  readonly direct: readonly number[];
  readonly steps: readonly number[];
}

/** P(next = 1 | this = 0) and P(next = 1 | this = 1) for each variable but the last; the first is even. */
type Chain = readonly (readonly [number, number])[];

/** Neighbours are alike with a chance between 0.8 and 0.98, one for each value: the paper's strong local influence. */
const drawnChain = ({ uniform }: Random): Chain =>
  Array.from({ length: variables - 1 }, () => [0.2 - 0.18 * uniform(), 0.8 + 0.18 * uniform()] as const);

/** P(variable j = 1 | variable i = a), exactly. */
function truth(chain: Chain, i: number, a: number, j: number): number {
  let one = a;
  for (let at = i; at < j; at++) one = (1 - one) * (chain[at]?.[0] ?? 0) + one * (chain[at]?.[1] ?? 0);
  return one;
}

/** How often variable j was 1 beside variable i = a, and how often they were seen so; i = j counts variable j alone. */
class Counts {
  readonly #seen = new Float64Array(variables * variables * 4);

  add(i: number, a: number, j: number, b: number): void {
    const at = (i * variables + j) * 4 + a * 2 + b;
    this.#seen[at] = (this.#seen[at] as number) + 1;
  }

  /** Laplace's rule; undefined where the two were never shown together. */
  share(i: number, a: number, j: number): number | undefined {
    const at = (i * variables + j) * 4;
    const [zero, one] = [this.#seen[at + a * 2] as number, this.#seen[at + a * 2 + 1] as number];
    const pair = this.#seen.subarray(at, at + 4).some((count) => count > 0);
    return pair ? (one + 1) / (zero + one + 2) : undefined;
  }

  marginal(j: number): number {
    const at = (j * variables + j) * 4;
    return ((this.#seen[at + 3] as number) + 1) / ((this.#seen[at] as number) + (this.#seen[at + 3] as number) + 2);
  }
}

function train(chain: Chain, window: number, stream: Random): Counts {
  const counts = new Counts();
  for (let n = 0; n < trained; n++) {
    const values = [Number(stream.uniform() < 0.5)];
    for (const next of chain) values.push(Number(stream.uniform() < (next[values.at(-1) as 0 | 1] as number)));
    const start = stream.integer(variables - window + 1);
    for (let i = start; i < start + window; i++)
      for (let j = i; j < start + window; j++) counts.add(i, values[i] ?? 0, j, values[j] ?? 0);
  }
  return counts;
}

/**
 * A model of texts of 0 and 1, asked `i=a` for variable j: at once, or writing i + 1, …, j. Each character is conditioned on the last
 * one that is known, as the counts have it; where the two were never shown together, it has its marginal law.
 */
function estimate(counts: Counts, i: number, a: number, j: number, withSteps: boolean): number {
  const model = tabular({
    alphabet: "01.",
    maxLength: withSteps ? j - i : 1,
    conditional(text) {
      const [known, value] = text === "" ? [i, a] : [i + text.length, Number(text.at(-1))];
      const target = withSteps ? known + 1 : j;
      const one = counts.share(known, value, target) ?? counts.marginal(target);
      return [1 - one, one, 0];
    },
  });
  let sum = 0;
  for (const { text, logProb } of model.enumerate()) if (text.endsWith("1")) sum += Math.exp(logProb);
  return sum;
}

/** Pairs that are four or more apart. */
const questions = Array.from({ length: variables }, (_, i) => i).flatMap((i) =>
  Array.from({ length: Math.max(0, variables - i - 4) }, (_, d) => [i, i + 4 + d] as const),
);

const chains: Measurement<Row> = {
  name: "locality",
  units: { full: 200, quick: 12 },
  async measure(unit) {
    const place = fold(fold(key(1), "locality"), unit);
    const chain = drawnChain(random(place));
    const row = { direct: [] as number[], steps: [] as number[] };
    for (const window of windows) {
      const counts = train(chain, window, random(fold(place, window)));
      const error = (withSteps: boolean): number =>
        mean(
          questions.flatMap(([i, j]) =>
            [0, 1].map((a) => (estimate(counts, i, a, j, withSteps) - truth(chain, i, a, j)) ** 2),
          ),
        );
      row.direct.push(error(false));
      row.steps.push(error(true));
    }
    return row;
  },
};

export const stepsHelp: Phenomenon = {
  name: "locality",
  title: "Steps help where training was local",
  claim:
    "Writing out the variables in between helps to estimate relations that were never seen together, if training showed overlapping local neighbourhoods; where it showed everything at once, steps gain nothing.",
  source: "Prystawski, Li & Goodman 2023, Why think step by step?",
  arxiv: "2304.03843",
  method:
    "200 random chains of eight binary variables, neighbours alike with a chance between 0.8 and 0.98. An estimator counts pairs in 2,000 training samples, each of which shows w consecutive variables, and answers as a tabular model: at once, where a pair never seen together gets its marginal law, or by writing out the variables in between; all its texts are enumerated. Error: squared distance from the exact conditional probability, over pairs four or more apart. A first set-up, with tables from Beta(1/2, 1/2), was dropped after a look at 25 chains: four steps apart there was next to nothing left to estimate (errors of 0.0006), and steps gained nothing.",
  rule: "With windows of 3 the error of asking at once less that of steps lies above 0; and with windows of 8, the whole chain, what is left of that gap is less than a tenth of it.",
  remark:
    "The estimator has the paper's explanation built in: asked at once about a pair it never saw together, it can only give the marginal law. What is measured is how much the steps then recover, and that nothing is left to recover where everything was seen.",
  measurements: [chains],
  conclude(rows) {
    const all = rows(chains);
    const [local, whole] = [windows.indexOf(3), windows.indexOf(8)];
    const over = (of: (row: Row) => number): Estimate => bootstrapMean(all.map(of), { fewest: 2 });
    const gapAt = (row: Row, at: number): number => (row.direct[at] ?? 0) - (row.steps[at] ?? 0);
    const gap = over((row) => gapAt(row, local));
    const vanished = over((row) => gapAt(row, local) / 10 - Math.abs(gapAt(row, whole)));
    const points = (series: "direct" | "steps", name: string): Point[] =>
      windows.map((x, at) =>
        point(
          name,
          x,
          over((row) => row[series][at] ?? 0),
        ),
      );
    const text = (estimate: Estimate): string => shown(estimate, fixed(4));
    return {
      effects: [
        judged("simulated", "error at once less error with steps, windows of 3", gap, { unit: "squared error" }),
        judged("simulated", "a tenth of that gap less the gap with windows of 8", vanished, { unit: "squared error" }),
      ],
      statement: `With windows of 3 steps lower the squared error by ${text(gap)}, from ${text(over((row) => row.direct[local] ?? 0))} to ${text(over((row) => row.steps[local] ?? 0))}; with the whole chain in every sample the gap is ${text(over((row) => gapAt(row, whole)))}.`,
      table: {
        head: ["variables in a training sample", "asked at once", "with steps", "gap"],
        rows: windows.map((window, at) => [
          String(window),
          text(over((row) => row.direct[at] ?? 0)),
          text(over((row) => row.steps[at] ?? 0)),
          text(over((row) => gapAt(row, at))),
        ]),
      },
      panels: [
        curves(
          "Tabular estimators of a chain",
          { label: "variables that a training sample shows, of 8" },
          { label: "squared error of a conditional probability" },
          [...points("direct", "asked at once"), ...points("steps", "with steps")],
        ),
      ],
      units: `${all.length} chains, ${trained} training samples for each window; no model`,
      tokens: 0,
    };
  },
};
