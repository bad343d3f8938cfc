/** By a scorer that errs, sampling from the weighted law loses less than hunting the best point. */
import { fold, key, seedOf } from "../src/key.ts";
import { random } from "../src/math/random.ts";
import type { Estimate } from "../src/measure/index.ts";
import { tabular } from "../src/models/tabular.ts";
import { text, type TextState } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import type { Scorer } from "../src/scorer.ts";
import { noisy } from "../src/scorers/simulated.ts";
import { valueToken } from "../src/scorers/value-token.ts";
import type { Search } from "../src/search.ts";
import { beam, oddsWeight, particleFilter, potential, probabilityWeight } from "../src/search/index.ts";
import { countdown } from "../src/tasks/index.ts";
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, judged, point, shown, solved } from "./phenomenon.ts";
import { maxTokens, mean, meanOver, modelNamed, problemOf, shareOver, solve, total } from "./samples.ts";

/** Whether the answer was right, by amount of noise. */
interface Row {
  readonly beam: readonly boolean[];
  readonly filter: readonly boolean[];
  readonly tokens: number;
}

const letters = "abcd";
const wordLength = 4;
const words = Array.from({ length: wordLength }).reduce<string[]>(
  (begun) => begun.flatMap((word) => [...letters].map((letter) => word + letter)),
  [""],
);

/** Shares of the partial answers that the scorer is wrong about. */
const errors = [0, 0.3];

/**
 * Words of four letters, one in thirty-two of them right, more of them under some first letters. The scorer knows the probability of a
 * right end exactly, but for a share of the beginnings, of which it is as sure as it is wrong.
 */
function riddle(unit: number, share: number): { scorer: Scorer<TextState>; isRight: (word: string) => boolean } {
  const place = fold(fold(key(1), "riddle"), unit);
  const chance = (what: string): number => random(fold(place, what)).uniform();
  const right = new Set(words.filter((word) => chance(word) < chance(`first ${word[0]}`) ** 2 / 10));
  const isRight = (word: string): boolean => right.has(word);
  const value = (word: string): number =>
    mean(words.filter((end) => end.startsWith(word)).map((end) => Number(isRight(end))));
  const scorer: Scorer<TextState> = {
    name: "erring",
    kind: "probability",
    score({ state: { text: word }, done }) {
      const errs = !done && seedOf(fold(place, `error ${word}`)) % 1000 < 1000 * share;
      const truth = done ? Number(isRight(word)) : value(word);
      return { kind: "probability", value: errs ? (truth === 0 ? 0.5 : 0.001) : Math.max(truth, done ? 0 : 0.001) };
    },
  };
  return { scorer, isRight };
}

const riddles: Measurement<Row> = {
  name: "noise-riddles",
  units: { full: 500, quick: 60 },
  async measure(unit) {
    const model = tabular({
      alphabet: `${letters}.`,
      maxLength: wordLength,
      conditional: () => [0.25, 0.25, 0.25, 0.25, 0],
    });
    const policy = text(model, { step: "token", maxAnswerTokens: wordLength + 1 });
    const problem = { id: `riddle ${unit}`, prompt: "" };
    const row = { beam: [] as boolean[], filter: [] as boolean[], tokens: 0 };
    for (const share of errors) {
      const { scorer, isRight } = riddle(unit, share);
      const solves = async (search: Search<TextState>): Promise<boolean> =>
        isRight((await run(search, problem, { policy, seed: unit })).text ?? "");
      row.beam.push(await solves(beam({ width: 4, branch: 4, draw: "top", scorer })));
      row.filter.push(
        await solves(particleFilter({ particles: 16, potential: potential(scorer, probabilityWeight), temper: 4 })),
      );
    }
    return row;
  },
};

/** Standard deviations of the noise, in log-odds. */
const deviations = [0, 2, 4];
const budget = 600;

const sapling: Measurement<Row> = {
  name: "noise-sapling",
  units: { full: 160, quick: 1 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const model = await modelNamed("sapling");
    const value = valueToken<TextState>(model);
    const policy = text(model, { step: "line", maxTokens, maxAnswerTokens: maxTokens, stream: false });
    const row = { beam: [] as boolean[], filter: [] as boolean[], tokens: 0 };
    for (const sd of deviations) {
      const scorer = sd === 0 ? value : noisy(value, { sd, seed: 5 });
      const solves = async (search: Search<TextState>): Promise<boolean> => {
        const one = await solve(search, countdown, problem, { policy, seed: 5, budget: { tokens: budget } });
        row.tokens += one.tokens;
        return one.right;
      };
      row.beam.push(await solves(beam({ width: 4, branch: 4, draw: "sample", scorer })));
      row.filter.push(
        await solves(
          particleFilter({
            particles: 13,
            potential: potential(scorer, oddsWeight),
            canonical: ({ state }) => state.text,
          }),
        ),
      );
    }
    return row;
  },
};

