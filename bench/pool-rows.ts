/** The policies that `pools.ts` compares, and the settings among which it chooses. */
import { majority } from "../src/aggregators/majority.ts";
import {
  adaptiveConsistency,
  betaCriterion,
  deepConf,
  earlyPruning,
  optimalStopping,
  selfAssessment,
} from "../src/allocate/index.ts";
import type { Node } from "../src/node.ts";
import type { ReplayState } from "../src/policies/replay.ts";
import type { PoolProblem } from "../src/pool.ts";
import type { Search } from "../src/search.ts";
import { bestOfN } from "../src/search/sampling/best-of-n.ts";
import { vote } from "../src/search/sampling/vote.ts";

/** A policy with its setting. */
export interface Setting {
  readonly label: string;
  readonly step: "answer" | "step";
  readonly scorer?: "verifier" | "value-token" | "likelihood";
  readonly search: (problem: PoolProblem) => Search<ReplayState>;
}

const whole = (label: string, scorer: Setting["scorer"], search: Setting["search"]): Setting => ({
  label,
  step: "answer",
  ...(scorer && { scorer }),
  search,
});
const stepwise = (label: string, scorer: Setting["scorer"], search: Setting["search"]): Setting => ({
  ...whole(label, scorer, search),
  step: "step",
});

const canonicalIn =
  ({ samples }: PoolProblem) =>
  ({ state: { sample } }: Node<ReplayState>) =>
    (sample === undefined ? undefined : samples[sample]?.canonical) ?? undefined;
const majorityOf = (problem: PoolProblem) => majority<ReplayState>({ canonical: canonicalIn(problem) });
const grid = <A, B, T>(as: readonly A[], bs: readonly B[], make: (a: A, b: B) => T): T[] =>
  as.flatMap((a) => bs.map((b) => make(a, b)));

const most = 64;
/** More than any budget here affords: the budget ends the run. */
const many = 1000;
export interface Study {
  readonly knows: string;
  readonly baseline: Setting;
  readonly kinds: readonly { readonly name: string; readonly settings: readonly Setting[] }[];
}

const fewer = (scorer: "verifier" | "value-token") => ({
  name: "best of n",
  settings: [8, 12, 16, 24, 32, 48].map((n) => whole(`n ${n}`, scorer, () => bestOfN({ n }))),
});

export const studies: readonly Study[] = [
  {
    knows: "verifier",
    baseline: whole("best of 64", "verifier", () => bestOfN({ n: most })),
    kinds: [
      fewer("verifier"),
      {
        name: "first accepted",
        settings: [whole("one by one", "verifier", () => selfAssessment({ enough: 1, most }))],
      },
      {
        name: "first accepted, 8 at once",
        settings: [whole("8 at once", "verifier", () => selfAssessment({ enough: 1, most, batch: 8 }))],
      },
    ],
  },
  {
    knows: "value",
    baseline: whole("best of 64", "value-token", () => bestOfN({ n: most })),
    kinds: [
      fewer("value-token"),
      {
        name: "optimal stopping",
        settings: [0.02, 0.005, 0.001].map((cost) =>
          whole(`cost ${cost}`, "value-token", () => optimalStopping({ cost, most })),
        ),
      },
      {
        name: "early pruning",
        settings: [24, 32].flatMap((n) =>
          grid([[1], [1, 2]], [0.5, 0.25], (after, keep) =>
            stepwise(`n ${n}, after ${after.join(" and ")}, keep ${keep}`, "value-token", () =>
              earlyPruning({ n, after, keep }),
            ),
          ),
        ),
      },
      {
        name: "self-assessment",
        settings: [16, 32].flatMap((most) =>
          grid([0.8, 0.9], [0.3, 0.4, 0.5], (enough, giveUp) =>
            stepwise(`enough ${enough}, give up below ${giveUp}, most ${most}`, "value-token", () =>
              selfAssessment({ enough, most, after: [1, 2], giveUp }),
            ),
          ),
        ),
      },
    ],
  },
  {
    knows: "votes",
    baseline: whole("majority of 64", undefined, (problem) => vote({ n: most, aggregator: majorityOf(problem) })),
    kinds: [
      {
        name: "adaptive consistency",
        settings: [0.8, 0.95].map((threshold) =>
          whole(`threshold ${threshold}`, undefined, (problem) =>
            adaptiveConsistency({ aggregator: majorityOf(problem), criterion: betaCriterion({ threshold }), most }),
          ),
        ),
      },
      {
        name: "DeepConf",
        settings: grid([8], [0.9, 0.5, 0.1], (warmUp, keep) =>
          stepwise(`warm-up ${warmUp}, keep ${keep}`, undefined, (problem) =>
            deepConf({ canonical: canonicalIn(problem), window: 16, warmUp, keep, most, batch: 4 }),
          ),
        ),
      },
    ],
  },
];

/** With the same tokens; chosen beforehand to fit them, not fitted. */
export const matched: readonly (readonly [knows: string, name: string, setting: Setting])[] = [
  ["nothing", "majority", whole("", undefined, (problem) => vote({ n: many, aggregator: majorityOf(problem) }))],
  [
    "nothing",
    "adaptive consistency, 0.95",
    whole("", undefined, (problem) => adaptiveConsistency({ aggregator: majorityOf(problem), most: many })),
  ],
  [
    "log p",
    "DeepConf, warm-up 8, keep 0.1",
    stepwise("", undefined, (problem) =>
      deepConf({ canonical: canonicalIn(problem), window: 16, warmUp: 8, keep: 0.1, most: many }),
    ),
  ],
  ["log p", "best of n, likelihood", whole("", "likelihood", () => bestOfN({ n: many }))],
  ["value", "best of n", whole("", "value-token", () => bestOfN({ n: many }))],
  [
    "value",
    "optimal stopping, cost 0.005",
    whole("", "value-token", () => optimalStopping({ cost: 0.005, most: many })),
  ],
  [
    "value",
    "early pruning, n 24, after 1, keep 0.25",
    stepwise("", "value-token", () => earlyPruning({ n: 24, keep: 0.25 })),
  ],
  [
    "value",
    "self-assessment, enough 0.9, give up below 0.4",
    stepwise("", "value-token", () => selfAssessment({ enough: 0.9, after: [1, 2], giveUp: 0.4, most: many })),
  ],
  ["verifier", "best of n", whole("", "verifier", () => bestOfN({ n: many }))],
  ["verifier", "first accepted", whole("", "verifier", () => selfAssessment({ enough: 1, most: many }))],
];

const accepted = (n: number): Setting =>
  whole(`first accepted of ${n}`, "verifier", () => selfAssessment({ enough: 1, most: n }));
const liked = (n: number): Setting => whole(`best of ${n}`, "value-token", () => bestOfN({ n }));
export interface CascadeStudy {
  readonly knows: string;
  /** Of sapling, as are those in `seconds`; those in `firsts` are of seedling. */
  readonly alone: Setting;
  readonly seconds: readonly Setting[];
  readonly firsts: readonly Setting[];
}
export const cascades: readonly CascadeStudy[] = [
  { knows: "verifier", alone: accepted(64), seconds: [32, 48, 64].map(accepted), firsts: [4, 16, 64].map(accepted) },
  { knows: "value", alone: liked(16), seconds: [8, 16].map(liked), firsts: [1, 4, 16].map(liked) },
];
