import { describe, expect, test } from "vitest";
import { cost } from "../../budget.ts";
import type { CandidateRecord, EvaluationRecord, RunRecord } from "../../record.ts";
import { syntheticEvaluation } from "../../testing/index.ts";
import { wilson } from "../intervals.ts";
import { reportOf } from "./report-of.ts";
import { isMissing } from "./report.ts";

const evaluation = ({
  methods,
  problems,
  seeds = 1,
  ...more
}: Partial<Omit<EvaluationRecord, "problems">> & { problems: number }): EvaluationRecord => ({
  id: "e",
  name: "tiny",
  task: "none",
  model: "none",
  parameters: null,
  methods: methods ?? ["majority", "a", "b"],
  budgets: [{ tokens: 100 }],
  problems: Array.from({ length: problems }, (_, i) => ({
    problem: { id: `${i + 1}`, prompt: "" },
    level: null,
    cluster: null,
  })),
  seeds,
  config: {},
  versions: {},
  revision: null,
  startedAt: 0,
  finishedAt: 1,
  ...more,
});

const run = (method: string, problem: number, more: Partial<RunRecord> = {}): RunRecord => ({
  id: `${method}/${problem}/${more.seed ?? 0}/${more.budget ?? 0}`,
  evaluation: "e",
  method,
  budget: 0,
  problem: `${problem}`,
  seed: 0,
  answer: "",
  canonical: "",
  correct: false,
  abstained: false,
  confidence: null,
  stopped: { why: "answered" },
  spent: { ...cost({ tokens: 10, promptTokens: 5, calls: 1 }), seconds: 2 },
  paid: cost({ tokens: 10, promptTokens: 5, calls: 1 }),
  failedSamples: 0,
  failedScores: 0,
  denied: 0,
  failure: null,
  ...more,
});

const eight = [1, 2, 3, 4, 5, 6, 7, 8];
const answers = (method: string, right: readonly number[], problems = eight): RunRecord[] =>
  problems.map((problem) => run(method, problem, { correct: right.includes(problem) }));

// Majority solves 1 and 2; `a` those and 3 to 7; `b` 1, 3, 4 and 5.
const tiny = [...answers("majority", [1, 2]), ...answers("a", [1, 2, 3, 4, 5, 6, 7]), ...answers("b", [1, 3, 4, 5])];