const shareOf = (rows: readonly Row[], method: "beam" | "filter", at: number): Estimate =>
  shareOver(rows.map((row) => Number(row[method][at])));

/** What the beam loses from the first to the last amount of noise, less what the filter loses. */
function robustness(rows: readonly Row[]): Estimate {
  const loss = (of: readonly boolean[]): number => Number(of[0]) - Number(of.at(-1));
  return meanOver(
    rows.map((row) => loss(row.beam) - loss(row.filter)),
    2,
  );
}

export const weightedSampling: Phenomenon = {
  name: "noise",
  title: "Weighted sampling withstands a scorer's errors",
  claim:
    "A particle filter, which treats the scorer as evidence and samples from the weighted law, is more robust to an imperfect process scorer than search that follows its highest scores.",
  source: "Puri et al. 2025, A Probabilistic Inference Approach to Inference-Time Scaling",
  arxiv: "2502.01618",
  method:
    "Riddles: words of four letters in a tabular model, and a scorer that knows the chance of a right end exactly but is wrong about 30 percent of the beginnings; a beam of 4 × 4 against a filter of 16 (with weights that grow to their full power over the four letters). Sapling: its own value read-out with normal noise in log-odds, on 160 countdown problems; a beam of 4 × 4 over lines against a filter of 13 that weighs by odds, at most 600 tokens each, readings included.",
  rule: "In both: what the beam loses from no noise to the most, less what the filter loses, lies above 0.",
  remark:
    "On the riddles the filter starts lower and loses less; its weights are tempered over the four letters, a setting the beam has no match for. Why it fails on sapling was not tested. Its value is a weak scorer before any noise; noise of 2 to 4 in log-odds makes odds so extreme that few particles survive a step, which would make of the filter another search for the highest score.",
  measurements: [riddles, sapling],
  conclude(rows) {
    const [riddled, problems] = [rows(riddles), rows(sapling)];
    const [onWords, onProblems] = [robustness(riddled), robustness(problems)];
    const points = (of: readonly Row[], xs: readonly number[]): Point[] =>
      (["beam", "filter"] as const).flatMap((method) =>
        xs.map((x, at) => point(method === "beam" ? "beam" : "particle filter", x, shareOf(of, method, at))),
      );
    const wrong = { label: "beginnings that the scorer is wrong about", percent: true };
    const noise = { label: "noise, sd in log-odds" };
    const pair = (of: readonly Row[], at: number): [string, string] => [
      shown(shareOf(of, "beam", at)),
      shown(shareOf(of, "filter", at)),
    ];
    const told = (of: readonly Row[]): string => {
      const [[beamFrom, filterFrom], [beamTo, filterTo]] = [pair(of, 0), pair(of, (of[0]?.beam.length ?? 1) - 1)];
      return `the beam falls from ${beamFrom} percent to ${beamTo}, the filter from ${filterFrom} to ${filterTo}`;
    };
    return {
      effects: [
        judged("simulated", "loss of the beam less loss of the filter", onWords),
        judged("sapling", "loss of the beam less loss of the filter, noise 0 to 4", onProblems),
      ],
      statement: `On the riddles ${told(riddled)}. On sapling ${told(problems)}.`,
      table: {
        head: ["world", "noise", "beam", "particle filter"],
        rows: [
          ...errors.map((share, at) => ["riddles", `wrong about ${100 * share}%`, ...pair(riddled, at)]),
          ...deviations.map((sd, at) => ["sapling", `sd ${sd} in log-odds`, ...pair(problems, at)]),
        ],
      },
      panels: [
        curves("Riddles, a planted scorer", wrong, solved, points(riddled, errors)),
        curves("Sapling, its own value", noise, solved, points(problems, deviations)),
      ],
      units: `${riddled.length} riddles; ${problems.length} problems, one seed`,
      tokens: total(problems.map(({ tokens }) => tokens)),
    };
  },
};
