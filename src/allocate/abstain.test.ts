import { describe, expect, test } from "vitest";
import { majority } from "../aggregators/majority.ts";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { run } from "../run.ts";
import { vote } from "../search/sampling/vote.ts";
import { lettersPolicy, lettersProblem } from "../testing/letters.ts";
import { abstaining, answerThreshold, binomialTail, riskAtMost, riskThreshold, utilityAt } from "./abstain.ts";

/** Confidences uniform in [0, 1], right with probability `rightAt` of them. */
function items(n: number, seed: number, rightAt: (confidence: number) => number) {
  const stream = random(fold(key(41), seed));
  const confidences = Array.from({ length: n }, () => stream.uniform());
  return { confidences, correct: confidences.map((one) => stream.uniform() < rightAt(one)) };
}

describe("by utilities", () => {
  test.each([
    [{ wrong: 0 }, 0],
    [{ wrong: -1 }, 1 / 2],
    [{ wrong: -20 }, 20 / 21],
    [{ right: 2, wrong: -1, silent: 0.5 }, 1.5 / 3],
    [{ wrong: -1, silent: -2 }, 0],
    [{ wrong: -1, silent: 2 }, 1.5],
  ])("%j: from %d on", (stakes, threshold) => {
    expect(answerThreshold(stakes)).toBeCloseTo(threshold, 15);
  });

  test.each([0, 1, 20])(
    "with a calibrated uniform confidence and a loss of %d, the utility is 1 / (2 (1 + c))",
    (loss) => {
      const stakes = { wrong: -loss };
      const n = 20_000;
      const { confidences, correct } = items(n, loss, (p) => p);
      const best = utilityAt(confidences, correct, answerThreshold(stakes), stakes);
      // The integral of p − c (1 − p) from c / (1 + c) to 1. A utility lies in [−c, 1], mostly 0: its variance by its two values.
      const expected = 1 / (2 * (1 + loss));
      const { coverage, risk = 0 } = best;
      const second = coverage * (risk * loss ** 2 + (1 - risk));
      expect(Math.abs(best.utility - expected)).toBeLessThan(4.5 * Math.sqrt((second - expected ** 2) / n)); // false alarm: 7e-6
      expect(Math.abs(coverage - 1 / (1 + loss))).toBeLessThan(4.5 * Math.sqrt(0.25 / n));
      for (const away of [-0.2, 0.2])
        expect(utilityAt(confidences, correct, answerThreshold(stakes) + away, stakes).utility).toBeLessThanOrEqual(
          best.utility,
        );
    },
  );

  test("nothing answered has no risk, rather than none", () => {
    expect(utilityAt([0.1], [true], 0.5, { wrong: -1 })).toEqual({ utility: 0, coverage: 0, risk: undefined });
  });
});

describe("by a risk that is kept", () => {
  // Right with probability c², so not calibrated. Risk at threshold t: 1 − (1 + t + t²) / 3; 0.25 at t = 0.7247.
  const rightAt = (confidence: number) => confidence ** 2;
  const riskAt = (t: number) => 1 - (1 + t + t * t) / 3;
  const [risk, delta, repeats] = [0.25, 0.1, 1000];

  test.each([
    ["bonferroni", 0.9],
    ["fixed-sequence", 0.9],
  ] as const)("%s breaks its promise in at most 10% of 1,000 data sets, and is not vain", (testing, lowest) => {
    let broken = 0;
    const found: number[] = [];
    for (let seed = 0; seed < repeats; seed++) {
      const { confidences, correct } = items(1500, seed, rightAt);
      const { threshold } = riskThreshold(confidences, correct, { risk, delta, testing });
      if (threshold === undefined) continue;
      found.push(threshold);
      if (riskAt(threshold) > risk) broken++;
    }
    expect(broken / repeats).toBeLessThan(delta + 4.5 * Math.sqrt((delta * (1 - delta)) / repeats)); // false alarm: 3e-6
    expect(found.length / repeats).toBeGreaterThan(lowest);
  });

  test("with much data it comes near the threshold that is right", () => {
    const { confidences, correct } = items(50_000, 1, rightAt);
    const { threshold = 1, coverage, risk: seen = 1 } = riskThreshold(confidences, correct, { risk });
    expect(threshold).toBe(0.74); // of the list, the first above 0.7247
    expect(coverage).toBeCloseTo(1 - threshold, 1);
    expect(seen).toBeLessThan(risk);
  });

  test("too few to promise anything: nothing is answered", () => {
    expect(riskThreshold([0.9, 1], [true, true], { risk: 0.1 })).toEqual({
      threshold: undefined,
      coverage: 0,
      risk: undefined,
    });
  });

  test("the bound at a fixed threshold holds as often as it says", () => {
    let broken = 0;
    for (let seed = 0; seed < repeats; seed++) {
      const { confidences, correct } = items(100, seed, rightAt);
      if (riskAtMost(confidences, correct, 0.6, { delta }) < riskAt(0.6)) broken++;
    }
    expect(broken / repeats).toBeLessThan(delta + 4.5 * Math.sqrt((delta * (1 - delta)) / repeats));
    expect(broken).toBeGreaterThan(0);
    expect(riskAtMost([0.1], [true], 0.5)).toBe(1);
  });

  test("the binomial tail is its sum", () => {
    let [choose, sum] = [1, 0];
    for (let k = 0; k <= 12; k++) {
      sum += choose * 0.3 ** k * 0.7 ** (12 - k);
      choose = (choose * (12 - k)) / (k + 1);
      expect(binomialTail(k, 12, 0.3)).toBeCloseTo(sum, 12);
    }
  });
});

test("a search that abstains keeps its answer and says that it should not be given", async () => {
  const search = vote({ n: 5, aggregator: majority<string>({ canonical: ({ state }) => state[0] }) });
  const outcomes = await Promise.all(
    [0, 1.1].map((threshold) =>
      run(abstaining(search, threshold), lettersProblem, { policy: lettersPolicy(), seed: 1 }),
    ),
  );
  expect(outcomes.map(({ outcome }) => outcome?.abstained)).toEqual([false, true]);
  expect(outcomes[0]?.text).toBe(outcomes[1]?.text);
  expect(outcomes[0]?.outcome?.tally).toEqual(outcomes[1]?.outcome?.tally);
});

test.each([
  ["right", () => answerThreshold({ wrong: 1 })],
  ["risk", () => riskThreshold([1], [true], { risk: 1 })],
  ["delta", () => riskAtMost([1], [true], 0, { delta: 0 })],
  ["confidences", () => utilityAt([1, Number.NaN], [true, true], 0, { wrong: 0 })],
  ["threshold", () => abstaining(vote({ aggregator: majority({ canonical: () => "" }) }), Number.NaN)],
])("refuses a wrong '%s' by name", (name, make) => {
  expect(make).toThrow(`'${name}'`);
});
