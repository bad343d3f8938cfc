import { describe, expect, test } from "vitest";
import { type Chain, play } from "../../test/helpers/chain.ts";
import { majority } from "../aggregators/majority.ts";
import { drawGamma } from "../math/distributions.ts";
import { logGamma } from "../math/special.ts";
import { random } from "../math/random.ts";
import { run } from "../run.ts";
import { lettersPolicy, lettersProblem } from "../testing/letters.ts";
import { adaptiveConsistency } from "./adaptive-consistency.ts";
import { dial } from "./effort.ts";
import { agreement, betaCriterion, dirichletCriterion, probabilityOfMost, probabilityToLead } from "./stopping.ts";

/** A solver that gives answer i with probability law[i]. */
const solver = (law: readonly number[]): Chain => ({
  letters: `${"abcdefgh".slice(0, law.length)}.`,
  maxLength: 1,
  law: (word) => (word === "" ? [...law, 0] : [...law.map(() => 0), 1]),
});
const aggregator = majority<string>({ canonical: ({ state }) => state[0] });

/** Σ_{j > b} C(n, j) / 2^n with n = a + b + 1, in whole numbers: P(p > 1/2 | a, b) under a uniform prior. */
function byWholeNumbers(a: number, b: number): number {
  const n = a + b + 1;
  let [choose, sum] = [1n, 0n];
  for (let j = 0; j <= n; j++) {
    if (j > b) sum += choose;
    choose = (choose * BigInt(n - j)) / BigInt(j + 1);
  }
  return Number((sum * 10n ** 18n) / 2n ** BigInt(n)) / 1e18;
}

interface Stop {
  readonly counts: readonly number[];
  readonly probability: number;
}

/** Every way in which the draws can end, with its probability, from the definition: after each draw, stop or go on. */
function stopsOf(law: readonly number[], most: number, stops: (counts: readonly number[]) => boolean): Stop[] {
  const ended: Stop[] = [];
  let open = new Map<string, number>([[law.map(() => 0).join(), 1]]);
  for (let draw = 1; draw <= most; draw++) {
    const next = new Map<string, number>();
    for (const [place, probability] of open)
      for (const [i, share] of law.entries()) {
        const counts = place.split(",").map((count, j) => Number(count) + Number(i === j));
        if (draw === most || stops(counts)) ended.push({ counts, probability: probability * share });
        else next.set(counts.join(), (next.get(counts.join()) ?? 0) + probability * share);
      }
    open = next;
  }
  return ended;
}
const falling = (counts: readonly number[]) => counts.filter((count) => count > 0).sort((a, b) => b - a);
const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const expectation = (stops: readonly Stop[], value: (counts: readonly number[]) => number) =>
  sum(stops.map(({ counts, probability }) => probability * value(counts)));

/** Means over runs within 4.5 standard errors: a false alarm in 150,000. */
function agrees(values: readonly number[], expected: number): void {
  const mean = sum(values) / values.length;
  const variance = sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
  expect(Math.abs(mean - expected)).toBeLessThanOrEqual(4.5 * Math.sqrt(variance / values.length));
}

describe("the Beta criterion", () => {
  test("is the tail of a binomial", () => {
    for (let a = 0; a < 30; a++)
      for (let b = 0; b <= a; b++) expect(probabilityToLead(a, b)).toBeCloseTo(byWholeNumbers(a, b), 12);
  });

  // How many votes the leader needs against so many of the runner-up; 4 to 0 has 1 − 2⁻⁵ = 0.969, 3 to 0 only 0.9375.
  test.each([
    [0.9, [3, 5, 6, 8, 9, 11]],
    [0.95, [4, 6, 8, 9, 11, 12]],
    [0.99, [6, 9, 11, 13, 14, 16]],
  ])("at %d stops at these leads", (threshold, table) => {
    const { judge } = betaCriterion({ threshold });
    const leastLead = (second: number) => {
      for (let first = second; ; first++)
        if (judge({ weights: second > 0 ? [first, second] : [first], last: () => [] }).stop) return first;
    };
    const byDefinition = (second: number) => {
      for (let first = second; ; first++) if (byWholeNumbers(first, second) >= threshold) return first;
    };
    expect(table.map((_, second) => leastLead(second))).toEqual(table.map((_, second) => byDefinition(second)));
    expect(table.map((_, second) => leastLead(second))).toEqual(table);
  });

  test("asks for no vote before there is one", () => {
    expect(betaCriterion().judge({ weights: [], last: () => [] })).toMatchObject({ stop: false });
  });
});

