/** Whether to revise one answer or to draw many depends on how hard the problem is. */
import { bootstrap, type Estimate } from "../src/measure/index.ts";
import { reviseByRewind, validLines } from "../src/policies/revision.ts";
import { text, type TextState } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import { verifier } from "../src/scorers/verifier.ts";
import { refine } from "../src/search/revision/refine.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { countdown } from "../src/tasks/index.ts";
import {
  type SimulatedReply,
  simulatedSolver,
  type SimulatedState,
  successLaw,
} from "../src/testing/simulated-solver.ts";
import type { Axis, Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { curves, judged, percent, point, shown, solved } from "./phenomenon.ts";
import {
  countdownPool,
  maxTokens,
  mean,
  meanOver,
  modelNamed,
  problemOf,
  shareOver,
  solve,
  tokensOf,
  total,
  truth,
} from "./samples.ts";

/** Shares of the seeds that were solved. */
interface Row {
  readonly parallel: number;
  readonly sequential: number;
  readonly tokens: number;
}

/** Chance that the first approach to a problem is a dead end, by level. */
const deadEnds = [0.1, 0.3, 0.5, 0.7, 0.9];
const attempts = 6;
/** Of a live approach: chance of a first answer, and of a revision, to be right. */
const live = { first: 0.25, revised: 0.5 };

/** A revision stays within the approach of the answer it revises; a fresh draw begins a new one. */
const simulated: Measurement<Row> = {
  name: "difficulty-simulated",
  units: { full: 4000, quick: 1500 },
  async measure(unit) {
    const dead = deadEnds[unit % deadEnds.length] as number;
    const law: SimulatedReply[] = [
      { answer: "wrong", chain: "dead end", probability: dead },
      { answer: "wrong", chain: "live", probability: (1 - dead) * (1 - live.first) },
      { answer: "right", chain: "live", probability: (1 - dead) * live.first },
    ];
    const policy = simulatedSolver({ law });
    const revisions = {
      "dead end": simulatedSolver({ law: [{ answer: "wrong", chain: "dead end", probability: 1 }], name: "dead end" }),
      live: simulatedSolver({
        law: successLaw(live.revised).map((reply) => ({ ...reply, chain: "live" })),
        name: "live",
      }),
    };
    const problem = { id: String(unit), prompt: "" };
    const options = { policy, scorer: truth, seed: unit };
    const many = await run(bestOfN<SimulatedState>({ n: attempts }), problem, options);
    const revise = ({ state }: { readonly state: SimulatedState }) => revisions[state.chain as keyof typeof revisions];
    const one = await run(refine<SimulatedState>({ revise, rounds: attempts }), problem, options);
    const isRight = ({ answer }: { readonly answer: { readonly state: SimulatedState } | undefined }) =>
      Number(answer?.state.answer === "right");
    return { parallel: isRight(many), sequential: isRight(one), tokens: 0 };
  },
};

const budget = 240;
const seeds = 4;

const sapling: Measurement<Row> = {
  name: "difficulty-sapling",
  units: { full: 240, quick: 1 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const model = await modelNamed("sapling");
    const scorer = verifier(countdown);
    const revise = reviseByRewind(model, { maxTokens, valid: validLines(countdown) });
    const searches = [bestOfN<TextState>({ n: 100 }), refine({ revise, rounds: 100, name: "rewind" })];
    const shares = [0, 0];
    let tokens = 0;
    for (let seed = 0; seed < seeds; seed++)
      for (const [i, search] of searches.entries()) {
        const policy = text(model, { maxTokens, stream: false });
        const options = { policy, scorer, seed: 100 + seed, budget: { tokens: budget } };
        const one = await solve(search, countdown, problem, options);
        shares[i] = (shares[i] as number) + Number(one.right) / seeds;
        tokens += one.tokens;
      }
    return { parallel: shares[0] as number, sequential: shares[1] as number, tokens };
  },
};

/** (sequential − parallel) where `isEasy`, less the same where not; problems are drawn anew as they are, hard or easy. */
function interaction(rows: readonly Row[], isEasy: readonly boolean[]): Estimate {
  const [easy, hard] = [true, false].map((half) => {
    const isIn = isEasy.map((is) => Number(is === half));
    const ahead = rows.map((row, i) => (isIn[i] as number) * (row.sequential - row.parallel));
    return (counts: ArrayLike<number>): number => mean(ahead, counts) / mean(isIn, counts);
  }) as [(counts: ArrayLike<number>) => number, (counts: ArrayLike<number>) => number];
  return bootstrap(rows.length, (counts) => {
    const difference = easy(counts) - hard(counts);
    return Number.isFinite(difference) ? difference : undefined;
  });
}

export const difficultyDecides: Phenomenon = {
  name: "difficulty",
  title: "Difficulty decides between revising and sampling",
  claim:
    "At equal compute, how to split it depends on the problem: on easy ones it is best to revise one answer again and again, on hard ones to mix such revisions with independent attempts.",
  source: "Snell et al. 2024, Scaling LLM Test-Time Compute Optimally",
  arxiv: "2408.03314",
  method:
    "Simulated, with their explanation planted: a first approach is a dead end more often the harder the problem, a revision stays in its approach and is right twice as often as a first answer; six attempts either way; of five levels the two easier are compared with the two harder. Sapling: best of n against refinement, which keeps the valid lines before the first wrong one and draws the rest anew; 240 countdown problems, 240 tokens a run, four seeds, difficulty being the share of 64 other samples that are right.",
  rule: "In both: sequential less parallel on the easier half of the problems, less the same on the harder half, lies above 0.",
  remark:
    "On sapling the sign is the claimed one, but the interval holds zero, and sequential is nowhere surely ahead. Its refinement is no trained reviser as theirs: it keeps the lines that a checker passes, and so a dead end that a valid line has led to. Mixtures of both were not tried.",
  measurements: [simulated, countdownPool, sapling],
  conclude(rows) {
    const worlds = rows(simulated);
    const levelOf = (i: number): number => i % deadEnds.length;
    const outer = worlds.flatMap((row, i) => (levelOf(i) === 2 ? [] : [{ row, easy: levelOf(i) < 2 }]));
    const planted = interaction(
      outer.map(({ row }) => row),
      outer.map(({ easy }) => easy),
    );
    const runs = rows(sapling);
    const drawn = rows(countdownPool).slice(0, runs.length);
    const ease = drawn.map(({ samples }) => mean(samples.map(({ right }) => Number(right))));
    const order = [...ease.keys()].sort((i, j) => (ease[j] as number) - (ease[i] as number) || i - j);
    const place = ease.map((_, i) => order.indexOf(i));
    const measured = interaction(
      runs,
      place.map((at) => at < runs.length / 2),
    );
    const bins = Math.min(5, runs.length);
    const inBin = <T>(of: readonly T[], bin: number): T[] =>
      of.filter((_, i) => Math.floor(((place[i] as number) * bins) / runs.length) === bin);
    const ofLevel = (level: number): Row[] => worlds.filter((_, i) => levelOf(i) === level);
    const points = (of: (bin: number) => readonly Row[], count: number): Point[] =>
      Array.from({ length: count }, (_, bin) =>
        (["sequential", "parallel"] as const).map((series) =>
          point(series, bin + 1, shareOver(of(bin).map((row) => row[series]))),
        ),
      ).flat();
    const difference = (of: readonly Row[]): string => shown(meanOver(of.map((row) => row.sequential - row.parallel)));
    const x = (label: string): Axis => ({ label, domain: [1, 5] });
    return {
      effects: [
        judged("simulated", "sequential less parallel, easy less hard", planted),
        judged("sapling", "sequential less parallel, easier half less harder half", measured),
      ],
      statement: `Simulated, the advantage of revising is ${shown(planted)} points larger on easy problems than on hard ones. On sapling it is larger by ${shown(measured)}: over all problems sequential is ${difference(runs)} points ahead of parallel.`,
      table: {
        head: [
          "difficulty, 1 the easiest",
          "sequential − parallel, simulated",
          "sequential − parallel, sapling",
          "pass@1, sapling",
        ],
        rows: Array.from({ length: bins }, (_, bin) => [
          String(bin + 1),
          difference(ofLevel(bin)),
          difference(inBin(runs, bin)),
          percent(mean(inBin(ease, bin))),
        ]),
      },
      panels: [
        curves(
          "Simulated, dead ends planted",
          x("difficulty, 1 the easiest"),
          solved,
          points(ofLevel, deadEnds.length),
        ),
        curves(
          `Sapling, countdown, ${budget} tokens`,
          x("difficulty, fifths by pass@1"),
          solved,
          points((bin) => inBin(runs, bin), bins),
        ),
      ],
      units: `${worlds.length} simulated problems; ${runs.length} problems, ${seeds} seeds, and 64 samples of each for its difficulty`,
      tokens: total(runs.map(({ tokens }) => tokens)) + tokensOf(drawn),
    };
  },
};
