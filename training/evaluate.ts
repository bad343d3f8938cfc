/**
 * Held-out figures of a model file, with intervals: `node training/evaluate.ts --problems 500 --samples 64`.
 *
 * Problems are of the test split, which training never draws from; sampling is at temperature 1 with nothing cut off.
 * Writes sapling/evaluation.json, out of which training/card.ts fills the model card.
 *
 *     --model sapling/sapling.gguf   a file; may be given more than once  [both that ship]; figures of others stay
 *     --task countdown               a task; may be given more than once  [all]
 *     --problems 500                 problems of a base level; half as many of the others
 *     --samples 64                   samples a problem of countdown base; 16 of the other bases, 4 of other levels, if that is less
 *     --engine llama-cpp | llama-js  [llama-cpp, which is some ten times as fast]
 *     --out sapling/evaluation.json
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { fold, type Key, key } from "../src/key.ts";
import type { Problem } from "../src/problem.ts";
import type { Task } from "../src/task.ts";
import { countdown, productChain, swapSort, taskNamed } from "../src/tasks/index.ts";
import { answers, type Engine, openModel, valueOf } from "./sampler.ts";
import { aucOf, type Bin, brier, type Figure, type Labelled, mean, passAtK, reliability, share } from "./statistics.ts";

export interface Solving {
  readonly greedy: Figure;
  /** By number of samples. */
  readonly passAt: Readonly<Record<string, Figure>>;
}

export interface Voting {
  /** By the final number alone, as votes are counted. */
  readonly greedy: Figure;
  readonly single: Figure;
  readonly majority: Readonly<Record<string, Figure>>;
  /** Majority less greedy, paired by problem. */
  readonly gain: Readonly<Record<string, Figure>>;
}

export interface Value {
  readonly partials: number;
  readonly auc: Figure | undefined;
  /** By number of whole steps. */
  readonly aucAtDepth: Readonly<Record<string, Figure | undefined>>;
  readonly brier: { readonly brier: number; readonly baseRate: number; readonly ofBaseRate: number };
  readonly reliability: readonly Bin[];
}

export interface Evaluation {
  readonly solving: Readonly<Record<string, Solving>>;
  readonly voting: Readonly<Record<string, Voting>>;
  readonly value: Readonly<Record<string, Value>>;
  /** The answer that the value read-out likes most among 16 samples. */
  readonly chosenByValue?: Figure;
}

const seed = key(20);

const problemsOf = (task: Task, level: string, count: number): { problem: Problem; place: Key }[] =>
  Array.from({ length: count }, (_, i) => {
    const place = fold(fold(fold(seed, task.name), level), i);
    return { problem: task.make(place, { level, split: "test" }), place };
  });

interface Drawn {
  readonly problem: Problem;
  readonly greedy: string;
  readonly samples: readonly string[];
}

async function draw(model: Engine, task: Task, level: string, problems: number, samples: number): Promise<Drawn[]> {
  const drawn: Drawn[] = [];
  for (const { problem, place } of problemsOf(task, level, problems)) {
    const prompt = problem.prompt as string;
    const [greedy] = (await answers(model, prompt, { count: 1, temperature: 0, key: place })) as [string];
    drawn.push({
      problem,
      greedy,
      samples: await answers(model, prompt, { count: samples, temperature: 1, key: fold(place, "samples") }),
    });
  }
  return drawn;
}

export function solvingOf(task: Task, drawn: readonly Drawn[]): Solving {
  const right = drawn.map(({ problem, samples }) => samples.filter((text) => task.check(problem, text).correct).length);
  const n = drawn[0]?.samples.length ?? 0;
  const passAt: Record<string, Figure> = {};
  for (const k of [1, 4, 16, 64].filter((k) => k <= n))
    passAt[k] = k === n ? share(right.map((c) => c > 0)) : mean(right.map((c) => passAtK(n, c, k)));
  return { greedy: share(drawn.map(({ problem, greedy }) => task.check(problem, greedy).correct)), passAt };
}

/** The most frequent answer; ties go to the one drawn first. */
function majority(votes: readonly (string | undefined)[]): string | undefined {
  const counts = new Map<string, number>();
  for (const vote of votes) if (vote !== undefined) counts.set(vote, (counts.get(vote) ?? 0) + 1);
  return [...counts].reduce<[string, number] | undefined>(
    (best, next) => (best === undefined || next[1] > best[1] ? next : best),
    undefined,
  )?.[0];
}

function votingOf(task: Task, drawn: readonly Drawn[]): Voting {
  const isRight = ({ problem }: Drawn, vote: string | undefined): boolean => vote === problem.reference;
  const votes = drawn.map(({ problem, samples }) => samples.map((text) => task.canonical(problem, text)));
  const greedy = drawn.map((one) => isRight(one, task.canonical(one.problem, one.greedy)));
  const single = drawn.map((one, i) => isRight(one, votes[i]?.[0]));
  const sizes = [4, 16, 64].filter((size) => size <= (votes[0]?.length ?? 0));
  const voted = sizes.map(
    (size) => [size, drawn.map((one, i) => isRight(one, majority((votes[i] ?? []).slice(0, size))))] as const,
  );
  return {
    greedy: share(greedy),
    single: share(single),
    majority: Object.fromEntries(voted.map(([size, right]) => [size, share(right)])),
    gain: Object.fromEntries(
      voted.map(([size, right]) => [size, mean(right.map((won, i) => Number(won) - Number(greedy[i])))]),
    ),
  };
}

