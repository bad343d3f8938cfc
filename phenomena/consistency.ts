/** Summing the probabilities of distinct chains estimates the law of answers faster than counting votes. */
import { majority } from "../src/aggregators/majority.ts";
import { rpc } from "../src/aggregators/rpc.ts";
import { fold, key } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import { drawGamma } from "../src/math/distributions.ts";
import { bootstrap, type Estimate } from "../src/measure/index.ts";
import type { TextState } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { vote } from "../src/search/sampling/vote.ts";
import { productChain } from "../src/tasks/index.ts";
import { type SimulatedReply, simulatedSolver, type SimulatedState } from "../src/testing/simulated-solver.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { judged } from "./phenomenon.ts";
import { mean, meanOver, nodeOf, type PoolRow, problemOf, productPool, shareOver, shown, tokensOf } from "./samples.ts";

const answers = 5;
const chainsPerAnswer = 5;
const ns = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** Squared error of the estimated law of answers, summed over answers, by n. */
interface Row {
  readonly voted: readonly number[];
  readonly summed: readonly number[];
}

/** Probabilities of 25 chains from a uniform Dirichlet law; five of them lead to each answer. */
function lawOf(unit: number): SimulatedReply[] {
  const stream = random(fold(fold(key(1), "consistency"), unit));
  const weights = Array.from({ length: answers * chainsPerAnswer }, () => drawGamma(1, stream));
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight, i) => ({
    answer: `answer ${i % answers}`,
    chain: `chain ${i}`,
    probability: weight / all,
  }));
}

const simulated: Measurement<Row> = {
  name: "consistency-simulated",
  units: { full: 400, quick: 100 },
  async measure(unit) {
    const law = lawOf(unit);
    const canonical = ({ state }: { readonly state: SimulatedState }): string => state.answer;
    const counted = majority<SimulatedState>({ canonical });
    const summed = rpc<SimulatedState>({ canonical, distinct: ({ chain }) => chain, prune: false });
    const problem = { id: String(unit), prompt: "" };
    const { outcome } = await run(vote({ aggregator: counted, n: Math.max(...ns) }), problem, {
      policy: simulatedSolver({ law }),
      seed: unit,
    });
    const drawn = outcome?.candidates ?? [];
    const errorOf = (tally: readonly { readonly answer: string; readonly weight: number }[], scale: number): number =>
      Array.from({ length: answers }, (_, i) => `answer ${i}`).reduce((sum, answer) => {
        const truth = law.reduce((p, reply) => p + (reply.answer === answer ? reply.probability : 0), 0);
        const weight = tally.find((one) => one.answer === answer)?.weight ?? 0;
        return sum + (weight * scale - truth) ** 2;
      }, 0);
    return {
      voted: ns.map((n) => errorOf(counted.aggregate(drawn.slice(0, n)).tally, 1 / n)),
      summed: ns.map((n) => errorOf(summed.aggregate(drawn.slice(0, n)).tally, 1)),
    };
  },
};

/** Slope of the log of the mean error between two n, by the bootstrap over problems; of the second curve less the first. */
function slope(
  rows: readonly Row[],
  of: (row: Row) => readonly number[],
  from: number,
  to: number,
  counts: ArrayLike<number>,
): number {
  const at = (n: number): number =>
    rows.reduce((sum, row, i) => sum + (counts[i] as number) * (of(row)[ns.indexOf(n)] ?? 0), 0);
  return Math.log(at(to) / at(from)) / Math.log(to / from);
}

/** Share of groups of n of a problem's samples whose answer is right, by each way to make one of many. */
function accuracies({ samples }: PoolRow, unit: number, n: number): { voted: number; summed: number; pruned: number } {
  const problem = problemOf(productChain, unit);
  const canonical = ({ state }: { readonly state: TextState }): string | undefined =>
    productChain.canonical(problem, state.text);
  const distinct = ({ text }: TextState): string => text;
  const aggregators = {
    voted: majority<TextState>({ canonical }),
    summed: rpc<TextState>({ canonical, distinct, prune: false }),
    pruned: rpc<TextState>({ canonical, distinct }),
  };
  const nodes = samples.map(nodeOf);
  const groups = Array.from({ length: Math.floor(nodes.length / n) }, (_, g) => nodes.slice(g * n, (g + 1) * n));
  const rate = (name: keyof typeof aggregators): number =>
    mean(
      groups.map((group) => {
        const { answer } = aggregators[name].aggregate(group);
        return Number(answer !== undefined && canonical(answer) === problem.reference);
      }),
    );
  return { voted: rate("voted"), summed: rate("summed"), pruned: rate("pruned") };
}