describe("a tiny evaluation, by hand", () => {
  test("accuracies with Wilson's intervals, differences, McNemar and Holm", () => {
    const { cells, baseline, runs } = reportOf(evaluation({ problems: 8 }), tiny);
    expect(baseline).toBe("majority");
    expect(runs).toMatchObject({ expected: 24, recorded: 24, ignored: 0, complete: true, tokens: 240, seconds: 48 });
    const [majority, a, b] = cells;
    expect(majority).toMatchObject({
      accuracy: { value: 2 / 8, ...wilson(2, 8) },
      difference: null,
      problems: 8,
      seeds: 1,
    });
    expect(a?.accuracy).toEqual({ value: 7 / 8, ...wilson(7, 8) });
    expect(b?.accuracy.value).toBe(4 / 8);
    // Five that only `a` solves against none: 2 · 2⁻⁵. Three against one: 2 · (1 + 4) / 2⁴.
    expect(a?.difference).toMatchObject({
      test: "McNemar",
      pairs: 8,
      unpaired: 0,
      p: { value: expect.closeTo(0.0625, 12) },
    });
    expect(b?.difference?.p.value).toBeCloseTo(0.625, 12);
    expect(a?.difference?.estimate.value).toBeCloseTo(5 / 8, 12);
    expect(b?.difference?.estimate.value).toBeCloseTo(2 / 8, 12);
    expect(a?.difference?.holm.value).toBeCloseTo(2 * 0.0625, 12);
    expect(b?.difference?.holm.value).toBeCloseTo(0.625, 12);
  });

  test("a method that was tried counts for Holm without having a run", () => {
    const { cells, runs } = reportOf(evaluation({ problems: 8, methods: ["majority", "a", "b", "c"] }), tiny);
    expect(runs.complete).toBe(false);
    expect(cells[1]?.difference).toMatchObject({ tried: 3, holm: { value: expect.closeTo(3 * 0.0625, 12) } });
    expect(cells[2]?.difference?.holm.value).toBe(1);
    expect(cells[3]).toMatchObject({ runs: 0, missing: 8, accuracy: { why: "there are no runs" } });
    expect(cells[3]?.difference).toMatchObject({
      p: { why: "no problem was answered by both" },
      holm: { why: "no problem was answered by both" },
    });
  });

  test("only problems that both have are paired, and the others are counted", () => {
    const some = tiny.filter(({ method, problem }) => method !== "b" || Number(problem) > 2);
    const { cells } = reportOf(evaluation({ problems: 8 }), some);
    // Left are 3 to 8: three that only `b` solves.
    expect(cells[2]).toMatchObject({ problems: 6, missing: 2 });
    expect(cells[2]?.difference).toMatchObject({ pairs: 6, unpaired: 2, p: { value: expect.closeTo(0.25, 12) } });
    expect(cells[2]?.difference?.estimate.value).toBeCloseTo(3 / 6, 12);
  });

  test("an abstention is not right, an unknown outcome does not count, a failed run is wrong", () => {
    const runs = [
      run("a", 1, { correct: true }),
      run("a", 2, { correct: null, abstained: true }),
      run("a", 3, { correct: null }),
      run("a", 4, { stopped: { why: "all-failed", failures: [] }, failedSamples: 3, denied: 1 }),
    ];
    const { cells } = reportOf(evaluation({ problems: 4, methods: ["a"] }), runs);
    expect(cells[0]?.accuracy.value).toBeCloseTo(1 / 3, 12);
    expect(cells[0]?.counts).toEqual({
      right: 1,
      wrong: 1,
      abstained: 1,
      unknown: 1,
      failed: 1,
      failedSamples: 3,
      failedScores: 0,
      denied: 1,
    });
  });

  test("seeds are averaged within their problem, and the test is by sign flips", () => {
    const runs = [0, 1].flatMap((seed) =>
      [1, 2, 3, 4, 5].flatMap((problem) => [
        run("majority", problem, { seed, correct: false }),
        run("a", problem, { seed, correct: seed === 0 || problem === 1 }),
      ]),
    );
    const { cells } = reportOf(evaluation({ problems: 5, seeds: 2, methods: ["majority", "a"] }), runs);
    expect(cells[1]?.accuracy.value).toBeCloseTo((1 + 4 * 0.5) / 5, 12);
    expect(cells[1]?.difference?.test).toBe("sign flips");
    // All five differences are positive: 2 of 32 sign patterns are as far.
    expect(Math.abs((cells[1]?.difference?.p.value ?? 0) - 2 / 32)).toBeLessThan(
      5 * Math.sqrt((0.0625 * 0.9375) / 9999),
    );
  });

  test("problems of one cluster are not told apart by McNemar", () => {
    const clustered = evaluation({ problems: 8 });
    const problems = clustered.problems.map((asked, i) => ({ ...asked, cluster: i < 4 ? "first" : "second" }));
    const { cells, evaluation: of } = reportOf({ ...clustered, problems }, tiny);
    expect(of.clusters).toBe(2);
    expect(cells[1]?.difference?.test).toBe("sign flips");
    // Two clusters, both positive: 2 of 4 patterns.
    expect(Math.abs((cells[1]?.difference?.p.value ?? 0) - 0.5)).toBeLessThan(0.025);
  });

  test("mean costs, operations where the parameters are known, and what was paid now", () => {
    const paid = tiny.map((one, i) => (one.method === "a" ? { ...one, paid: cost({ tokens: i % 2 ? 0 : 10 }) } : one));
    const [, a, b] = reportOf(evaluation({ problems: 8, parameters: 1e9 }), paid).cells;
    expect(b?.cost).toMatchObject({
      tokens: { value: 10 },
      promptTokens: { value: 5 },
      seconds: { value: 2 },
      dollars: { value: 0 },
    });
    expect(b?.cost.operations.value).toBe(2 * 1e9 * 15);
    expect(b?.paidShare.value).toBe(1);
    expect(a?.paidShare.value).toBeCloseTo((4 * 10) / (8 * 15), 12);
    expect(reportOf(evaluation({ problems: 8 }), tiny).cells[0]?.cost.operations.why).toBe(
      "the number of parameters is not known",
    );
  });
});

