/**
 * An evaluation that never was: problems of known difficulty, methods that answer by chance, all of it out of one seed. For tests and
 * pictures of whatever reads records; its accuracies, prices and confidences look like those of real ones.
 */
import { type Budget, type Cost, cost } from "../budget.ts";
import type { Stopped } from "../event.ts";
import { fold, key } from "../key.ts";
import { type Random, random } from "../math/random.ts";
import type { AskedProblem, CandidateRecord, EvaluationRecord, RunRecord } from "../record.ts";

export interface SyntheticEvaluationOptions {
  /** @default 200 */
  readonly problems?: number;
  /** Any labels; what they start with says what they do: see `answer`. @default five of them */
  readonly methods?: readonly string[];
  /** Of tokens; an answer takes about 250. @default [500, 2000, 8000] */
  readonly tokens?: readonly number[];
  /** @default 3 */
  readonly seeds?: number;
  /** @default "mixed" */
  readonly outcome?: "mixed" | "right" | "wrong" | "failed";
  /** Problems of one source, as many as this. @default 1 */
  readonly clusterSize?: number;
  /** @default 0 */
  readonly seed?: number;
}

export interface SyntheticEvaluation {
  readonly evaluation: EvaluationRecord;
  readonly runs: readonly RunRecord[];
  readonly candidates: readonly CandidateRecord[];
}

const defaultMethods = ["greedy", "majority", "best-of-n", "adaptive-vote", "beam"];
const levels = ["easy", "medium", "hard"];
const tokensOfAnswer = 250;
const promptTokens = 180;
/** US dollars for a million tokens: 0.15 read, 0.60 generated. */
const priceOf = (tokens: number, prompt: number): number => tokens * 600 + prompt * 150;

/** Half a second for the defaults: 9,000 runs, 50,000 candidates. */
export function syntheticEvaluation({
  problems: count = 200,
  methods = defaultMethods,
  tokens: limits = [500, 2000, 8000],
  seeds = 3,
  outcome = "mixed",
  clusterSize = 1,
  seed = 0,
}: SyntheticEvaluationOptions = {}): SyntheticEvaluation {
  const root = key(seed);
  const problems = Array.from({ length: count }, (_, i): AskedProblem => {
    const id = `problem-${String(i + 1).padStart(3, "0")}`;
    const cluster = clusterSize > 1 ? `source-${Math.floor(i / clusterSize) + 1}` : null;
    return { problem: { id, prompt: `What is ${i} + ${i}?` }, level: levels[i % levels.length] as string, cluster };
  });
  const budgets = limits.map((tokens): Budget => ({ tokens }));
  const runs: RunRecord[] = [];
  const candidates: CandidateRecord[] = [];
  for (const [index, limit] of limits.entries())
    for (const [i, { problem }] of problems.entries()) {
      const rate = rateOf(random(fold(fold(root, "problem"), i)), i % levels.length, outcome);
      for (let s = 0; s < seeds; s++) {
        // The same samples for every method, and of a small budget the first of a large one's.
        const samples = samplesOf(random(fold(fold(fold(root, "samples"), i), s)), rate, limit);
        for (const [m, method] of methods.entries()) {
          const id = `${index}/${method}/${problem.id}/${s}`;
          const stream = random(fold(fold(fold(fold(fold(root, method), m), index), i), s));
          const chosen = outcome === "failed" ? failed : answer(method, samples, rate, limit, stream);
          runs.push({
            id,
            evaluation: "synthetic",
            method,
            budget: index,
            problem: problem.id,
            seed: s,
            answer: chosen.text,
            canonical: chosen.text,
            correct: chosen.abstained ? null : chosen.correct,
            abstained: chosen.abstained,
            confidence: chosen.confidence,
            stopped: chosen.stopped,
            spent: { ...costOf(chosen.tokens, chosen.calls), seconds: 0.4 + chosen.tokens / 900 },
            // Best of n draws what the vote has drawn already.
            paid: costOf(
              ...(method.startsWith("best-of-n") ? ([0, 0] as const) : ([chosen.tokens, chosen.calls] as const)),
            ),
            failedSamples: outcome === "failed" ? 4 : Number(stream.uniform() < 0.01),
            failedScores: 0,
            denied: chosen.denied,
            failure: outcome === "failed" ? { code: "unavailable", message: "The server cannot be reached" } : null,
          });
          if (chosen.keeps)
            for (const [n, sample] of samples.entries())
              candidates.push({
                run: id,
                node: `0#${n}`,
                text: sample.text,
                canonical: sample.text,
                correct: sample.correct,
                logProb: sample.logProb,
                length: sample.length,
                scores: method.startsWith("best-of-n") ? { verifier: sample.score, likelihood: sample.logProb } : {},
              });
        }
      }
    }
  const evaluation: EvaluationRecord = {
    id: "synthetic",
    name: "Synthetic evaluation",
    task: "addition",
    model: "simulated-8b",
    parameters: 8e9,
    methods,
    budgets,
    problems,
    seeds,
    config: { seed, problems: count, seeds },
    versions: { ponderosa: "0.1.0", node: "24.21.0" },
    revision: "0123abc",
    startedAt: Date.UTC(2026, 0, 5, 9),
    finishedAt: Date.UTC(2026, 0, 5, 9, 47),
  };
  return { evaluation, runs, candidates };
}

