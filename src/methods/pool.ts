/**
 * Records samples of a problem: drawn once, cut into steps, judged, with what each cost. A pool is many such problems.
 *
 * Answers are drawn whole, in as few requests as the model allows, so that the prompt is paid once. The law of an answer does
 * not depend on how it is cut: with `step`, each answer is read again by `scoreText` to know the tokens and log-probabilities
 * of its steps. Cutting is paid by whoever records, and is in no sample's cost. Where the text is read as other tokens than
 * were drawn, the sample is kept without steps. The token that ends an answer belongs to the step before it.
 */
import { type Cost, noCost } from "../budget.ts";
import { Failed } from "../errors.ts";
import type { Key } from "../key.ts";
import { fold, seedOf } from "../key.ts";
import type { Model } from "../model.ts";
import type { Node } from "../node.ts";
import type { StepEnd } from "../policies/steps.ts";
import type { TextState } from "../policies/text.ts";
import type { Policy } from "../policy.ts";
import type { PoolProblem, PoolSample, PoolStep, RecordedScore } from "../pool.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import type { Scorer } from "../scorer.ts";
import { sample } from "../search/sampling/sample.ts";
import { isRightAnswer, type Task } from "../task.ts";

export interface RecordOptions {
  readonly model: Model;
  /** One step is a whole answer. */
  readonly policy: Policy<TextState>;
  readonly task: Task;
  /** Samples to draw; those that fail are not recorded. */
  readonly samples: number;
  readonly key: Key;
  /** Judge whole answers. */
  readonly scorers: readonly Scorer<TextState>[];
  /** Absent: whole answers alone. */
  readonly step?: StepEnd | undefined;
  /** Of `scorers`, those that also judge each partial answer. */
  readonly stepScorers?: readonly Scorer<TextState>[];
  readonly level?: string | undefined;
  readonly signal: AbortSignal;
}

/** @throws Failed where not one sample succeeded, or a scorer fails: a pool with holes would bias what is learned from it */
export async function recordProblem(problem: Problem, options: RecordOptions): Promise<PoolProblem> {
  const { model, policy, samples, key, level = null, signal } = options;
  const drawing = run(sample<TextState>({ n: samples }), problem, { policy, seed: key, signal });
  const costs = new Map<string, Cost>();
  for await (const event of drawing) if (event.type === "extension") costs.set(event.id, event.cost);
  const { outcome, stopped } = await drawing;
  signal.throwIfAborted();
  if (!outcome?.answer)
    throw new Failed(
      "error",
      `Cannot record '${problem.id}' as no sample succeeded${stopped.why === "all-failed" ? `: ${stopped.failures[0]?.message}` : ""}`,
    );
  const nodes = outcome.candidates;
  const inFlight = model.concurrency ?? 16;
  const recorded: PoolSample[] = [];
  for (let i = 0; i < nodes.length; i += inFlight)
    recorded.push(
      ...(await Promise.all(
        nodes.slice(i, i + inFlight).map((node) => recordSample(problem, node, costs.get(node.id) ?? noCost, options)),
      )),
    );
  return { problem, level, samples: recorded };
}

async function recordSample(
  problem: Problem,
  node: Node<TextState>,
  cost: Cost,
  { model, task, scorers, step, stepScorers = [], key, signal }: RecordOptions,
): Promise<PoolSample> {
  const { text, finish = "end" } = node.state;
  const judged = async (at: Node<TextState>, by: readonly Scorer<TextState>[]) => {
    const context = { problem, text: (state: TextState) => state.text, seed: seedOf(fold(key, at.id)), signal };
    const scores = by.map(async (scorer): Promise<[string, RecordedScore]> => {
      const given = await scorer.score(at, context);
      return [
        scorer.name,
        "score" in given ? { score: given.score, cost: given.cost ?? noCost } : { score: given, cost: noCost },
      ];
    });
    return Object.fromEntries(await Promise.all(scores));
  };
  const cuts = step && (await cut(model, problem, node, step, signal));
  const steps = cuts?.map(async (one, i): Promise<PoolStep> => {
    const partial = {
      ...node,
      id: `${node.id}/${i}`,
      state: { ...node.state, text: text.slice(0, one.end) },
      done: false,
    };
    return { ...one, scores: i === cuts.length - 1 ? {} : await judged(partial, stepScorers) };
  });
  return {
    text,
    finish,
    length: node.length,
    logProb: numberOrNull(node.totalLogProb),
    cost,
    ...(steps && { steps: await Promise.all(steps) }),
    scores: await judged(node, scorers),
    canonical: task.canonical(problem, text) ?? null,
    correct: isRightAnswer(task, problem, text),
  };
}

/** Ends, tokens and log-probabilities of the steps; undefined where the text is read as other tokens than were drawn. */
async function cut(
  model: Model,
  { prompt }: Problem,
  { state: { text, finish }, length, totalLogProb }: Node<TextState>,
  stepEnd: StepEnd,
  signal: AbortSignal,
): Promise<Omit<PoolStep, "scores">[] | undefined> {
  if (!model.scoreText)
    throw new Failed(
      "unsupported",
      `Cannot cut the answers of '${model.id}' into steps as it does not score text: record whole answers, or take a model that does`,
    );
  const read = await model.scoreText({ prompt, text: "" }, text, { end: finish === "end", signal });
  const total = read.logProbs.reduce((sum, one) => sum + one, 0);
  const isSame = read.tokens.length === length && Math.abs(total - totalLogProb) <= 1e-6 * Math.max(1, Math.abs(total));
  if (!isSame) return undefined;
  const ends: number[] = [];
  for (let at = 0; at < text.length; ) {
    at += stepEnd(text.slice(at)) ?? text.length - at;
    ends.push(at);
  }
  if (ends.length === 0) ends.push(0); // an answer without text is one step
  const steps = ends.map((end) => ({ end, length: 0, logProb: 0 }));
  let written = 0;
  for (const [i, token] of read.tokens.entries()) {
    const isEnd = i >= read.tokens.length - Number(finish === "end");
    const step = steps.find(({ end }) => !isEnd && written < end) ?? (steps.at(-1) as (typeof steps)[number]);
    step.length++;
    step.logProb += read.logProbs[i] as number;
    written += token.length;
  }
  return steps;
}

const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);