describe("candidates", () => {
  const candidate = (
    problem: number,
    node: number,
    correct: boolean,
    canonical: string,
    score: number,
  ): CandidateRecord => ({
    run: `majority/${problem}/0/0`,
    node: `${node}`,
    text: canonical,
    canonical,
    correct,
    logProb: null,
    length: 1,
    scores: { judge: score },
  });
  const drawn = [
    candidate(1, 0, true, "right", 1),
    ...[1, 2, 3].map((node) => candidate(1, node, false, "wrong", 2)),
    ...[0, 1].map((node) => candidate(2, node, true, "right", 2)),
    ...[2, 3].map((node) => candidate(2, node, false, `wrong ${node}`, 1)),
  ];

  test("coverage, votes and best of k are averages over subsets", () => {
    const { coverage } = reportOf(evaluation({ problems: 2 }), tiny.slice(0, 2), drawn);
    if (isMissing(coverage)) throw new Error(coverage.why);
    expect(coverage).toMatchObject({
      method: "majority",
      problems: 2,
      samples: 4,
      leftOut: 0,
      plateau: { value: 0.5 },
    });
    const values = (points: readonly { value: number | undefined }[]) => points.map(({ value }) => value);
    // One of four and two of four are right: (1/4 + 1/2)/2, (1/2 + 5/6)/2, 1.
    expect(values(coverage.passAtK)).toEqual([3 / 8, expect.closeTo(2 / 3, 12), 1]);
    // Of two votes a tie goes to the first: (1/4 + 1/2)/2. Of four, the first problem is lost, the second won.
    expect(values(coverage.majority)).toEqual([expect.closeTo(3 / 8, 9), expect.closeTo(3 / 8, 9), 0.5]);
    // The judge is wrong on the first problem, right on the second: (1/4 + 1/2)/2, (0 + 5/6)/2, 1/2.
    expect(values(coverage.bestOfK[0]?.points ?? [])).toEqual([3 / 8, expect.closeTo(5 / 12, 12), 0.5]);
  });

  test("the law goes through the curve, and on beyond it without an interval for so few problems", () => {
    const { coverage } = reportOf(evaluation({ problems: 2 }), tiny.slice(0, 2), drawn);
    if (isMissing(coverage) || isMissing(coverage.law)) throw new Error("there is no law");
    const { a, b, residual, extrapolated } = coverage.law;
    expect(extrapolated.map(({ k }) => k)).toEqual([8, 16, 32]);
    for (const { k, value, low } of extrapolated) {
      expect(value).toBe(Math.exp(a * k ** b));
      expect(low).toBeUndefined();
    }
    const errors = [3 / 8, 2 / 3, 1].map((value, i) => Math.exp(a * 2 ** (i * b)) - value);
    expect(residual).toBeCloseTo(Math.hypot(...errors) / Math.sqrt(3), 9);
  });

  test("problems with unjudged candidates are left out", () => {
    const unjudged = drawn.map((one) => (one.run === "majority/2/0/0" ? { ...one, correct: null } : one));
    const { coverage } = reportOf(evaluation({ problems: 2 }), tiny.slice(0, 2), unjudged);
    expect(coverage).toMatchObject({ problems: 1, leftOut: 1 });
    const none = drawn.map((one) => ({ ...one, correct: null }));
    expect(reportOf(evaluation({ problems: 2 }), tiny.slice(0, 2), none).coverage).toEqual({
      why: "no method with independent samples has judged candidates",
    });
  });

  test("a search's candidates are no independent samples", () => {
    const methods = ["beam:4"];
    const searched = drawn.map((one) => ({ ...one, run: one.run.replace("majority", "beam:4") }));
    const { coverage } = reportOf(evaluation({ problems: 2, methods }), [run("beam:4", 1), run("beam:4", 2)], searched);
    expect(isMissing(coverage)).toBe(true);
  });
});

test("the frontier is over problems that all have", () => {
  const dear = (one: RunRecord) => ({ ...one, spent: { ...cost({ tokens: 100 }), seconds: 1 } });
  const runs = tiny.map((one) => (one.method === "a" ? dear(one) : one));
  const { frontier } = reportOf(
    evaluation({ problems: 8 }),
    runs.filter(({ method, problem }) => method !== "b" || problem !== "8"),
  );
  if (isMissing(frontier)) throw new Error(frontier.why);
  expect(frontier.problems).toBe(7);
  expect(frontier.reference.cost).toBe(1000);
  expect(frontier.members.map(({ method, cost: tokens, onFrontier }) => [method, tokens, onFrontier])).toEqual([
    ["majority", 15, false],
    ["b", 15, true],
    ["a", 100, true],
  ]);
  // On these seven `b` has 4, `a` all: log10(100/15) · 4/7 + log10(1000/100) · 1.
  expect(frontier.hypervolume.value).toBeCloseTo((Math.log10(100 / 15) * 4) / 7 + 1, 12);
  expect(frontier.hypervolume.why).toBe("7 problems are too few for a bootstrap: it needs 100");
  const apart = tiny.filter(({ method, problem }) => (method === "a") === (problem === "1"));
  expect(reportOf(evaluation({ problems: 8 }), apart).frontier).toEqual({
    why: "no problem was answered by every method at every budget",
  });
});