const linesOf = (text: string): string[] => text.split(/(?<=\n)/).filter((line) => line.endsWith("\n"));

/** All distinct partial answers among the first few samples of each problem, as the model writes them: on-policy. */
async function valueFigures(model: Engine, task: Task, drawn: readonly Drawn[]): Promise<Value> {
  const perProblem: (Labelled & { depth: number })[][] = [];
  for (const { problem, samples } of drawn) {
    const partials = new Set<string>();
    for (const text of samples.slice(0, 4))
      for (const [n, lines] of linesOf(text).entries())
        if (n < 8) partials.add(linesOf(text).slice(0, n).join("") + lines);
    const items = [...partials].map(async (steps) => ({
      probability: await valueOf(model, problem.prompt as string, steps),
      label: task.solvable(problem, steps),
      depth: linesOf(steps).length,
    }));
    perProblem.push(await Promise.all(items));
  }
  const all = perProblem.flat();
  const depths = [...new Set(all.map(({ depth }) => depth))].sort((a, b) => a - b);
  return {
    partials: all.length,
    auc: aucOf(perProblem),
    aucAtDepth: Object.fromEntries(
      depths.map((depth) => [depth, aucOf(perProblem.map((items) => items.filter((item) => item.depth === depth)))]),
    ),
    brier: brier(all),
    reliability: reliability(all),
  };
}

async function chosenByValue(model: Engine, task: Task, drawn: readonly Drawn[]): Promise<Figure> {
  const right: boolean[] = [];
  for (const { problem, samples } of drawn) {
    const texts = samples.slice(0, 16);
    const values = await Promise.all(texts.map((text) => valueOf(model, problem.prompt as string, text)));
    right.push(task.check(problem, texts[values.indexOf(Math.max(...values))] as string).correct);
  }
  return share(right);
}

async function evaluate(model: Engine, tasks: readonly Task[], problems: number, samples: number): Promise<Evaluation> {
  const samplesOf = (task: Task, level: string): number =>
    Math.min(samples, level !== "base" ? 4 : task === countdown ? 64 : 16);
  const say = (what: string): void => console.error(`${new Date().toISOString().slice(11, 19)} ${model.id}: ${what}`);
  const solving: Record<string, Solving> = {};
  const voting: Record<string, Voting> = {};
  const value: Record<string, Value> = {};
  const drawings = new Map<Task, Drawn[]>();
  for (const task of tasks)
    for (const level of Object.keys(task.levels)) {
      say(`${task.name} ${level}`);
      const drawn = await draw(
        model,
        task,
        level,
        level === "base" ? problems : Math.ceil(problems / 2),
        samplesOf(task, level),
      );
      if (level === "base") drawings.set(task, drawn);
      solving[`${task.name} ${level}`] = solvingOf(task, drawn);
      if (task === productChain) voting[`${task.name} ${level}`] = votingOf(task, drawn);
    }
  for (const [task, drawn] of drawings) {
    say(`value of partial answers, ${task.name}`);
    value[task.name] = await valueFigures(model, task, drawn);
  }
  const played = drawings.get(countdown);
  if (played !== undefined) say("choice by value");
  return { solving, voting, value, ...(played && { chosenByValue: await chosenByValue(model, countdown, played) }) };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      model: { type: "string", multiple: true, default: ["sapling/sapling.gguf", "sapling/seedling.gguf"] },
      problems: { type: "string", default: "500" },
      samples: { type: "string", default: "64" },
      task: { type: "string", multiple: true, default: [countdown, productChain, swapSort].map(({ name }) => name) },
      engine: { type: "string", default: "llama-cpp" },
      out: { type: "string", default: "sapling/evaluation.json" },
    },
  });
  const [problems, samples] = [Number(values.problems), Number(values.samples)];
  for (const path of values.model) {
    await using model = (await openModel(path, values.engine)) as Engine & AsyncDisposable;
    const found = await evaluate(model, values.task.map(taskNamed), problems, samples);
    const name = basename(path, ".gguf");
    const models: Record<string, Evaluation> = existsSync(values.out)
      ? JSON.parse(readFileSync(values.out, "utf8")).models
      : {};
    const old = models[name];
    models[name] = {
      ...old,
      ...found,
      solving: { ...old?.solving, ...found.solving },
      voting: { ...old?.voting, ...found.voting },
      value: { ...old?.value, ...found.value },
    };
    writeFileSync(values.out, `${JSON.stringify({ problems, samples, engine: values.engine, models }, null, 1)}\n`);
  }
}
