/** `ponderosa pool`: draws many samples of each of a task's problems once, judges them, and keeps them in a file. */
import { fold, key } from "../key.ts";
import { textOptions } from "../methods/method.ts";
import { recordProblem } from "../methods/pool.ts";
import { promptFor } from "../methods/prompt-for.ts";
import { type ScorerName, scorerNamed } from "../methods/scorers.ts";
import { lineEnd, paragraphEnd, sentenceEnd } from "../policies/steps.ts";
import { text } from "../policies/text.ts";
import type { Problem } from "../problem.ts";
import type { PoolHeader } from "../pool.ts";
import { type PoolWriter, poolWriter } from "../runs/pool.ts";
import type { Task } from "../task.ts";
import type { CliContext } from "./context.ts";
import { openNamed } from "./open.ts";
import { readSeed, taskOf } from "./options.ts";
import { exitCodes, UsageError } from "./report.ts";
import { checkWritable } from "./settings.ts";
import { plural } from "./words.ts";

export interface PoolFlags {
  readonly task?: string;
  readonly level?: string;
  readonly problems?: string;
  readonly samples?: string;
  readonly model?: string;
  readonly steps?: string;
  readonly scorers?: string;
  readonly seed?: string;
  readonly out?: string;
  readonly quiet?: boolean;
}

const stepEnds = { line: lineEnd, sentence: sentenceEnd, paragraph: paragraphEnd } as const;
/** Scorers that can judge a partial answer. */
const judgeSteps: readonly string[] = ["value-token"] satisfies ScorerName[];
const knownScorers = [
  "verifier",
  "likelihood",
  "likelihood-per-token",
  "value-token",
  "p-true",
  "rubric",
] as const satisfies readonly ScorerName[];

export async function pool(this: CliContext, flags: PoolFlags): Promise<void> {
  const { out } = flags;
  if (out === undefined) throw new UsageError("Cannot record a pool without a file: give --out pool.jsonl.gz");
  const task = taskOf(flags.task ?? "countdown");
  const problems = readCount("--problems", flags.problems ?? "100");
  const samples = readCount("--samples", flags.samples ?? "16");
  const seed = readSeed(flags.seed ?? "0");
  const step =
    flags.steps === undefined
      ? undefined
      : choice("--steps", flags.steps, Object.keys(stepEnds) as (keyof typeof stepEnds)[]);
  const names = [
    ...new Set([
      "verifier" as const,
      ...(flags.scorers?.split(",") ?? []).map((name) => choice("--scorers", name, knownScorers)),
    ]),
  ];
  if (flags.level !== undefined) choice("--level", flags.level, Object.keys(task.levels));
  checkWritable(out);
  const asked = distinctProblems(task, flags.level, problems, seed);
  const model = await openNamed(this, flags.model ?? "sapling");
  const stopping = new AbortController();
  const undo = this.onInterrupt(() => stopping.abort());
  try {
    const policy = text(model, textOptions({}, "answer", task));
    const scorers = names.map((name) =>
      scorerNamed(name, "pool", { model, checker: task, problem: asked[0] as Problem }),
    );
    const config = {
      task: task.name,
      level: flags.level ?? "base",
      samples,
      seed,
      steps: step ?? null,
      scorers: names,
    };
    using writer = await writerOf(out, { model: model.id, policy: policy.name, config });
    const { stderr } = this.process;
    const say = (line: string) => void (flags.quiet || stderr.write(line));
    const missing = asked.filter(({ id }) => !writer.written.has(id));
    if (missing.length < asked.length)
      say(`${plural(asked.length - missing.length, "problem")} are in ${out} already\n`);
    const end = stderr.isTTY ? "\r" : "\n";
    for (const [i, problem] of missing.entries()) {
      writer.append(
        await recordProblem(promptFor({ problem, task }, model), {
          model,
          policy,
          task,
          samples,
          key: fold(fold(key(seed), "samples"), problem.id),
          scorers,
          step: step && stepEnds[step],
          stepScorers: scorers.filter((_, j) => judgeSteps.includes(names[j] as string)),
          level: flags.level ?? "base",
          signal: stopping.signal,
        }),
      );
      if (stderr.isTTY || (i + 1) % 50 === 0) say(`${i + 1} of ${missing.length} problems${end}`);
    }
    say(`${plural(writer.written.size, "problem")} with ${plural(samples, "sample")} each in ${out}\n`);
  } catch (error) {
    if (!stopping.signal.aborted) throw error;
    this.process.stderr.write(`Stopped: the same command goes on with ${out}\n`);
    this.process.exitCode = exitCodes.interrupted;
  } finally {
    undo();
    await model[Symbol.asyncDispose]?.();
  }
}

/** @throws UsageError where the file cannot be gone on with */
async function writerOf(path: string, header: PoolHeader): Promise<PoolWriter> {
  try {
    return await poolWriter(path, header);
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

/** Held-out problems, in an order that does not depend on how many are wanted. */
function distinctProblems(task: Task, level: string | undefined, count: number, seed: number): Problem[] {
  const found = new Map<string, Problem>();
  const place = fold(key(seed), "problems");
  for (let i = 0; found.size < count; i++) {
    if (i === 100 * count)
      throw new UsageError(`Cannot find ${count} different problems of ${task.name}: there seem to be ${found.size}`);
    const problem = task.make(fold(place, i), { split: "test", ...(level !== undefined && { level }) });
    if (!found.has(problem.id)) found.set(problem.id, problem);
  }
  return [...found.values()];
}

function choice<T extends string>(flag: string, given: string, known: readonly T[]): T {
  const found = known.find((one) => one === given);
  if (found !== undefined) return found;
  throw new UsageError(`Cannot use ${JSON.stringify(given)} as ${flag}: it must be one of ${known.join(", ")}`);
}

function readCount(flag: string, given: string): number {
  const count = Number(given);
  if (/^\d+$/.test(given) && count >= 1 && count <= 100_000) return count;
  throw new UsageError(`Cannot use ${JSON.stringify(given)} as ${flag}: it must be a whole number in [1, 100000]`);
}
