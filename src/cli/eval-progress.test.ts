import { expect, test, vi } from "vitest";
import { cost, noCost } from "../budget.ts";
import type { RunNews } from "../eval/session.ts";
import type { EvaluationRecord } from "../record.ts";
import type { CliContext } from "./context.ts";
import { progressView } from "./eval-progress.ts";

const record = {
  name: "named",
  model: "any",
  methods: ["a", "b"],
  budgets: [{}],
  problems: [{ problem: { id: "p", prompt: "" }, level: null, cluster: null }],
  seeds: 3,
} as unknown as EvaluationRecord;

const run = (id: string, more: Partial<RunNews> = {}): RunNews => ({
  id,
  spent: { ...cost({ tokens: 30 }), seconds: 1 },
  paid: cost({ tokens: 10 }),
  failedSamples: 0,
  failedScores: 0,
  stopped: { why: "answered" },
  failure: null,
  ...more,
});

function viewed(terminal?: { columns: number }, quiet = false) {
  let written = "";
  let milliseconds = 0;
  const stderr = { write: (text: string) => void (written += text), ...(terminal && { isTTY: true, ...terminal }) };
  const context = { process: { stderr, env: {} } } as unknown as CliContext;
  const view = progressView(context, quiet, () => milliseconds);
  return {
    view,
    /** What is written while nothing happens but a second. */
    later(ms: number): string {
      milliseconds = ms;
      written = "";
      vi.advanceTimersByTime(1000);
      return written;
    },
    at(ms: number, event: Parameters<typeof view.event>[0]): string {
      milliseconds = ms;
      written = "";
      view.event(event);
      return written;
    },
  };
}

const begin = (done: number, inDoubt: readonly number[] = []) =>
  ({
    type: "begin",
    record,
    done,
    total: 6,
    inDoubt: inDoubt.map((requests) => ({
      requests,
      worst: cost({ tokens: 50 }),
      model: "any",
      owner: "dead",
      startedAt: 0,
    })),
    notes: [],
  }) as const;

test("without a terminal there is a line every five seconds at most, with rates, costs and the time left", () => {
  const { at } = viewed();
  expect(at(0, begin(2))).toBe(
    "named · any · 2 methods × 1 budget × 1 problem × 3 seeds = 6 runs\nGoing on: 2 of 6 runs are there.\n",
  );
  expect(at(4000, { type: "run", run: run("a") })).toBe("");
  expect(at(5000, { type: "run", run: run("b") })).toBe(
    "66% · 4 of 6 runs · 5 s left · 0.4 runs/s · 20 tokens paid, 40 out of the ledger · 4 tokens/s\n",
  );
  expect(at(6000, { type: "run", run: run("c") })).toBe("");
  // The same run once more, from a fresh worker, counts once.
  expect(at(10_000, { type: "run", run: run("c") })).toContain("83% · 5 of 6 runs");
});

test("on a terminal one line is written over and over, never wider than it", () => {
  const { at } = viewed({ columns: 40 });
  at(0, begin(0));
  expect(at(200, { type: "run", run: run("a") })).toBe("\r16% · 1 of 6 runs · 1 s left\x1b[K"); // no room for more
  expect(at(250, { type: "run", run: run("b") })).toBe("");
  expect(at(300, { type: "run", run: run("c") })).toContain("\r50%");
});

test("on a terminal the line is there before the first run ends, and time passes on it", () => {
  vi.useFakeTimers();
  try {
    const { at, view, later } = viewed({ columns: 80 });
    expect(at(200, begin(0))).toMatch(/\r0% · 0 of 6 runs · 0 tokens paid\x1b\[K$/);
    at(1200, { type: "run", run: run("a") });
    expect(later(2200)).toContain("\r16% · 1 of 6 runs · 10 s left · 0.5 runs/s");
    view.end();
    expect(later(9999)).toBe("");
  } finally {
    vi.useRealTimers();
  }
});

test("failures, deaths and what is in doubt are said; dollars where there are some", () => {
  const { at, view } = viewed();
  expect(at(0, begin(0, [3, 1]))).toContain(
    "4 requests were in flight: at most so many were paid and lost, 100 tokens",
  );
  const failed = { failedSamples: 2, failure: { code: "unavailable", message: "It is down" } } as const;
  expect(at(1, { type: "run", run: run("a", failed) })).toBe("First failure: It is down\n");
  expect(at(2, { type: "run", run: run("b", failed) })).toBe("");
  expect(at(3, { type: "worker-died", reason: "out of memory", groups: 2 })).toContain("out of memory");
  const dear = { paid: { ...noCost, nanodollars: 123_000_000 } };
  expect(at(6000, { type: "run", run: run("c", dear) })).toMatch(/ left · 2 runs with failures · .* · \$0\.12 · /);
  expect(view.end()).toMatchObject({ done: 3, failedRuns: 2, lostRuns: 0 });
});

test("quiet says nothing", () => {
  const { at } = viewed({ columns: 80 }, true);
  expect(at(0, begin(2, [1])) + at(6000, { type: "run", run: run("a") })).toBe("");
});