export const perplexityConsistency: Phenomenon = {
  name: "consistency",
  title: "Probabilities of chains converge faster than votes",
  claim:
    "An estimate of the law of answers that sums the model's probabilities of the distinct chains sampled (perplexity consistency; RPC drops improbable ones too) converges exponentially in the number of samples, where a vote's error falls like 1/n; accuracy is higher at equal n.",
  source: {
    text: "Zhou et al. 2025, Bridging Internal Probability and Self-Consistency",
    url: "https://arxiv.org/abs/2502.00511",
  },
  method:
    "400 simulated laws of 25 chains and five answers, where the true law is known: squared error of both estimates against n. Sapling: groups of n of 64 samples on 240 product chains, where the final number counts.",
  rule: "Simulated: between n = 8 and 64 the log-log slope of the error is steeper than the vote's by more than 0.5. Sapling: at n = 16 RPC is right more often than the majority vote.",
  why: "The law of answers converges as claimed where chains repeat. Sapling reaches a number in so many ways that hardly one chain is drawn twice, so that a sum of probabilities is far from complete; what it gains over a vote of 2 to 8 samples is gone at 16.",
  measurements: [simulated, productPool],
  conclude(rows) {
    const worlds = rows(simulated);
    const steeper = bootstrap(
      worlds.length,
      (counts) =>
        slope(worlds, ({ voted }) => voted, 8, 64, counts) - slope(worlds, ({ summed }) => summed, 8, 64, counts),
    );
    const slopeOf = (of: (row: Row) => readonly number[]): Estimate =>
      bootstrap(worlds.length, (counts) => slope(worlds, of, 8, 64, counts));
    const drawn = rows(productPool);
    const few = [1, 2, 4, 8, 16, 32, 64];
    const byN = new Map(few.map((n) => [n, drawn.map((row, i) => accuracies(row, i, n))]));
    const at16 = byN.get(16) ?? [];
    const gain = meanOver(at16.map(({ pruned, voted }) => pruned - voted));
    const gainOfSum = meanOver(at16.map(({ summed, voted }) => summed - voted));
    const errors = (series: string, of: (row: Row) => readonly number[]): Point[] =>
      ns.flatMap((x, i) => {
        const y = mean(worlds.map((row) => of(row)[i] ?? 0));
        return y > 1e-9 ? [{ series, x, y }] : [];
      });
    const points = (series: string, of: keyof ReturnType<typeof accuracies>): Point[] =>
      few.map((x) => {
        const { value, low, high } = shareOver((byN.get(x) ?? []).map((one) => one[of]));
        return { series, x, y: value ?? 0, low, high };
      });
    return {
      effects: [
        judged({
          name: "slope of the vote's error less that of summed probabilities, n = 8 to 64",
          world: "simulated",
          unit: "slope",
          estimate: steeper,
          margin: 0.5,
        }),
        judged({ name: "RPC less majority vote, n = 16", world: "sapling", unit: "points", estimate: gain }),
      ],
      statement: `Simulated, the slope of the vote's error is ${shown(
        slopeOf(({ voted }) => voted),
        false,
      )}, that of summed probabilities ${shown(
        slopeOf(({ summed }) => summed),
        false,
      )}. On sapling at n = 16 RPC gains ${shown(gain)} points over the vote, without pruning ${shown(gainOfSum)}.`,
      table: {
        head: ["n", "majority vote", "summed probabilities", "RPC"],
        rows: few.map((n) => [
          String(n),
          ...(["voted", "summed", "pruned"] as const).map((of) =>
            shown(shareOver((byN.get(n) ?? []).map((one) => one[of]))),
          ),
        ]),
      },
      panels: [
        {
          kind: "curves",
          title: "Simulated, 25 chains to 5 answers",
          x: { label: "samples n", log: true },
          y: { label: "squared error of the law of answers", log: true },
          points: [...errors("vote", ({ voted }) => voted), ...errors("summed", ({ summed }) => summed)],
        },
        {
          kind: "curves",
          title: "Sapling, product chains",
          x: { label: "samples n", log: true },
          y: { label: "right", percent: true },
          points: [...points("RPC", "pruned"), ...points("summed", "summed"), ...points("vote", "voted")],
        },
      ],
      outlay: {
        units: `${worlds.length} laws of 256 draws; ${drawn.length} problems of 64 samples, one seed`,
        tokens: tokensOf(drawn),
      },
    };
  },
};
