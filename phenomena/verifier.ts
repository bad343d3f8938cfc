/** With a verifier that errs, accuracy has a ceiling, and the best number of samples is small. */
import { betaQuantile } from "../src/math/beta.ts";
import { bestAttempts, bootstrap, passAtK, resample } from "../src/measure/index.ts";
import type { TextState } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { rankOf } from "../src/scorer.ts";
import { simulated } from "../src/scorers/simulated.ts";
import { verifier } from "../src/scorers/verifier.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { countdown } from "../src/tasks/index.ts";
import { simulatedSolver, successLaw } from "../src/testing/simulated-solver.ts";
import { difficulty } from "./coverage.ts";
import type { Axis, Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, exactly, fixed, judged, percent, point, shown } from "./phenomenon.ts";
import {
  countdownPool,
  mean,
  meanOver,
  nodeOf,
  type PoolRow,
  problemOf,
  shareOver,
  tokensOf,
  truth,
} from "./samples.ts";

const rates = { tpr: 0.95, fpr: 0.2 };
/** A wrong answer costs as much as a right one gains. */
const costOfWrong = 1;
const ks = [1, 2, 4, 8, 16, 32, 64];
const closed = 400;

/** Evenly spaced quantiles of the law of difficulty: no chance in it. */
const successOf = Array.from({ length: closed }, (_, i) =>
  betaQuantile((i + 0.5) / closed, difficulty.a, difficulty.b),
);

interface Row {
  readonly right: boolean;
  readonly accepted: boolean;
}

/** The closed form once more, by the search itself: best of 16 under a verifier with these rates. */
const searched: Measurement<Row> = {
  name: "verifier-simulated",
  units: { full: closed, quick: 100 },
  async measure(unit) {
    const policy = simulatedSolver({ law: successLaw(successOf[unit] ?? 0) });
    const scorer = simulated({ truth, truePositive: rates.tpr, falsePositive: rates.fpr, fresh: true });
    const { answer } = await run(bestOfN({ n: 16, scorer }), { id: String(unit), prompt: "" }, { policy, seed: unit });
    return {
      right: answer?.state.answer === "right",
      accepted: answer?.score !== undefined && rankOf(answer.score) === 1,
    };
  },
};

/** The samples of a problem by what the erring verifier says: how many it accepts, and the share of right ones among these. */
interface Accepted {
  readonly samples: number;
  readonly accepted: number;
  readonly rightShare: number;
  readonly correct: number;
}

async function acceptedOf({ samples }: PoolRow, unit: number): Promise<Accepted> {
  const problem = problemOf(countdown, unit);
  const erring = simulated({
    truth: verifier<TextState>(countdown),
    truePositive: rates.tpr,
    falsePositive: rates.fpr,
    seed: 3,
  });
  const { signal } = new AbortController();
  let [accepted, right] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    const judgement = await erring.score(nodeOf(sample, i), { problem, text: ({ text }) => text, seed: 0, signal });
    if (rankOf("score" in judgement ? judgement.score : judgement) !== 1) continue;
    accepted++;
    if (sample.right) right++;
  }
  const correct = samples.filter((sample) => sample.right).length;
  return { samples: samples.length, accepted, rightShare: accepted > 0 ? right / accepted : 0, correct };
}

/** P(one of k is accepted); the first of these is the answer, and each of them is so equally often over all orders. */
const answered = ({ samples, accepted }: Accepted, k: number): number =>
  passAtK({ samples, correct: accepted }, k).value ?? 0;
const rightAt = (of: Accepted, k: number): number => answered(of, k) * of.rightShare;
const utilityAt = (of: Accepted, k: number): number =>
  answered(of, k) * (of.rightShare - costOfWrong * (1 - of.rightShare));