test("levels stand in the order of their numbers, else in that of the problems", () => {
  const of = evaluation({ problems: 8 });
  const levelsOf = (names: readonly string[]) => {
    const problems = of.problems.map((asked, i) => ({ ...asked, level: names[i % names.length] as string }));
    return reportOf({ ...of, problems }, tiny).levels.map(({ level, cells }) => [level, cells[1]?.accuracy.value]);
  };
  // `a` solves all but the eighth.
  expect(levelsOf(["901-1000", "1-100"])).toEqual([["1-100", 3 / 4], ["901-1000", 1]]); // biome-ignore format: a table
  expect(levelsOf(["hard", "easy"])).toEqual([["hard", 1], ["easy", 3 / 4]]); // biome-ignore format: a table
});

test("confidences: one run a problem, the first seed that states one", () => {
  const runs = eight.flatMap((problem) => [
    run("a", problem, { seed: 0, correct: problem <= 4, confidence: problem === 1 ? null : 0.75 }),
    run("a", problem, { seed: 1, correct: true, confidence: 0.75 }),
  ]);
  const { confidence } = reportOf(evaluation({ problems: 8, seeds: 2, methods: ["a"] }), runs);
  expect(confidence[0]?.items).toBe(8);
  expect(confidence[0]?.bins).toMatchObject([{ count: 8, confidence: 0.75, accuracy: 0.5 }]);
  expect(confidence[0]?.calibrationError.value).toBeCloseTo(0.25, 12);
  expect(confidence[0]?.auroc.value).toBe(0.5);
});

test("problems of one cluster are drawn together in coverage, and elsewhere get no interval that takes them for many", () => {
  const asked = { problems: 240, tokens: [500, 1000], seeds: 1 };
  const alone = syntheticEvaluation(asked);
  const widthOf = ({ low = 0, high = 0 }: { low?: number | undefined; high?: number | undefined }) => high - low;
  // Every problem twice, as one cluster: no news, so that the intervals stay as they were (and would be 1/√2 as wide).
  const again = (id: string) => `${id} again`;
  const doubled = {
    ...alone.evaluation,
    problems: alone.evaluation.problems.flatMap(({ problem, level }) => [
      { problem, level, cluster: problem.id },
      { problem: { ...problem, id: again(problem.id) }, level, cluster: problem.id },
    ]),
  };
  const runs = alone.runs.flatMap((one) => [one, { ...one, id: again(one.id), problem: again(one.problem) }]);
  const candidates = alone.candidates.flatMap((one) => [one, { ...one, run: again(one.run) }]);
  const [once, twice] = [reportOf(alone.evaluation, alone.runs, alone.candidates), reportOf(doubled, runs, candidates)];
  if (isMissing(once.coverage) || isMissing(twice.coverage)) throw new Error("no coverage");
  for (const [i, point] of once.coverage.passAtK.entries()) {
    const other = twice.coverage.passAtK[i] as typeof point;
    expect(other.value).toBeCloseTo(point.value as number, 12);
    expect(widthOf(other)).toBeCloseTo(widthOf(point), 12);
  }
  expect(twice.coverage.law).toMatchObject({
    extrapolated: isMissing(once.coverage.law)
      ? []
      : once.coverage.law.extrapolated.map(({ k }) => ({ k, low: expect.any(Number) })),
  });
  if (isMissing(once.frontier) || isMissing(twice.frontier)) throw new Error("no frontier");
  expect(once.frontier.hypervolume.low).toBeDefined();
  expect(twice.frontier.hypervolume.why).toContain("problems come in clusters");
});

test("strangers and repetitions are ignored and counted; of repeated runs the last counts", () => {
  const runs = [
    ...tiny,
    run("majority", 8, { correct: true }),
    run("z", 1),
    run("a", 99),
    run("a", 1, { evaluation: "other" }),
    run("a", 1, { budget: 3 }),
    run("a", 1, { seed: 1 }),
  ];
  const report = reportOf(evaluation({ problems: 8 }), runs);
  expect(report.runs).toMatchObject({ recorded: 24, ignored: 6 });
  expect(report.cells[0]?.accuracy.value).toBe(3 / 8);
});

test("the order of records does not matter, and JSON gives the report back", () => {
  const { evaluation: record, runs, candidates } = syntheticEvaluation({ problems: 30, tokens: [500, 1000] });
  const report = reportOf(record, runs, candidates);
  expect(reportOf(record, runs.toReversed(), candidates)).toEqual(report);
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
});

test("says which baselines there are", () => {
  expect(() => reportOf(evaluation({ problems: 8 }), tiny, [], { baseline: "best" })).toThrow(
    new RangeError("Cannot compare with 'best' as the baseline must be one of the methods: majority, a, b"),
  );
  const { cells, baseline } = reportOf(evaluation({ problems: 8 }), tiny, [], { baseline: null });
  expect(baseline).toBeNull();
  expect(cells.every(({ difference }) => difference === null)).toBe(true);
});
