import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { designBased, predictionPowered } from "./judge-correction.ts";
import { wilson } from "../math/intervals.ts";

describe("by hand", () => {
  // Gold minus judge: 0, 1, 0, 0; the judge says 1/2 on the others.
  const items = [
    { gold: 1, judge: 1 },
    { gold: 1, judge: 0 },
    { gold: 0, judge: 0 },
    { gold: 1, judge: 1 },
  ];
  const judged = [1, 0, 1, 0];

  test("prediction-powered, λ = 1: 1/2 + 1/4", () => {
    const { value, standardError, low } = predictionPowered(items, judged, { lambda: 1 });
    expect(value).toBeCloseTo(0.75, 14);
    // Var of the differences 1/4, over 4; Var of the judge 1/3, over 4.
    expect(standardError).toBeCloseTo(Math.sqrt(1 / 16 + 1 / 12), 14);
    expect((value as number) - (low as number)).toBeCloseTo(3.182446305284 * Math.sqrt(1 / 16 + 1 / 12), 10); // t(0.975; 3)
  });

  test("tuned: Cov = 1/6, Var over all eight = 2/7, so λ = (1/6) / (2 · 2/7)", () => {
    const { lambda, value } = predictionPowered(items, judged);
    expect(lambda).toBeCloseTo(7 / 24, 14);
    expect(value).toBeCloseTo(0.75 + (7 / 24) * (0.5 - 0.5), 14);
  });

  test("λ = 0 is the gold labels alone; so is a judge who always says the same, or one without other items", () => {
    const alone = predictionPowered(items, judged, { lambda: 0 });
    expect(alone.value).toBe(0.75);
    expect(alone.standardError).toBeCloseTo(Math.sqrt(0.25 / 4), 14);
    const constant = items.map(({ gold }) => ({ gold, judge: 1 }));
    expect(predictionPowered(constant, [1, 1, 1])).toEqual(alone);
    expect(predictionPowered(items, [])).toEqual(alone);
  });

  test("design-based: 1, 0 + (1 − 0)/½, 0, 1", () => {
    const { value, standardError } = designBased([
      { judge: 1, gold: 1, probability: 0.5 },
      { judge: 0, gold: 1, probability: 0.5 },
      { judge: 0, probability: 0.5 },
      { judge: 1, probability: 0.5 },
    ]);
    expect(value).toBe(1);
    expect(standardError).toBeCloseTo(Math.sqrt(2 / 3 / 4), 14);
  });

  test("design-based with a gold label for each is their mean, and its textbook error", () => {
    const { value, standardError } = designBased(items.map((item) => ({ ...item, probability: 1 })));
    expect(value).toBe(0.75);
    expect(standardError).toBeCloseTo(Math.sqrt(0.25 / 4), 14);
  });
});

/** A judge that agrees with 85% of the gold labels and is generous: right on 95% of the good answers, on 70% of the bad. */
const truth = 0.6;
const label = (stream: ReturnType<typeof random>) => {
  const gold = Number(stream.uniform() < truth);
  return { gold, judge: Number(stream.uniform() < (gold ? 0.95 : 0.3)) };
};

describe("a biased judge of 85% accuracy", () => {
  const repeats = 600;
  const [goldItems, allItems] = [150, 2000];

  test("both corrections cover and are narrower than gold alone; the judge alone never covers", () => {
    const inside = { powered: 0, plain: 0, design: 0, naive: 0 };
    const width = { powered: 0, design: 0, alone: 0 };
    const add = (name: keyof typeof inside, { low, high }: { low: number | undefined; high: number | undefined }) => {
      if ((low as number) <= truth && truth <= (high as number)) inside[name]++;
      if (name in width) width[name as "powered"] += (high as number) - (low as number);
    };
    for (let r = 0; r < repeats; r++) {
      const stream = random(fold(key(8), r));
      const items = Array.from({ length: allItems }, () => label(stream));
      const [gold, others] = [items.slice(0, goldItems), items.slice(goldItems).map(({ judge }) => judge)];
      const powered = predictionPowered(gold, others);
      add("powered", powered);
      add("plain", predictionPowered(gold, others, { lambda: 1 }));
      const alone = predictionPowered(gold, others, { lambda: 0 });
      width.alone += (alone.high as number) - (alone.low as number);
      add("naive", wilson(items.filter(({ judge }) => judge === 1).length, allItems));
      // Gold labels go to where the judge says no three times as often.
      const chosen = items.map(({ gold, judge }) => {
        const probability = judge ? 0.05 : 0.15;
        return { judge, probability, ...(stream.uniform() < probability && { gold }) };
      });
      add("design", designBased(chosen));
    }
    const away = 3.291 * Math.sqrt((0.95 * 0.05) / repeats); // 0.1%: there are several such checks
    expect(Math.abs(inside.powered / repeats - 0.95)).toBeLessThan(away);
    expect(Math.abs(inside.plain / repeats - 0.95)).toBeLessThan(away);
    expect(inside.naive).toBe(0);
    expect(width.powered / width.alone).toBeLessThan(0.8);
    expect(inside.design / repeats).toBeGreaterThan(0.95 - away);
  });

  test("design-based covers with equal probabilities, and is narrower than gold alone", () => {
    let [covered, width, alone] = [0, 0, 0];
    for (let r = 0; r < repeats; r++) {
      const stream = random(fold(key(10), r));
      const items = Array.from({ length: allItems }, () => {
        const both = label(stream);
        return stream.uniform() < 0.1 ? { ...both, probability: 0.1 } : { judge: both.judge, probability: 0.1 };
      });
      const { low, high } = designBased(items);
      if ((low as number) <= truth && truth <= (high as number)) covered++;
      width += (high as number) - (low as number);
      const gold = items.flatMap((item) => ("gold" in item ? [{ gold: item.gold as number, judge: 0 }] : []));
      const only = predictionPowered(gold, []);
      alone += (only.high as number) - (only.low as number);
    }
    expect(Math.abs(covered / repeats - 0.95)).toBeLessThan(3.291 * Math.sqrt((0.95 * 0.05) / repeats));
    expect(width / alone).toBeLessThan(0.9);
  });
});

test("undefined, with a reason; refused, with the item", () => {
  expect(predictionPowered([], [1, 0])).toMatchObject({
    value: undefined,
    why: expect.stringMatching(/no gold labels/),
  });
  expect(predictionPowered([{ gold: 1, judge: 1 }], [1, 0])).toMatchObject({ value: 1, low: undefined });
  const agreeing = [0, 1, 1].map((gold) => ({ gold, judge: gold }));
  expect(predictionPowered(agreeing, [1, 0, 0, 1], { lambda: 1 })).toMatchObject({
    low: undefined,
    why: expect.stringMatching(/errs alike on all 3/),
  });
  expect(designBased(agreeing.map((item) => ({ ...item, probability: 0.5 })))).toMatchObject({
    low: undefined,
    why: expect.stringMatching(/errs alike/),
  });
  expect(() => designBased([{ judge: 1, probability: 0 }])).toThrow("that of item 0 is 0");
});