interface Sample {
  readonly text: string;
  readonly correct: boolean;
  readonly score: number;
  readonly logProb: number;
  readonly length: number;
}

/** The chance that one sample is right; some hard problems are never solved. */
function rateOf(stream: Random, level: number, outcome: string): number {
  if (outcome !== "mixed") return Number(outcome === "right");
  if (level === 2 && stream.uniform() < 0.2) return 0;
  const logit = [1.2, -0.3, -2][level] as number;
  return 1 / (1 + Math.exp(-logit - 1.4 * stream.normal()));
}

/** As many as the budget has room for, at least one. Wrong answers are not alike: two of six are frequent. */
function samplesOf(stream: Random, rate: number, limit: number): Sample[] {
  return Array.from({ length: Math.max(1, Math.floor(limit / tokensOfAnswer)) }, () => {
    const correct = stream.uniform() < rate;
    const text = correct ? "right" : `wrong ${1 + stream.weighted([5, 3, 1, 1, 1, 1])}`;
    const score = stream.normal() + (correct ? 1.4 : 0);
    const logProb = -40 + 8 * stream.normal() + (correct ? 4 : 0);
    return { text, correct, score, logProb, length: 150 + stream.integer(160) };
  });
}

interface Chosen {
  readonly text: string | null;
  readonly correct: boolean;
  readonly abstained: boolean;
  readonly confidence: number | null;
  readonly tokens: number;
  readonly calls: number;
  readonly denied: number;
  /** Whether its candidates are recorded. */
  readonly keeps: boolean;
  readonly stopped: Stopped;
}

const failed: Chosen = {
  text: null,
  correct: false,
  abstained: false,
  confidence: null,
  tokens: 0,
  calls: 4,
  denied: 0,
  keeps: false,
  stopped: { why: "all-failed", failures: [{ code: "unavailable", message: "The server cannot be reached" }] },
};

/** `greedy` takes one, `majority` votes, `best-of-n` goes by score, `adaptive-vote` stops early or abstains; others search. */
function answer(method: string, samples: readonly Sample[], rate: number, limit: number, stream: Random): Chosen {
  const said = (sample: Sample, used: readonly Sample[], confidence: number | null = null): Chosen => ({
    ...failed,
    text: sample.text,
    correct: sample.correct,
    confidence,
    tokens: used.reduce((sum, { length }) => sum + length, 0),
    calls: used.length,
    keeps: true,
    stopped: { why: "answered" },
  });
  const [first] = samples as [Sample, ...Sample[]];
  if (method.startsWith("greedy")) return { ...said(first, [first]), keeps: false };
  if (method.startsWith("best-of-n"))
    return said(
      samples.reduce((a, b) => (b.score > a.score ? b : a)),
      samples,
    );
  if (method.startsWith("majority")) return said(...voted(samples));
  if (method.startsWith("adaptive-vote")) {
    const enough = samples.findIndex((_, i) => i >= 2 && voted(samples.slice(0, i + 1))[2] >= 0.8);
    const chosen = said(...voted(enough < 0 ? samples : samples.slice(0, enough + 1)));
    return { ...chosen, keeps: false, abstained: (chosen.confidence ?? 1) < 0.3 };
  }
  // A search by a value: better with more, sure of itself beyond reason, and cut short now and then.
  const lift = 0.45 * Math.log(samples.length) + 0.3 * stream.normal();
  const reached = rate === 0 || rate === 1 ? rate : 1 / (1 + Math.exp(-Math.log(rate / (1 - rate)) - lift));
  const correct = stream.uniform() < reached;
  const sample = { ...first, correct, text: correct ? "right" : "wrong 1" };
  const confidence = Math.min(0.99, Math.max(0.05, Math.sqrt(reached) + 0.08 * stream.normal()));
  const isCut = stream.uniform() < 0.04;
  return {
    ...said(sample, samples, confidence),
    keeps: false,
    tokens: Math.round(limit * (0.75 + 0.25 * stream.uniform())),
    denied: isCut ? 2 : 0,
    stopped: isCut ? { why: "budget-spent", limit: "tokens" } : { why: "answered" },
  };
}

/** The first of the most frequent answers, those who voted, and its share of the votes. */
function voted(samples: readonly Sample[]): [winner: Sample, samples: readonly Sample[], share: number] {
  const groups = [...Map.groupBy(samples, ({ text }) => text).values()];
  const most = groups.reduce((a, b) => (b.length > a.length ? b : a));
  return [most[0] as Sample, samples, most.length / samples.length];
}

const costOf = (tokens: number, calls: number): Cost =>
  cost({
    tokens,
    promptTokens: calls * promptTokens,
    calls,
    nanodollars: priceOf(tokens, calls * promptTokens),
  });
