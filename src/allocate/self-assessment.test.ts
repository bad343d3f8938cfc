import { describe, expect, test } from "vitest";
import { cost } from "../budget.ts";
import { replay, type ReplayState } from "../policies/replay.ts";
import type { PoolProblem, PoolSample } from "../pool.ts";
import type { Problem } from "../problem.ts";
import { run } from "../run.ts";
import { replayScores } from "../scorers/replay.ts";
import type { Scorer } from "../scorer.ts";
import { type SimulatedState, simulatedSolver } from "../testing/simulated-solver.ts";
import { selfAssessment } from "./self-assessment.ts";

const problem: Problem = { id: "simulated", prompt: "" };

/** What a draw is, and how probable: the signal is in its name. */
interface Kind {
  readonly right: boolean;
  readonly signal: number;
  readonly probability: number;
}
const solver = (kinds: readonly Kind[]) =>
  simulatedSolver({
    law: kinds.map(({ right, signal, probability }) => ({
      answer: `${right ? "right" : "wrong"} ${signal}`,
      probability,
    })),
  });
const signalOf: Scorer<SimulatedState> = {
  name: "signal",
  kind: "probability",
  score: ({ state }) => ({ kind: "probability", value: Number(state.answer.split(" ")[1]) }),
};

const signals = [
  { signal: 0.9, share: 0.6 },
  { signal: 0.5, share: 0.2 },
  { signal: 0.1, share: 0.2 },
];
/** Of the draws with a signal of 0.9 so many are right, and so on. */
const calibrated: readonly Kind[] = signals.flatMap(({ signal, share }) => [
  { right: true, signal, probability: share * signal },
  { right: false, signal, probability: share * (1 - signal) },
]);
/** The same signals, which say nothing. */
const noise: readonly Kind[] = signals.flatMap(({ signal, share }) =>
  [true, false].map((right) => ({ right, signal, probability: share / 2 })),
);
const massOf = (kinds: readonly Kind[], keep: (kind: Kind) => boolean): number =>
  kinds.filter(keep).reduce((sum, { probability }) => sum + probability, 0);

/** P(right) of the best of n by its signal, all of them below `below`, and that so it is. */
function bestOf(kinds: readonly Kind[], n: number, below = Number.POSITIVE_INFINITY): number {
  return signals
    .filter(({ signal }) => signal < below)
    .reduce((sum, { signal }) => {
      const upTo = massOf(kinds, (one) => one.signal <= signal);
      const at = massOf(kinds, (one) => one.signal === signal);
      const right = massOf(kinds, (one) => one.signal === signal && one.right);
      return sum + ((upTo ** n - (upTo - at) ** n) * right) / at;
    }, 0);
}

/** Of taking the first signal of at least `enough`, else the best of `most`. */
function exact(kinds: readonly Kind[], enough: number, most: number): { accuracy: number; draws: number } {
  const stop = massOf(kinds, ({ signal }) => signal >= enough);
  const draws = (1 - (1 - stop) ** most) / stop;
  const taken = draws * massOf(kinds, ({ signal, right }) => signal >= enough && right);
  return { accuracy: taken + bestOf(kinds, most, enough), draws };
}

async function measured(kinds: readonly Kind[], enough: number, runs: number) {
  let [right, draws] = [0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const search = selfAssessment<SimulatedState>({ enough });
    const { text, outcome } = await run(search, problem, { policy: solver(kinds), scorer: signalOf, seed });
    right += Number(text?.startsWith("right"));
    draws += outcome?.draws ?? 0;
  }
  return { accuracy: right / runs, draws: draws / runs };
}
/** False alarm: 6e-7. */
const expectShare = (found: number, p: number, runs: number) =>
  expect(Math.abs(found - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / runs));

describe("one signal at the end", () => {
  test.each([
    ["calibrated", calibrated],
    ["noise", noise],
  ])("%s: accuracy and draws are those of the closed form", async (_, kinds) => {
    const runs = 500;
    for (const enough of [0.9, 0.5]) {
      const [found, expected] = [await measured(kinds, enough, runs), exact(kinds, enough, 16)];
      expectShare(found.accuracy, expected.accuracy, runs);
      const sd = Math.sqrt(1 - 1 / expected.draws) * expected.draws; // of a geometric number
      expect(Math.abs(found.draws - expected.draws)).toBeLessThan((5 * sd) / Math.sqrt(runs));
    }
  });

  test("most of the gain of best of 16 at under 2 draws where the signal is calibrated, none where it is noise", () => {
    const one = massOf(calibrated, ({ right }) => right);
    const best = bestOf(calibrated, 16);
    const known = exact(calibrated, 0.9, 16);
    expect(best - one).toBeGreaterThan(0.2);
    expect(known.draws).toBeLessThan(2);
    expect(known.accuracy - one).toBeGreaterThan(0.7 * (best - one));
    expect(exact(noise, 0.9, 16).accuracy).toBeCloseTo(0.5, 12); // of one draw
    expect(bestOf(noise, 16)).toBeCloseTo(0.5, 12);
  });
});

