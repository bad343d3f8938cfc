/** A recorded pool is as good as the model it was drawn from: the same answers at the same cost, and the laws of every search. */
import { describe, expect, test } from "vitest";
import { majority } from "../src/aggregators/majority.ts";
import { adaptiveConsistency } from "../src/allocate/adaptive-consistency.ts";
import { cascade } from "../src/allocate/cascade.ts";
import { deepConf } from "../src/allocate/deep-conf.ts";
import { earlyPruning } from "../src/allocate/early-pruning.ts";
import { optimalStopping } from "../src/allocate/optimal-stopping.ts";
import { selfAssessment } from "../src/allocate/self-assessment.ts";
import { addCosts, cost, noCost } from "../src/budget.ts";
import { comparePlaces, type Node, pathTo } from "../src/node.ts";
import { tabular } from "../src/models/tabular.ts";
import { replay, type ReplayState } from "../src/policies/replay.ts";
import { text, type TextState } from "../src/policies/text.ts";
import type { PoolProblem, RecordedScore } from "../src/pool.ts";
import type { Problem } from "../src/problem.ts";
import { run } from "../src/run.ts";
import { replayScores } from "../src/scorers/replay.ts";
import type { Scorer } from "../src/scorer.ts";
import type { Search } from "../src/search.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { sample } from "../src/search/sampling/sample.ts";
import { vote } from "../src/search/sampling/vote.ts";
import { searchLaws, type World } from "../src/testing/laws.ts";
import { weathered } from "./helpers/weather.ts";

const problem: Problem = { id: "words", prompt: "say" };
const model = tabular({ alphabet: "ab.", maxLength: 4, conditional: () => [0.45, 0.35, 0.2] });
const policies = {
  answer: text(model, { maxTokens: 5 }),
  step: text(model, { step: (added) => (added.length > 0 ? 1 : undefined), maxAnswerTokens: 5, name: "letters" }),
};
/** Likes b's; costs more for longer answers, so that a wrong charge is seen. */
const judge: Scorer<TextState> = {
  name: "b's",
  kind: "reward",
  bound: () => cost({ calls: 1, tokens: 6 }),
  score: ({ state: { text: answer } }) => ({
    score: { kind: "reward", value: answer.split("b").length - 1 - 0.1 * answer.length },
    cost: cost({ calls: 1, tokens: 1 + answer.length }),
  }),
};

type Make = <S extends TextState>() => Search<S>;
const canonical = <S extends TextState>({ state }: { readonly state: S }) => state.text.at(-1);
const whole: Record<string, Make> = {
  sample: () => sample({ n: 5 }),
  "best-of-n": () => bestOfN({ n: 9 }),
  vote: <S extends TextState>() => vote<S>({ n: 9, aggregator: majority<S>({ canonical }) }),
  "adaptive consistency": <S extends TextState>() =>
    adaptiveConsistency<S>({ aggregator: majority<S>({ canonical }), most: 15, batch: 2 }),
  "optimal stopping": () => optimalStopping({ cost: 0.2, most: 12 }),
  "self-assessment": () => selfAssessment({ enough: 2.4, most: 12 }),
  "deep-conf": <S extends TextState>() => deepConf<S>({ canonical, window: 3, warmUp: 4, most: 12 }),
  cascade: () => cascade({ stages: [{ accept: 1.5 }, { accept: 2 }, {}] }),
};
const stepwise: Record<string, Make> = {
  "early pruning": () => earlyPruning({ n: 9, after: [1, 2] }),
  "self-assessment midway": () => selfAssessment({ enough: 2.4, after: [1, 3], giveUp: -0.05, most: 12 }),
  "deep-conf by letter": <S extends TextState>() =>
    deepConf<S>({ canonical, window: 2, warmUp: 4, keep: 0.5, most: 12 }),
};