export const imperfectVerifier: Phenomenon = {
  name: "verifier",
  title: "A verifier that errs caps accuracy",
  claim:
    "Resampling until an imperfect verifier accepts runs into a ceiling that no number of samples lifts; and where a wrong answer costs something, the best number of samples is finite and often below ten.",
  source: "Stroebl, Kapoor & Narayanan 2024, Inference Scaling fLaws",
  arxiv: "2411.17501",
  method:
    "A verifier that accepts 95 percent of right answers and 20 percent of wrong ones. Simulated: the closed form over 400 rates of success, the quantiles of Beta(0.4, 1.6), and best of 16 run against it. Sapling: 64 samples of each of 240 countdown problems, the errors planted by answer, so that the same text is always judged the same way.",
  rule: "In both: at the largest N (simulated: 10,000; sapling: 64) the share of problems with a right accepted answer is more than 10 points below that of a perfect verifier; and the N of highest utility, a wrong answer costing as much as a right one gains, is below ten (sapling: the whole bootstrap interval of it).",
  remark:
    "How low the ceiling and the best N are depends on the rates, which are ours: with one sample in five right and one wrong answer in five accepted, about half of what is accepted is wrong. The simulated half is a closed form; that the search obeys it is what the run of best of 16 shows.",
  measurements: [searched, countdownPool],
  async conclude(rows) {
    const perfect = (n: number): number => mean(successOf.map((p) => -Math.expm1(n * Math.log1p(-p))));
    const options = { ...rates, costOfWrong };
    const at = (n: number): ReturnType<typeof resample> => resample(successOf, n, options);
    const best = bestAttempts(successOf, options);
    const checked = rows(searched);
    const run16 = shareOver(checked.map(({ right, accepted }) => Number(right && accepted)));
    const expected16 = resample(successOf.slice(0, checked.length), 16, options).right;

    const drawn = rows(countdownPool);
    const pool = await Promise.all(drawn.map(acceptedOf));
    const lost = meanOver(pool.map((one) => (passAtK(one, 64).value ?? 0) - rightAt(one, 64)));
    const utilities = Array.from({ length: 65 }, (_, k) => pool.map((one) => (k === 0 ? 0 : utilityAt(one, k))));
    const bestOf = (counts: ArrayLike<number>): number => {
      const means = utilities.map((of) => mean(of, counts));
      return means.findIndex((utility) => utility >= Math.max(...means) - 1e-9);
    };
    const bestOfSapling = bootstrap(pool.length, bestOf, { resamples: 1000 });
    const few =
      bestOfSapling.low === undefined
        ? bestOfSapling
        : { value: 10 - bestOfSapling.value, low: 10 - bestOfSapling.high, high: 10 - bestOfSapling.low };
    const lines = (series: string, of: (one: Accepted, k: number) => number): Point[] =>
      ks.map((x) => point(series, x, meanOver(pool.map((one) => of(one, x)))));
    const many = [...ks, 256, 1024];
    const x = { label: "samples N", log: true };
    const y: Axis = { label: "share of problems", percent: true, domain: [-0.4, 1] };
    return {
      effects: [
        judged("simulated", "perfect verifier less this one, N = 10,000", exactly(perfect(10_000) - at(10_000).right), {
          margin: 0.1,
        }),
        judged("simulated", "10 less the N of highest utility", exactly(10 - best.attempts), { unit: "samples" }),
        judged("sapling", "perfect verifier less this one, N = 64", lost, { margin: 0.1 }),
        judged("sapling", "10 less the N of highest utility", few, { unit: "samples" }),
      ],
      statement: `Simulated, a perfect verifier would come to ${percent(perfect(10_000))} percent at N = 10,000, this one stays at ${percent(at(10_000).right)}; the best N is ${best.attempts}. On sapling it loses ${shown(lost)} points at N = 64, and the best N is ${shown(bestOfSapling, fixed(0))}, 0 being to answer nothing. Best of 16 as it was run gives ${shown(run16)} percent right and accepted, the closed form ${percent(expected16)}.`,
      table: {
        head: ["N", "perfect, simulated", "this verifier", "utility", "perfect, sapling", "this verifier", "utility"],
        rows: ks.map((k) => [
          String(k),
          percent(perfect(k)),
          percent(at(k).right),
          percent(at(k).utility),
          shown(shareOver(pool.map((one) => passAtK(one, k).value ?? 0))),
          shown(shareOver(pool.map((one) => rightAt(one, k)))),
          shown(meanOver(pool.map((one) => utilityAt(one, k)))),
        ]),
      },
      panels: [
        curves("Simulated, closed form", x, y, [
          ...many.map((n) => point("perfect verifier", n, exactly(perfect(n)))),
          ...many.map((n) => point("this verifier", n, exactly(at(n).right))),
          ...many.map((n) => point("right less wrong", n, exactly(at(n).utility))),
        ]),
        curves("Sapling, countdown", x, y, [
          ...lines("perfect verifier", (one, k) => passAtK(one, k).value ?? 0),
          ...lines("this verifier", rightAt),
          ...lines("right less wrong", utilityAt),
        ]),
      ],
      units: `${closed} rates in closed form, ${checked.length} runs against it; ${drawn.length} problems of 64 samples, one seed`,
      tokens: tokensOf(drawn),
    };
  },
};
