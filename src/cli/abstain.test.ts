import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { decide, readAbstainRule } from "./abstain.ts";
import type { Calibration } from "./calibrations.ts";
import { UsageError } from "./report.ts";

/** Confidences uniform in [0, 1], right with probability √confidence: not calibrated. */
function calibration(n: number, seed: number): Calibration {
  const stream = random(fold(key(6), seed));
  const confidences = Array.from({ length: n }, () => stream.uniform());
  return {
    version: 1,
    model: "sapling",
    task: "countdown",
    level: "base",
    method: "majority",
    settings: { n: 16 },
    budget: {},
    seed,
    confidences,
    correct: confidences.map((one) => (stream.uniform() < Math.sqrt(one) ? 1 : 0)),
  };
}

describe("the rule", () => {
  test.each([
    ["risk=0.05", { by: "risk", risk: 0.05, delta: 0.1 }],
    ["risk=0.05,delta=0.01", { by: "risk", risk: 0.05, delta: 0.01 }],
    ["price=4", { by: "price", price: 4 }],
    [" confidence = 0.8", { by: "confidence", least: 0.8 }],
  ])("%j is read", (text, rule) => expect(readAbstainRule(text)).toEqual(rule));

  test.each([
    ["0.05", "as a part of --abstain"],
    ["risk=a", "as a part of --abstain"],
    ["risk=1", "in (0, 1)"],
    ["risk=0.1,delta=0", "in (0, 1)"],
    ["price=-1", ">= 0"],
    ["confidence=2", "in [0, 1]"],
    ["rsik=0.1", "did you mean risk?"],
    ["price=1,delta=0.1", "only risk takes a second part"],
    ["risk=0.1,delta=0.1,price=1", "as a part of --abstain"],
  ])("%j is refused", (text, why) => {
    expect(() => readAbstainRule(text)).toThrow(UsageError);
    expect(() => readAbstainRule(text)).toThrow(why);
  });
});

test("the promised risk holds over calibrations, but for a share δ, and something is answered", () => {
  const [risk, delta, repeats] = [0.15, 0.1, 400];
  const rule = { by: "risk", risk, delta } as const;
  // Risk from t on: 1 − (2/3)(1 − t^1.5) / (1 − t).
  const riskFrom = (t: number): number => 1 - (2 / 3) * ((1 - t ** 1.5) / (1 - t));
  let [broken, answering] = [0, 0];
  for (let seed = 0; seed < repeats; seed++) {
    const table = calibration(500, seed);
    const { threshold } = decide(rule, 1, table);
    if (threshold === null) continue;
    answering++;
    if (threshold < 1 && riskFrom(threshold) > risk) broken++;
  }
  expect(broken / repeats).toBeLessThan(delta + 4.5 * Math.sqrt((delta * (1 - delta)) / repeats)); // false alarm: 3e-6
  expect(answering / repeats).toBeGreaterThan(0.8);
});

describe("a decision", () => {
  const table = calibration(4000, 1);
  const wrong: Calibration = { ...table, correct: table.correct.map(() => 0 as const) };

  test("by risk says the threshold, and the calibrated probability", () => {
    const given = decide({ by: "risk", risk: 0.2, delta: 0.1 }, 0.9, table);
    expect(given.abstained).toBe(false);
    expect(given.probability).toBeCloseTo(Math.sqrt(0.9), 1);
    const held = decide({ by: "risk", risk: 0.2, delta: 0.1 }, 0.1, table);
    expect(held.reason).toMatch(/^confidence 0\.1 is below 0\.\d\d?, from which on at most 20% of answers are wrong$/);
    expect(Math.abs((held.probability ?? 0) - Math.sqrt(0.1))).toBeLessThan(0.1);
  });

  test("a confidence is rounded as those of the table are, and a small risk is said as it is", () => {
    const sure: Calibration = {
      ...table,
      confidences: table.confidences.map(() => 1),
      correct: table.correct.map(() => 1),
    };
    const rule = { by: "risk", risk: 0.004, delta: 0.1 } as const;
    expect(decide(rule, 1 - 1e-9, sure).abstained).toBe(false);
    expect(decide(rule, 0.9, sure).reason).toContain("at most 0.4% of answers");
  });

  test("where no threshold keeps the risk, everything is held back", () => {
    expect(decide({ by: "risk", risk: 0.2, delta: 0.1 }, 1, wrong)).toMatchObject({
      abstained: true,
      reason: "no confidence was shown to keep the risk at 20%, on 4000 graded answers",
    });
  });

  test("by price answers where the calibrated probability pays", () => {
    // A loss of 1 pays from ½ on: √c ≥ ½ from c = ¼ on.
    expect(decide({ by: "price", price: 1 }, 0.12, table).abstained).toBe(true);
    expect(decide({ by: "price", price: 1 }, 0.45, table).abstained).toBe(false);
    expect(decide({ by: "price", price: 0 }, 0, table).abstained).toBe(false);
  });

  test("by confidence needs no table", () => {
    expect(decide({ by: "confidence", least: 0.8 }, 0.8)).toEqual({
      abstained: false,
      reason: "confidence 0.8 is not below 0.8",
      probability: null,
      threshold: 0.8,
    });
    expect(decide({ by: "confidence", least: 0 }, undefined)).toMatchObject({
      abstained: true,
      reason: "the method gave no confidence",
    });
    expect(() => decide({ by: "price", price: 1 }, 1)).toThrow(TypeError);
  });
});