describe("midway", () => {
  const charged = (tokens: number) => cost({ tokens, calls: 1 });
  const judged = (value: number) => ({
    value: { score: { kind: "probability", value } as const, cost: cost({ tokens: 1 }) },
  });
  const written = (name: string, first: number, last: number): PoolSample => ({
    text: name,
    finish: "end",
    length: 10,
    logProb: null,
    cost: charged(10),
    steps: [
      { end: 1, length: 4, logProb: null, scores: judged(first) },
      { end: name.length, length: 6, logProb: null, scores: {} },
    ],
    scores: judged(last),
    canonical: null,
    correct: null,
  });
  const pool: PoolProblem = {
    problem,
    level: null,
    samples: [
      written("poor", 0.1, 0.95),
      written("fair", 0.5, 0.6),
      written("good", 0.6, 0.9),
      written("more", 0.9, 0.99),
    ],
  };
  const replayed = (options: Parameters<typeof selfAssessment>[0], recorded = pool) =>
    run(selfAssessment<ReplayState>(options as Parameters<typeof selfAssessment<ReplayState>>[0]), problem, {
      policy: replay(recorded, { step: "step" }),
      scorer: replayScores(recorded, "value"),
    });

  test("what is given up costs what it drew so far, and the first answer that suffices ends it", async () => {
    const { text, spent, outcome } = await replayed({ enough: 0.8, after: [1], giveUp: 0.3 });
    // poor: 4 tokens and a look; fair: 10 and two looks, not enough; good: 10 and two looks.
    expect([text, spent.tokens, spent.calls]).toEqual(["good", 4 + 1 + 10 + 2 + 10 + 2, 3]);
    expect(outcome).toMatchObject({ ended: "enough", draws: 3, givenUp: 1, biased: true });
    expect(outcome?.candidates.map(({ state }) => state.text)).toEqual(["good", "fair"]);
  });

  test("without looking midway poor is taken; where nothing suffices the best is", async () => {
    expect((await replayed({ enough: 0.8 })).text).toBe("poor");
    const { text, outcome } = await replayed({ enough: 0.97, after: [1], giveUp: 0.3, most: 3 });
    expect([text, outcome?.ended, outcome?.draws]).toEqual(["good", "most", 3]);
  });

  test("where every answer is given up, the best beginning is finished", async () => {
    const { text, spent, outcome } = await replayed({ enough: 0.8, after: [1], giveUp: 0.8, most: 3 });
    expect([text, spent.tokens, outcome?.givenUp, outcome?.draws]).toEqual(["good", 3 * (4 + 1) + 6 + 1, 3, 3]);
  });
});

test("draws in flight are given up as soon as one before them suffices", async () => {
  const aborted: string[] = [];
  const started: number[] = [];
  const policy = {
    ...solver(calibrated),
    batch: 1,
    async *extend(_: SimulatedState, { signal, seeds }: { signal: AbortSignal; seeds: readonly number[] }) {
      const place = started.push(seeds[0] as number);
      if (place > 1) {
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
        aborted.push(`draw ${place}`);
        throw signal.reason;
      }
      yield {
        type: "extension" as const,
        index: 0,
        extension: {
          state: { answer: "right 0.9", chain: "" },
          done: true,
          logProb: 0,
          logProposal: 0,
          length: 1,
          cost: cost({ calls: 1, tokens: 1 }),
        },
      };
    },
  };
  const search = selfAssessment<SimulatedState>({ enough: 0.8, batch: 4, most: 12 });
  const { outcome } = await run(search, problem, { policy, scorer: signalOf });
  expect([started.length, aborted.length]).toEqual([4, 3]);
  expect(outcome).toMatchObject({ draws: 1, ended: "enough" });
});

test("the policy of a draw is asked for by its number: for a temperature that changes", async () => {
  const policyOf = (draw: number) => ({
    ...simulatedSolver({ law: [{ answer: `draw ${draw / 10}`, probability: 1 }] }),
    name: `temperature ${1 - 2 ** -draw}`,
  });
  const search = selfAssessment<SimulatedState>({ enough: 2, most: 3, policyOf });
  const { outcome } = await run(search, problem, { policy: solver(calibrated), scorer: signalOf });
  expect(outcome?.candidates.map(({ state }) => state.answer)).toEqual(["draw 0.2", "draw 0.1", "draw 0"]);
  expect(search.options).toMatchObject({ policyOf: ["temperature 0", "temperature 0.5", "temperature 0.75"] });
});

test("settings out of range are refused by name", () => {
  expect(() => selfAssessment({ enough: Number.NaN })).toThrow("'enough'");
  expect(() => selfAssessment({ enough: 1, after: [2, 2] })).toThrow(
    "'after' must be a whole number in [3, 100000]: current value is 2",
  );
  expect(() => selfAssessment({ enough: 1, giveUp: Number.POSITIVE_INFINITY })).toThrow("'giveUp'");
});
