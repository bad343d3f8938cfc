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
import { curves, fixed, judged, point, shown } from "./phenomenon.ts";
import { mean, meanOver, minus, nodeOf, type PoolRow, problemOf, productPool, shareOver, tokensOf } from "./samples.ts";

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

/** Of the log of the mean error between n = 8 and 64, to be bootstrapped. */
function slope(rows: readonly Row[], of: keyof Row): (counts: ArrayLike<number>) => number {
  const [few, many] = [8, 64].map((n) => rows.map((row) => row[of][ns.indexOf(n)] ?? 0)) as [number[], number[]];
  return (counts) => Math.log(mean(many, counts) / mean(few, counts)) / Math.log(64 / 8);
}

const ways = ["voted", "summed", "pruned"] as const;
type Way = (typeof ways)[number];

/** Share of groups of n of a problem's samples whose answer is right, by each way to make one of many. */
function accuracies({ samples }: PoolRow, unit: number, n: number): Record<Way, number> {
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
  const rate = (name: Way): number =>
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
    "An estimate of the law of answers that sums the model's probabilities of the distinct chains sampled (perplexity consistency; RPC drops improbable ones too) converges exponentially in the number of samples, where the squared error of a vote falls like 1/n; accuracy is higher at equal n, or equal at fewer.",
  source: "Zhou et al. 2025, Bridging Internal Probability and Self-Consistency",
  arxiv: "2502.00511",
  method:
    "400 simulated laws of 25 chains and five answers, where the true law is known: squared error of both estimates against n. Sapling: groups of n of 64 samples on 240 product chains, where the final number counts.",
  rule: "Simulated: between n = 8 and 64 the log-log slope of the error is steeper than the vote's by more than 0.5. Sapling: at n = 16 RPC is right more often than the majority vote.",
  remark:
    "The law of answers converges as claimed where chains repeat. On sapling most chains are drawn once, so that a sum over those seen is far from complete, and nothing is left of the gain at 16.",
  measurements: [simulated, productPool],
  conclude(rows) {
    const worlds = rows(simulated);
    const [ofVotes, ofSums] = [slope(worlds, "voted"), slope(worlds, "summed")];
    const slopeOf = (statistic: (counts: ArrayLike<number>) => number): Estimate => bootstrap(worlds.length, statistic);
    const steeper = slopeOf((counts) => ofVotes(counts) - ofSums(counts));
    const drawn = rows(productPool);
    const few = [1, 2, 4, 8, 16, 32, 64];
    const byN = new Map(few.map((n) => [n, drawn.map((row, i) => accuracies(row, i, n))]));
    const right = (of: Way, n: number): number[] => (byN.get(n) ?? []).map((one) => one[of]);
    const gain = (of: Way): Estimate => meanOver(minus(right(of, 16), right("voted", 16)));
    const distinct = mean(drawn.map(({ samples }) => new Set(samples.map(({ text }) => text)).size / samples.length));
    const errors = (series: string, of: keyof Row): Point[] =>
      ns.flatMap((x, i) => {
        const y = mean(worlds.map((row) => row[of][i] ?? 0));
        return y > 1e-9 ? [{ series, x, y }] : []; // others have no logarithm
      });
    const points = (series: string, of: Way): Point[] => few.map((n) => point(series, n, shareOver(right(of, n))));
    const x = { label: "samples n", log: true };
    return {
      effects: [
        judged("simulated", "slope of the vote's error less that of summed probabilities, n = 8 to 64", steeper, {
          unit: "slope",
          margin: 0.5,
        }),
        judged("sapling", "RPC less majority vote, n = 16", gain("pruned")),
      ],
      statement: `Simulated, the slope of the vote's error is ${shown(slopeOf(ofVotes), fixed(2))}, that of summed probabilities ${shown(slopeOf(ofSums), fixed(2))}. On sapling at n = 16 RPC gains ${shown(gain("pruned"))} points over the vote, without pruning ${shown(gain("summed"))}; of its 64 chains to a problem ${(100 * distinct).toFixed(0)} percent are distinct.`,
      table: {
        head: ["n", "right, sapling: majority vote", "summed probabilities", "RPC"],
        rows: few.map((n) => [String(n), ...ways.map((of) => shown(shareOver(right(of, n))))]),
      },
      panels: [
        curves("Simulated, 25 chains to 5 answers", x, { label: "squared error of the law of answers", log: true }, [
          ...errors("vote", "voted"),
          ...errors("summed", "summed"),
        ]),
        curves("Sapling, product chains", x, { label: "right", percent: true }, [
          ...points("RPC", "pruned"),
          ...points("summed", "summed"),
          ...points("vote", "voted"),
        ]),
      ],
      units: `${worlds.length} laws of 256 draws; ${drawn.length} problems of 64 samples, one seed`,
      tokens: tokensOf(drawn),
    };
  },
};