describe("the Dirichlet criterion", () => {
  test("with two answers is the Beta criterion, in ties fair", () => {
    for (const [a, b] of [
      [1, 0],
      [4, 0],
      [5, 3],
      [60, 41],
    ] as const)
      expect(probabilityOfMost([a, b])).toBeCloseTo(probabilityToLead(a, b), 9);
    expect(probabilityOfMost([1000, 930, 3])).toBeCloseTo(probabilityToLead(1000, 930), 9); // the third is out of reach
    for (const votes of [0, 1, 7, 100, 2000])
      for (const answers of [2, 3, 8])
        expect(probabilityOfMost(Array.from({ length: answers }, () => votes))).toBeCloseTo(1 / answers, 9);
  });

  test("with three answers is its closed form", () => {
    // ∫ f₁ F₂ F₃ with Fᵢ = 1 − e^−x Σ_{k < αᵢ} x^k / k!, term by term. Of (1, 0, 0): ∫ x e^−x (1 − e^−x)² = 1 − 2/4 + 1/9.
    expect(probabilityOfMost([1, 0, 0])).toBeCloseTo(1 - 2 / 4 + 1 / 9, 9);
    const term = (shape: number, power: number, rate: number, ...factorials: number[]) =>
      Math.exp(
        logGamma(shape + power) -
          logGamma(shape) -
          (shape + power) * Math.log(rate) -
          sum(factorials.map((k) => logGamma(k + 1))),
      );
    for (const [a, b, c] of [
      [3, 2, 1],
      [9, 9, 2],
      [20, 12, 12],
      [30, 0, 0],
    ] as const) {
      let exact = 1;
      for (let k = 0; k <= b; k++) exact -= term(a + 1, k, 2, k);
      for (let k = 0; k <= c; k++) exact -= term(a + 1, k, 2, k);
      for (let k = 0; k <= b; k++) for (let l = 0; l <= c; l++) exact += term(a + 1, k + l, 3, k, l);
      expect(probabilityOfMost([a, b, c])).toBeCloseTo(exact, 9);
    }
  });

  test("with six answers is what drawing from the posterior gives", () => {
    const counts = [7, 5, 3, 3, 1, 0];
    const stream = random(4);
    const wins = Array.from({ length: 20_000 }, () => {
      const [leader = 0, ...others] = counts.map((count) => drawGamma(count + 1, stream));
      return Number(others.every((other) => other < leader));
    });
    agrees(wins, probabilityOfMost(counts));
  });
});

describe("against the tree of all stops", () => {
  test.each([
    ["beta", [0.8, 0.2], betaCriterion()],
    ["beta", [0.55, 0.45], betaCriterion()],
    ["beta", [0.4, 0.3, 0.2, 0.1], betaCriterion()],
    ["dirichlet", [0.4, 0.3, 0.2, 0.1], dirichletCriterion()],
  ] as const)("%s on %j: draws, errors and the leader's share are as enumerated", (_, law, criterion) => {
    const most = 12;
    const judge = (counts: readonly number[]) => criterion.judge({ weights: falling(counts), last: () => [] }).stop;
    const stops = stopsOf(law, most, judge);
    expect(expectation(stops, () => 1)).toBeCloseTo(1, 12);
    const search = adaptiveConsistency<string>({ aggregator, criterion, most });
    const outcomes = Array.from({ length: 1000 }, (_, seed) => play(solver(law), search, seed));
    agrees(
      outcomes.map(({ draws }) => draws),
      expectation(stops, sum),
    );
    agrees(
      outcomes.map(({ confidence = 0 }) => confidence),
      expectation(stops, (counts) => Math.max(...counts) / sum(counts)),
    );
    // A tie goes to the earliest voter, so that only clear wins are compared.
    const wins = (counts: readonly number[]) => Number(counts.slice(1).every((count) => count < (counts[0] as number)));
    agrees(
      outcomes.map(({ tally }) => Number(tally[0]?.answer === "a" && tally[0].weight > (tally[1]?.weight ?? 0))),
      expectation(stops, wins),
    );
    expect(outcomes.every(({ draws, candidates, biased }) => draws === candidates.length && biased)).toBe(true);
  });

  test("where shares are drawn from the prior, what is stopped at 0.95 is wrong in less than 5%; at 0.55 to 0.45 in more", () => {
    const judge = (counts: readonly number[]) => probabilityToLead(Math.max(...counts), Math.min(...counts)) >= 0.95;
    // Of uniform p, exactly: a path to (a, b) has probability B(a + 1, b + 1) = ∫ p^a (1 − p)^b dp. Counted by stops at p = 1/2.
    const isDecided = (counts: readonly number[]) => judge(counts);
    const decided = stopsOf([0.5, 0.5], 60, judge).filter(({ counts }) => isDecided(counts));
    let [wrong, all] = [0, 0];
    for (const { counts, probability } of decided) {
      const [a, b] = counts as [number, number];
      const paths = probability * 2 ** (a + b);
      const mass = paths * Math.exp(logGamma(a + 1) + logGamma(b + 1) - logGamma(a + b + 2));
      all += mass;
      wrong += mass * (1 - probabilityToLead(Math.max(a, b), Math.min(a, b)));
    }
    expect(wrong / all).toBeLessThan(0.05);
    expect(wrong / all).toBeCloseTo(0.036, 3);
    const hard = stopsOf([0.55, 0.45], 60, judge).filter(({ counts }) => isDecided(counts));
    const errors = expectation(hard, ([a = 0, b = 0]) => Number(b > a)) / expectation(hard, () => 1);
    expect(errors).toBeCloseTo(0.21, 3);
  });

  test("the leader's share is too high: of a fair coin by more than in a vote of the same mean length", () => {
    const judge = (counts: readonly number[]) => probabilityToLead(Math.max(...counts), Math.min(...counts)) >= 0.95;
    const share = (counts: readonly number[]) => Math.max(...counts) / sum(counts);
    const stops = stopsOf([0.5, 0.5], 40, judge);
    const fixed = stopsOf([0.5, 0.5], Math.round(expectation(stops, sum)), () => false);
    expect(expectation(stops, share)).toBeGreaterThan(expectation(fixed, share) + 0.05);
  });
});

