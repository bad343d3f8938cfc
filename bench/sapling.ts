/**
 * What decoding does to one model, on held-out problems nobody selected:
 *
 *     npx node bench/sapling.ts [--problems 300] [--model sapling]
 *
 * 1. Greedy does not maximise likelihood: how often beam search finds a more likely answer, and whether it is more often right.
 * 2. Chain of thought against direct answers: the same model, the same products, with and without written steps.
 * 3. One sample, majority, and best-of-n by likelihood and by the verifier, from one and the same pool of 16 samples.
 *
 * Right is a right final answer where a problem has one (product-chain), else an answer whose every step is right. Every
 * proportion has its Wilson 95% interval, every figure the tokens it cost. The seed is 1; same seed, same table.
 */
import { parseArgs } from "node:util";
import { majority } from "../src/aggregators/majority.ts";
import { key, split } from "../src/key.ts";
import { wilson } from "../src/math/intervals.ts";
import { openModel } from "../src/open-model.ts";
import { type TextState, text } from "../src/policies/text.ts";
import type { Problem } from "../src/problem.ts";
import { type Result, run } from "../src/run.ts";
import { likelihood } from "../src/scorers/likelihood.ts";
import { verifier } from "../src/scorers/verifier.ts";
import type { Search } from "../src/search.ts";
import { beam } from "../src/search/beam/beam.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { greedy, sample } from "../src/search/sampling/sample.ts";
import { vote } from "../src/search/sampling/vote.ts";
import { isRightAnswer, type Task } from "../src/task.ts";
import { taskNamed } from "../src/tasks/index.ts";
import { mean } from "./mean.ts";

const { values } = parseArgs({
  options: { problems: { type: "string", default: "300" }, model: { type: "string", default: "sapling" } },
});
const count = Number(values.problems);
const model = await openModel(values.model);
const seed = 1;
const whole = text(model, { maxTokens: 96 });
const byToken = text(model, { step: "token", maxAnswerTokens: 96 });

const problemsOf = (task: Task, level?: string): Problem[] =>
  split(key(seed), count).map((place) => task.make(place, { split: "test", ...(level && { level }) }));

/** One row: the share that is right, its interval, and generated tokens a problem. */
async function row(
  name: string,
  task: Task,
  problems: readonly Problem[],
  make: (problem: Problem) => Search<TextState>,
  policy = whole,
) {
  const results: Result<TextState>[] = [];
  for (const [i, problem] of problems.entries())
    results.push(await run(make(problem), problem, { policy, scorer: verifier(task), seed: i }));
  const right = results.map(({ text }, i) => text !== undefined && isRightAnswer(task, problems[i] as Problem, text));
  const tokens = mean(results.map(({ spent }) => spent.tokens));
  const correct = right.filter(Boolean).length;
  const { low, high } = wilson(correct, problems.length);
  const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
  console.log(
    `  ${name.padEnd(34)} ${percent(correct / problems.length).padStart(6)}  [${percent(low)}, ${percent(high)}]   ${tokens.toFixed(0).padStart(5)} tokens a problem`,
  );
  return { name, correct, of: problems.length, low, high, tokens, results };
}

const report = ({ results: _, ...figures }: Awaited<ReturnType<typeof row>>) => figures;
const out: Record<string, unknown> = { bench: "sapling", model: values.model, problems: count, seed };

{
  const task = taskNamed("countdown");
  const problems = problemsOf(task);
  console.log(`1. countdown: the most likely answer (${count} held-out problems)`);
  const first = await row("greedy", task, problems, () => greedy());
  const rows: object[] = [report(first)];
  for (const width of [2, 4, 8]) {
    const found = await row(
      `beam over tokens, width ${width}`,
      task,
      problems,
      () => beam({ width, branch: width }),
      byToken,
    );
    const gains = found.results.map(
      ({ answer }, i) => (answer?.totalLogProb ?? -Infinity) - (first.results[i]?.answer?.totalLogProb ?? -Infinity),
    );
    const likelier = gains.filter((gain) => gain > 1e-4).length;
    const less = gains.filter((gain) => gain < -1e-4).length;
    const { low, high } = wilson(likelier, count);
    console.log(
      `    more likely than greedy: ${((100 * likelier) / count).toFixed(1)}% [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]; less likely: ${((100 * less) / count).toFixed(1)}%`,
    );
    rows.push({ ...report(found), likelier, less });
  }
  out["mostLikely"] = rows;
}

{
  const task = taskNamed("product-chain");
  console.log(`2. product-chain: chain of thought against direct answers (${count} held-out problems)`);
  const rows = [];
  for (const level of ["direct", "base"]) {
    const problems = problemsOf(task, level);
    const name = level === "direct" ? "direct" : "chain of thought";
    const aggregator = (problem: Problem) =>
      majority<TextState>({ canonical: ({ state }) => task.canonical(problem, state.text) });
    rows.push(report(await row(`${name}, greedy`, task, problems, () => greedy())));
    rows.push(
      report(
        await row(`${name}, majority of 16`, task, problems, (problem) => vote({ aggregator: aggregator(problem) })),
      ),
    );
  }
  out["chainOfThought"] = rows;
}

for (const [number, name] of [
  [3, "countdown"],
  [4, "product-chain"],
] as const) {
  const task = taskNamed(name);
  const problems = problemsOf(task);
  console.log(`${number}. ${name}: choosing among the same 16 samples (${count} held-out problems)`);
  out[name] = [
    await row("greedy", task, problems, () => greedy()),
    await row("one sample", task, problems, () => sample()),
    await row("majority of 16", task, problems, (problem) =>
      vote({ aggregator: majority({ canonical: ({ state }) => task.canonical(problem, state.text) }) }),
    ),
    await row("best of 16, likelihood", task, problems, () => bestOfN({ scorer: likelihood() })),
    await row("best of 16, likelihood a token", task, problems, () =>
      bestOfN({ scorer: likelihood({ per: "token" }) }),
    ),
    await row("best of 16, verifier", task, problems, () => bestOfN()),
  ].map(report);
}

await model[Symbol.asyncDispose]?.();
console.log(JSON.stringify(out));
