/** Whether to revise one answer or to draw many depends on how hard the problem is. */
import { bootstrap, type Estimate } from "../src/measure/index.ts";
import { reviseByRewind, validLines } from "../src/policies/revision.ts";
import { text } from "../src/policies/text.ts";
import { run } from "../src/run.ts";
import type { Scorer } from "../src/scorer.ts";
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
import type { Measurement, Phenomenon, Point } from "./phenomenon.ts";
import { judged } from "./phenomenon.ts";
import {
  countdownPool,
  maxTokens,
  mean,
  meanOver,
  modelNamed,
  problemOf,
  shareOver,
  shown,
  tokensOf,
  total,
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

const truth: Scorer<SimulatedState> = {
  name: "truth",
  kind: "verdict",
  score: ({ state }) => ({ kind: "verdict", correct: state.answer === "right" }),
};

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
  units: { full: 240, quick: 2 },
  async measure(unit) {
    const problem = problemOf(countdown, unit);
    const model = await modelNamed("sapling");
    const scorer = verifier(countdown);
    const revise = reviseByRewind(model, { maxTokens, valid: validLines(countdown) });
    const searches = [bestOfN({ n: 100 }), refine({ revise, rounds: 100, name: "rewind" })];
    const solved = [0, 0];
    let tokens = 0;
    for (let seed = 0; seed < seeds; seed++)
      for (const [i, search] of searches.entries()) {
        const policy = text(model, { maxTokens, stream: false });
        const result = await run(search, problem, { policy, scorer, seed: 100 + seed, budget: { tokens: budget } });
        const isRight = result.text !== undefined && countdown.check(problem, result.text).correct;
        solved[i] = (solved[i] as number) + Number(isRight) / seeds;
        tokens += result.spent.tokens;
      }
    return { parallel: solved[0] as number, sequential: solved[1] as number, tokens };
  },
};

/** (sequential − parallel) where `isEasy`, less the same where not; problems are drawn anew as they are, hard or easy. */
function interaction(rows: readonly Row[], isEasy: readonly boolean[]): Estimate {
  return bootstrap(rows.length, (counts) => {
    const [sums, sizes] = [
      [0, 0],
      [0, 0],
    ];
    for (const [i, { parallel, sequential }] of rows.entries()) {
      const half = Number(isEasy[i]);
      sums[half] = (sums[half] as number) + (counts[i] as number) * (sequential - parallel);
      sizes[half] = (sizes[half] as number) + (counts[i] as number);
    }
    const [hard = 0, easy = 0] = sums.map((sum, half) => sum / (sizes[half] as number));
    return Number.isFinite(easy - hard) ? easy - hard : undefined;
  });
}

export const difficultyDecides: Phenomenon = {
  name: "difficulty",
  title: "Difficulty decides between revising and sampling",
  claim:
    "At equal compute, revising one answer again and again is best on easy problems, while hard ones need several independent attempts.",
  source: {
    text: "Snell et al. 2024, Scaling LLM Test-Time Compute Optimally",
    url: "https://arxiv.org/abs/2408.03314",
  },
  method:
    "Simulated, with their explanation planted: a first approach is a dead end more often the harder the problem, a revision stays in its approach and is right twice as often as a first answer; six attempts either way. Sapling: best of n against refinement, which keeps the valid lines before the first wrong one and draws the rest anew; 240 countdown problems, 240 tokens a run, four seeds, difficulty being the share of 64 other samples that are right.",
  rule: "In both: sequential less parallel on the easier half of the problems, less the same on the harder half, lies above 0.",
  why: "On sapling the sign is the claimed one, but the interval holds zero. Its refinement is no trained reviser either: it keeps the lines that a checker passes, and so the dead end that a valid line may have led to, which costs it the hardest fifth.",
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
    const inBin = (bin: number): Row[] =>
      runs.filter((_, i) => Math.floor(((place[i] as number) * bins) / runs.length) === bin);
    const points = (of: (bin: number) => readonly Row[], count: number): Point[] =>
      Array.from({ length: count }, (_, bin) =>
        (["sequential", "parallel"] as const).map((series): Point => {
          const { value, low, high } = shareOver(of(bin).map((row) => row[series]));
          return { series, x: bin + 1, y: value ?? 0, low, high };
        }),
      ).flat();
    const ofLevel = (level: number): Row[] => worlds.filter((_, i) => levelOf(i) === level);
    const difference = (of: readonly Row[]): string => shown(meanOver(of.map((row) => row.sequential - row.parallel)));
    return {
      effects: [
        judged({
          name: "sequential less parallel, easy less hard",
          world: "simulated",
          unit: "points",
          estimate: planted,
        }),
        judged({
          name: "sequential less parallel, easier half less harder half",
          world: "sapling",
          unit: "points",
          estimate: measured,
        }),
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
          difference(inBin(bin)),
          (100 * mean(ease.filter((_, i) => Math.floor(((place[i] as number) * bins) / runs.length) === bin))).toFixed(
            1,
          ),
        ]),
      },
      panels: [
        {
          kind: "curves",
          title: "Simulated, dead ends planted",
          x: { label: "difficulty, 1 the easiest", domain: [1, 5] },
          y: { label: "solved", percent: true, domain: [0, 1] },
          points: points(ofLevel, deadEnds.length),
        },
        {
          kind: "curves",
          title: `Sapling, countdown, ${budget} tokens`,
          x: { label: "difficulty, fifths by pass@1", domain: [1, 5] },
          y: { label: "solved", percent: true, domain: [0, 1] },
          points: points(inBin, bins),
        },
      ],
      outlay: {
        units: `${worlds.length} simulated problems; ${runs.length} problems, ${seeds} seeds, and 64 samples of each for its difficulty`,
        tokens: total(runs.map(({ tokens }) => tokens)) + tokensOf(drawn),
      },
    };
  },
};
