/** Records of evaluations and runs, for tests of what keeps them. */
import { cost, noCost } from "../../src/budget.ts";
import type { EvaluationRecord, RunRecord } from "../../src/record.ts";
import type { FinishedRun } from "../../src/runs/store/index.ts";

export const evaluationNamed = (id: string, more: Partial<EvaluationRecord> = {}): EvaluationRecord => ({
  id,
  name: "sums",
  task: "arithmetic",
  model: "sapling",
  parameters: 200_000,
  methods: ["sample", "best-of-n:4"],
  budgets: [{ tokens: 100 }, {}],
  problems: [
    { problem: { id: "p0", prompt: "1 + 1 =", data: { answer: 2 } }, level: "easy", cluster: null },
    { problem: { id: "p1", prompt: [{ role: "user", content: "2 + 2 =" }] }, level: null, cluster: "c" },
  ],
  seeds: 2,
  config: { b: [1, null], a: "x" },
  versions: { node: "24" },
  revision: "abc+",
  startedAt: 1_700_000_000_000,
  finishedAt: null,
  ...more,
});

/** A run of evaluation `e` with two candidates. */
export const finishedRun = (id: string, more: Partial<RunRecord> = {}): FinishedRun => ({
  record: {
    id,
    evaluation: "e",
    method: "sample",
    budget: 0,
    problem: "p0",
    seed: 0,
    answer: "1 + 1 = 2",
    canonical: "2",
    correct: true,
    abstained: false,
    confidence: 1 / 3,
    stopped: { why: "answered" },
    spent: { tokens: 12, promptTokens: 7, cachedTokens: 14, calls: 2, nanodollars: 5e9, seconds: 0.1 },
    paid: cost({ tokens: 6, calls: 1 }),
    failedSamples: 0,
    failedScores: 1,
    denied: 2,
    failure: null,
    ...more,
  },
  candidates: [
    {
      run: id,
      node: "0.0",
      text: "1 + 1 = 2",
      canonical: "2",
      correct: true,
      logProb: -0.1 - 0.2,
      length: 6,
      scores: { value: 0.7, "judge, strict": -1e-300 },
    },
    { run: id, node: "0.1", text: "", canonical: null, correct: null, logProb: null, length: 0, scores: {} },
  ],
});

/** What no database keeps by itself, and what text formats trip over. */
export const hostileTexts: readonly string[] = [
  "",
  "nul \0 inside",
  "half a pair \ud800",
  "\ue0ffmarked",
  'quotes " and , commas',
  "lines\r\nand\nmore\u2028\u2029",
  "'; drop table runs; --",
  "$1 ?1 %s",
  "🌲 ponderosa",
  "__proto__",
];

/** Every ending that a run can have, with all that may be null being so. */
export const endings: readonly FinishedRun[] = [
  finishedRun("answered"),
  finishedRun("spent", { stopped: { why: "budget-spent", limit: "promptTokens" }, seed: 2 ** 53 - 1 }),
  finishedRun("aborted", { stopped: { why: "aborted" }, abstained: true, correct: false }),
  finishedRun("failed", {
    stopped: { why: "all-failed", failures: [{ code: "timeout", message: "late \0" }] },
    failure: { code: "timeout", message: "late \0" },
  }),
  {
    record: {
      ...finishedRun("empty").record,
      stopped: { why: "no-answer" },
      answer: null,
      canonical: null,
      correct: null,
      confidence: null,
      paid: noCost,
    },
    candidates: [],
  },
];
