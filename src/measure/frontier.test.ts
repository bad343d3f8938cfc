import { describe, expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import {
  budgetMatched,
  hypervolume,
  type MeasuredMethod,
  methodFrontier,
  paretoFrontier,
  qualityAt,
} from "./frontier.ts";

const points = [
  { name: "d", cost: 1000, quality: 0.7 },
  { name: "a", cost: 1, quality: 0.2 },
  { name: "worse than a", cost: 2, quality: 0.1 },
  { name: "b", cost: 10, quality: 0.5 },
  { name: "as good as b, dearer", cost: 20, quality: 0.5 },
  { name: "twin of b", cost: 10, quality: 0.5 },
  { name: "c, dearer and worse than b", cost: 100, quality: 0.4 },
];
const reference = { cost: 10_000, quality: 0.1 };

describe("the frontier", () => {
  test("by hand", () => {
    expect(paretoFrontier(points).map(({ name }) => name)).toEqual(["a", "b", "d"]);
    expect(paretoFrontier([])).toEqual([]);
    // A decade at 0.2 − 0.1, two at 0.5 − 0.1, one at 0.7 − 0.1.
    expect(hypervolume(points, reference)).toBeCloseTo(0.1 + 0.8 + 0.6, 13);
    expect(hypervolume(points, { cost: 10, quality: 0 })).toBeCloseTo(0.2, 13);
    expect(hypervolume(points, { cost: 1, quality: 0 })).toBe(0);
  });

  test("by its definition, on any points", () => {
    const stream = random(5);
    for (let trial = 0; trial < 50; trial++) {
      const cloud = Array.from({ length: 12 }, () => ({ cost: 1 + stream.integer(6), quality: stream.integer(6) }));
      const dominated = (p: (typeof cloud)[number]) =>
        cloud.some((q) => q.cost <= p.cost && q.quality >= p.quality && (q.cost < p.cost || q.quality > p.quality));
      const kept = new Set(paretoFrontier(cloud));
      for (const p of cloud)
        expect(kept.has(p)).toBe(
          !dominated(p) && cloud.find((q) => q.cost === p.cost && q.quality === p.quality) === p,
        );
    }
  });
});

describe("quality at a budget", () => {
  test("halfway in log cost is halfway; nothing beyond what was measured", () => {
    const curve = [
      { cost: 100, quality: 0.6 },
      { cost: 1, quality: 0.2 },
      { cost: 100, quality: 0.8 },
    ];
    expect(qualityAt(curve, 10).value).toBeCloseTo(0.45, 14);
    expect(qualityAt(curve, 100).value).toBeCloseTo(0.7, 14);
    expect(qualityAt(curve, 1).value).toBe(0.2);
    expect(qualityAt(curve, 101)).toMatchObject({
      value: undefined,
      why: expect.stringMatching(/outside of the measured \[1, 100\]/),
    });
    expect(qualityAt([], 1)).toMatchObject({ value: undefined, why: "there are no points" });
  });
});

/** Methods of mean cost 10^i and given rates, with the difficulty of the problems in common. */
function measured(rates: readonly number[], problems: number, seed: Parameters<typeof random>[0]): MeasuredMethod[] {
  const stream = random(seed);
  const ease = Array.from({ length: problems }, () => stream.uniform());
  return rates.map((rate, i) => ({
    name: `m${i}`,
    costs: ease.map(() => 10 ** i * (0.5 + stream.uniform())),
    qualities: ease.map((u) => Number(0.5 * u + 0.5 * stream.uniform() < rate)),
  }));
}
/** P(0.5·u + 0.5·v < rate): the triangle law. */
const mean = (rate: number) => (rate < 0.5 ? 2 * rate ** 2 : 1 - 2 * (1 - rate) ** 2);

describe("with uncertainty", () => {
  test("who surely is on it, who surely is not, and who may be", () => {
    const { members } = methodFrontier(measured([0.3, 0.29, 0.6, 0.6], 200, 4), { reference, resamples: 500 });
    const share = Object.fromEntries(members.map((member) => [member.name, member.share]));
    expect(share["m0"]).toBe(1); // the cheapest
    expect(share["m2"]).toBe(1); // far better than those before
    expect(share["m1"]).toBeLessThan(0.7);
    expect(share["m3"]).toBeGreaterThan(0.02); // as good as m2 and dearer: luck decides
    expect(share["m3"]).toBeLessThan(0.98);
  });

  test("the intervals of hypervolume and of a matched budget cover", () => {
    const repeats = 200;
    const rates = [0.3, 0.45, 0.6];
    const truth = mean(0.3) + mean(0.45) + mean(0.6); // a decade each up to 1000
    const matched = (mean(0.3) + mean(0.45)) / 2;
    let [area, between] = [0, 0];
    for (let r = 0; r < repeats; r++) {
      const methods = measured(rates, 80, fold(key(3), r));
      const options = { resamples: 200, seed: r };
      const { hypervolume: volume } = methodFrontier(methods, { reference: { cost: 1000, quality: 0 }, ...options });
      if ((volume.low as number) <= truth && truth <= (volume.high as number)) area++;
      const at = budgetMatched(methods, 10 ** 0.5, options);
      if ((at.low as number) <= matched && matched <= (at.high as number)) between++;
    }
    const away = 2.576 * Math.sqrt((0.95 * 0.05) / repeats); // 1%
    expect(Math.abs(area / repeats - 0.95)).toBeLessThan(away);
    expect(Math.abs(between / repeats - 0.95)).toBeLessThan(away);
  });

  test("undefined, with a reason; refused, with a name", () => {
    expect(methodFrontier([], { reference }).hypervolume).toMatchObject({
      value: undefined,
      why: "there are no problems",
    });
    expect(budgetMatched(measured([0.3, 0.4], 50, 1), 1e6)).toMatchObject({
      value: undefined,
      why: expect.stringMatching(/outside/),
    });
    expect(() => methodFrontier([{ name: "x", costs: [0], qualities: [1] }], { reference })).toThrow(
      "one of 'x' is not",
    );
  });
});
