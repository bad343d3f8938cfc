/**
 * What several phenomena share: the problems, the models, and pools of samples that are drawn once.
 *
 * Problems are held out and nobody selected them: number i of a task is the problem of the i-th key.
 */
import { fold, key } from "../src/key.ts";
import type { Estimate } from "../src/measure/index.ts";
import { bootstrapMean } from "../src/measure/index.ts";
import type { Model, Sampling } from "../src/model.ts";
import type { Node } from "../src/node.ts";
import { openModel } from "../src/open-model.ts";
import { text, type TextState } from "../src/policies/text.ts";
import type { Problem } from "../src/problem.ts";
import { run } from "../src/run.ts";
import { sample } from "../src/search/sampling/sample.ts";
import { isRightAnswer, type Task } from "../src/task.ts";
import { taskNamed } from "../src/tasks/index.ts";
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

function pool(modelName: string, taskName: string, n: { full: number; quick: number }): Measurement<PoolRow> {
  const task = taskNamed(taskName);
  return {
    name: `pool-${modelName}-${taskName}`,
    units: n,
    async measure(unit) {
      const problem = problemOf(task, unit);
      const samples = await drawn(await modelNamed(modelName), task, problem, { n: poolSize[modelName] ?? 1, seed: 1 });
      return { problem: problem.id, samples };
    },
  };
}

/** Samples a problem. */
const poolSize: Readonly<Record<string, number>> = { sapling: 64, seedling: 128 };

export const countdownPool: Measurement<PoolRow> = pool("sapling", "countdown", { full: 240, quick: 2 });
export const productPool: Measurement<PoolRow> = pool("sapling", "product-chain", { full: 240, quick: 2 });
export const seedlingPool: Measurement<PoolRow> = pool("seedling", "countdown", { full: 240, quick: 2 });

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

export const tokensOf = (rows: readonly PoolRow[]): number =>
  total(rows.map(({ samples }) => total(samples.map(({ tokens }) => tokens))));

export const total = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

export const mean = (values: readonly number[]): number => total(values) / values.length;

/** Problems below which nothing is bootstrapped; at 50 the intervals may be a little short. */
export const fewest = 50;

/** The mean over problems of what lies in [-bound, bound], as a difference of shares does, with its bootstrap interval. */
export const meanOver = (values: readonly number[], bound: number = 1): Estimate =>
  bootstrapMean(values, { within: { low: -bound, high: bound }, fewest });

/** The mean over problems of a share. */
export const shareOver = (values: readonly number[]): Estimate =>
  bootstrapMean(values, { within: { low: 0, high: 1 }, fewest });

/** `12.3 (10.0 to 14.8)`, shares in percent. */
export function shown(
  { value, low, high }: Estimate,
  percent: boolean = true,
  digits: number = percent ? 1 : 2,
): string {
  const one = (x: number): string => (percent ? 100 * x : x).toFixed(digits);
  if (value === undefined) return "–";
  return low === undefined || low === high ? one(value) : `${one(value)} (${one(low)} to ${one(high)})`;
}
