/**
 * What several phenomena share: the problems, the models, and pools of samples that are drawn once.
 *
 * Problems are held out and nobody selected them: number i of a task is the problem of the i-th key. Of the 240 of countdown two
 * come twice.
 */
import { fold, key } from "../src/key.ts";
import type { Estimate } from "../src/measure/index.ts";
import { bootstrapMean, passAtK, type Tally } from "../src/measure/index.ts";
import type { Model, Sampling } from "../src/model.ts";
import type { Node } from "../src/node.ts";
import { openModel } from "../src/open-model.ts";
import { text, type TextState } from "../src/policies/text.ts";
import type { Problem } from "../src/problem.ts";
import { run, type RunOptions } from "../src/run.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Search } from "../src/search.ts";
import { sample } from "../src/search/sampling/sample.ts";
import { isRightAnswer, type Task } from "../src/task.ts";
import { taskNamed } from "../src/tasks/index.ts";
import type { SimulatedState } from "../src/testing/simulated-solver.ts";
import type { Measurement } from "./phenomenon.ts";

/** Longest answers have some 50 tokens. */
export const maxTokens = 60;

export const problemOf = (task: Task, unit: number): Problem =>
  task.make(fold(fold(key(1), "phenomena"), unit), { split: "test" });

const opened = new Map<string, Promise<Model>>();

/** Each opened once a thread. */
export function modelNamed(name: string): Promise<Model> {
  const model = opened.get(name) ?? openModel(name);
  opened.set(name, model);
  return model;
}

/** A run, and whether its answer is right. */
export async function solve(
  search: Search<TextState>,
  task: Task,
  problem: Problem,
  options: RunOptions<TextState>,
): Promise<{ right: boolean; tokens: number }> {
  const { text: answer, spent } = await run(search, problem, options);
  return { right: answer !== undefined && isRightAnswer(task, problem, answer), tokens: spent.tokens };
}

/** Of simulated solvers. */
export const truth: Scorer<SimulatedState> = {
  name: "truth",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === "right" }),
};

export interface Sample {
  readonly text: string;
  /** What votes are counted for; null where the answer states no result. */
  readonly answer: string | null;
  readonly right: boolean;
  readonly logProb: number;
  readonly tokens: number;
}

export interface PoolRow {
  readonly problem: string;
  readonly samples: readonly Sample[];
}

export async function drawn(
  model: Model,
  task: Task,
  problem: Problem,
  { n, seed, ...sampling }: Sampling & { readonly n: number; readonly seed: number },
): Promise<Sample[]> {
  const policy = text(model, { maxTokens, stream: false, ...sampling });
  const { outcome } = await run(sample<TextState>({ n }), problem, { policy, seed });
  return (outcome?.candidates ?? []).map(({ state, totalLogProb, length }) => ({
    text: state.text,
    answer: task.canonical(problem, state.text) ?? null,
    right: isRightAnswer(task, problem, state.text),
    logProb: totalLogProb,
    tokens: length,
  }));
}

/** `n`: samples of a problem. */
function pool(modelName: string, taskName: string, n: number): Measurement<PoolRow> {
  const task = taskNamed(taskName);
  return {
    name: `pool-${modelName}-${taskName}`,
    units: { full: 240, quick: 1 },
    async measure(unit) {
      const problem = problemOf(task, unit);
      return { problem: problem.id, samples: await drawn(await modelNamed(modelName), task, problem, { n, seed: 1 }) };
    },
  };
}

export const countdownPool: Measurement<PoolRow> = pool("sapling", "countdown", 64);
export const productPool: Measurement<PoolRow> = pool("sapling", "product-chain", 64);
export const seedlingPool: Measurement<PoolRow> = pool("seedling", "countdown", 128);

/** A sample as a finished answer of a run, for aggregators and scorers. */
export const nodeOf = (sample: Sample, index: number): Node<TextState> => ({
  id: `0#${index}`,
  parent: undefined,
  state: { prompt: "", text: sample.text, length: sample.tokens, finish: "end" },
  depth: 1,
  logProb: sample.logProb,
  logProposal: sample.logProb,
  totalLogProb: sample.logProb,
  length: sample.tokens,
  done: true,
  failure: undefined,
  score: undefined,
});

/** For tallies and votes. */
export const candidatesOf = (samples: readonly Sample[]): { correct: boolean; answer: string | undefined }[] =>
  samples.map(({ right, answer }) => ({ correct: right, answer: answer ?? undefined }));

export const tokensOf = (rows: readonly PoolRow[]): number =>
  total(rows.map(({ samples }) => total(samples.map(({ tokens }) => tokens))));

export const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** `counts`: how often each value was drawn, by a bootstrap. */
export function mean(values: readonly number[], counts?: ArrayLike<number>): number {
  if (!counts) return total(values) / values.length;
  let [sum, size] = [0, 0];
  for (const [i, value] of values.entries()) {
    sum += (counts[i] as number) * value;
    size += counts[i] as number;
  }
  return sum / size;
}

/** Of pairs. */
export const minus = (a: readonly number[], b: readonly number[]): number[] => a.map((value, i) => value - (b[i] ?? 0));

/** Covered by k of the samples: pass@k of each problem. */
export const covered = (tallies: readonly Tally[], k: number): number[] =>
  tallies.map((one) => passAtK(one, k).value ?? 0);

/** Problems below which nothing is bootstrapped; at 50 the intervals may be a little short. */
export const fewest = 50;

/** The mean over problems of what lies in [-bound, bound], as a difference of shares does, with its bootstrap interval. */
export const meanOver = (values: readonly number[], bound: number = 1): Estimate =>
  bootstrapMean(values, { within: { low: -bound, high: bound }, fewest });

/** The mean over problems of a share. */
export const shareOver = (values: readonly number[]): Estimate =>
  bootstrapMean(values, { within: { low: 0, high: 1 }, fewest });