test("agreement: windows of equal answers come after a geometric number of windows", () => {
  const [p, window, most] = [0.7, 3, 30];
  const all = p ** window + (1 - p) ** window;
  const expected = (window * (1 - (1 - all) ** (most / window))) / all;
  const search = adaptiveConsistency<string>({ aggregator, criterion: agreement({ window }), most });
  const outcomes = Array.from({ length: 1000 }, (_, seed) => play(solver([p, 1 - p]), search, seed));
  agrees(
    outcomes.map(({ draws }) => draws),
    expected,
  );
  expect(outcomes.every(({ draws, ended }) => draws % window === 0 && (ended === "criterion" || draws === most))).toBe(
    true,
  );
});

test("the dial: on every single path more effort never draws less", () => {
  const efforts = [0, 0.1, 0.25, 0.5, 0.6, 0.8, 1];
  expect([0, 0.5, 1].map((effort) => dial(effort).most)).toEqual([1, 8, 64]);
  expect(play(solver([1]), adaptiveConsistency<string>({ aggregator, ...dial(0.5) }), 1).draws).toBe(4);
  expect(play(solver([1]), adaptiveConsistency<string>({ aggregator, ...dial(1) }), 1).draws).toBe(7);
  for (let seed = 0; seed < 60; seed++) {
    const draws = efforts.map(
      (effort) =>
        play(solver([0.5, 0.3, 0.2]), adaptiveConsistency<string>({ aggregator, ...dial(effort) }), seed).draws,
    );
    expect(draws).toEqual(draws.toSorted((a, b) => a - b));
    expect(draws[0]).toBe(1);
  }
});

test("what cannot be read casts no vote, what fails counts as a draw, and both let it end", () => {
  const mute = majority<string>({ canonical: ({ state }) => (state[0] === "b" ? undefined : state[0]) });
  const half = play(solver([0.5, 0.5]), adaptiveConsistency<string>({ aggregator: mute }), 1);
  expect([half.ended, half.tally.map(({ weight }) => weight)]).toEqual(["criterion", [4]]);
  const failing = play(solver([1]), adaptiveConsistency<string>({ aggregator, most: 5 }), 2, () => true);
  expect([failing.answer, failing.draws, failing.ended]).toEqual([undefined, 5, "most"]);
});

test("a round overshoots, and a spent budget ends it with what there is", async () => {
  const letters = majority<string>({ canonical: ({ state }) => state[0] });
  const search = adaptiveConsistency<string>({ aggregator: letters, most: 40, batch: 6 });
  expect(play(solver([1]), search, 1).draws).toBe(6);
  const { outcome, stopped } = await run(search, lettersProblem, {
    policy: lettersPolicy(),
    seed: 1,
    budget: { calls: 20 },
  });
  expect([stopped.why, outcome?.ended]).toEqual(["budget-spent", "budget"]);
  expect(outcome?.answer).toBeDefined();
  expect(outcome?.candidates.length).toBeLessThan(6);
});

test.each([
  ["threshold", () => betaCriterion({ threshold: 0.5 })],
  ["threshold", () => dirichletCriterion({ threshold: 1 })],
  ["window", () => agreement({ window: 0 })],
  ["most", () => adaptiveConsistency({ aggregator, most: 0 })],
  ["batch", () => adaptiveConsistency({ aggregator, batch: 1.5 })],
  ["effort", () => dial(1.1)],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