/** What a live run drew, in order of place, as if it had been recorded: whole answers, or what there is of them by step. */
async function recorded(
  make: Make,
  step: "answer" | "step",
  seed: number,
): Promise<{ live: Awaited<ReturnType<typeof trial>>; pool: PoolProblem }> {
  const live = await trial(make(), policies[step], judge, seed);
  const { nodes, costs } = live;
  const parents = new Set(nodes.map(({ parent }) => parent));
  const ends = nodes.filter((node) => node.parent && !parents.has(node));
  ends.sort((a, b) => comparePlaces((pathTo(a)[0] as typeof a).id, (pathTo(b)[0] as typeof b).id));
  const scored = (state: TextState): Record<string, RecordedScore> => ({
    [judge.name]: judge.score({ state } as never, {} as never) as RecordedScore,
  });
  const samples = ends.map((end) => {
    const path = pathTo(end);
    const paid = path.reduce((sum, { id }) => addCosts(sum, costs.get(id) ?? noCost), noCost);
    const steps = path.map(({ state, logProb, length, parent }) => ({
      end: state.text.length,
      length: length - (parent?.length ?? 0),
      logProb,
      scores: scored(state),
    }));
    // What was given up live goes on in the pool, where nobody is to read it.
    const rest = end.done ? [] : [{ end: end.state.text.length + 1, length: 1, logProb: -9, scores: {} }];
    return {
      text: end.done ? end.state.text : `${end.state.text}?`,
      finish: "end" as const,
      length: end.length + rest.length,
      logProb: end.totalLogProb,
      // Live, each step is a call of its own that reads the prompt and the text so far; a pool charges one.
      cost: step === "answer" ? paid : cost({ tokens: paid.tokens + rest.length }),
      steps: [...steps, ...rest],
      scores: scored(end.state),
      canonical: null,
      correct: null,
    };
  });
  return { live, pool: { problem, level: null, samples } };
}

async function trial<S extends TextState>(
  search: Search<S>,
  policy: Parameters<typeof run<S, never>>[2]["policy"],
  scorer: Scorer<S>,
  seed: number,
) {
  const running = run(search, problem, { policy, scorer, seed });
  const costs = new Map<string, typeof noCost>();
  for await (const event of running) if (event.type === "extension") costs.set(event.id, event.cost);
  return { ...(await running), costs };
}

const told = <S extends TextState>({ nodes }: { readonly nodes: readonly Node<S>[] }) =>
  nodes
    .toSorted((a, b) => comparePlaces(a.id, b.id))
    .map(({ id, state, done, logProb }) => [id, state.text, done, logProb]);

describe.each(["answer", "step"] as const)("live and replayed by %s", (step) => {
  test.each(Object.entries(step === "answer" ? whole : stepwise))("%s", async (_, make) => {
    for (let seed = 0; seed < 20; seed++) {
      const { live, pool } = await recorded(make, step, seed);
      const again = await trial(make<ReplayState>(), replay(pool, { step }), replayScores(pool, judge.name), seed);
      expect(again.text).toBe(live.text);
      expect(told(again)).toEqual(told(live));
      expect({ ...again.outcome, answer: 0, candidates: 0, tally: 0 }).toEqual({
        ...live.outcome,
        answer: 0,
        candidates: 0,
        tally: 0,
      });
      if (step === "answer") expect({ ...again.spent, seconds: 0 }).toEqual({ ...live.spent, seconds: 0 });
      else expect(again.spent.tokens).toBe(live.spent.tokens);
    }
  });
});

describe("laws", async () => {
  const { pool } = await recorded(() => sample({ n: 48 }), "step", 1);
  const scores = () => replayScores<ReplayState>(pool, judge.name);
  const world = (step: "answer" | "step"): World<ReplayState> => ({
    problem,
    policy: (weather) => weathered(replay(pool, { step, order: 7 }), weather),
    scorer: ({ fault = () => undefined }) => ({
      ...scores(),
      score(node, request) {
        const struck = fault(request.seed);
        if (struck === "fail") throw new Error("A fault was injected");
        if (struck === "nan") return { kind: "reward", value: Number.NaN };
        if (struck !== "hang") return scores().score(node, request);
        return new Promise((_, reject) =>
          request.signal.addEventListener("abort", () => reject(request.signal.reason)),
        );
      },
    }),
  });
  const byAnswer: Record<string, (scorer: Scorer<ReplayState>) => Search<ReplayState>> = {
    "best-of-n": (scorer) => bestOfN({ n: 8, scorer }),
    vote: () => vote({ n: 8, aggregator: majority({ canonical }) }),
    "adaptive consistency": () => adaptiveConsistency({ aggregator: majority({ canonical }), most: 12, batch: 3 }),
    "self-assessment": (scorer) => selfAssessment({ enough: 1.5, most: 9, batch: 3, scorer }),
  };
  const byStep: Record<string, (scorer: Scorer<ReplayState>) => Search<ReplayState>> = {
    "best-of-n by letter": (scorer) => bestOfN({ n: 8, scorer }),
    "early pruning": (scorer) => earlyPruning({ n: 8, after: [1, 3], scorer }),
    "deep-conf": () => deepConf({ canonical, window: 2, warmUp: 4, keep: 0.5, most: 9 }),
  };
  for (const [name, make] of Object.entries(byAnswer))
    for (const law of searchLaws(name, make, world("answer"))) test(law.name, law.check);
  for (const [name, make] of Object.entries(byStep))
    for (const law of searchLaws(name, make, world("step"))) test(law.name, law.check);
});
