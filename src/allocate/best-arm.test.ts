import { expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { bestArm, type BestArmOptions } from "./best-arm.ts";

/** Asks arms of given rates until the best is known. */
function race(rates: readonly number[], seed: number, options: BestArmOptions = {}, most = 20_000) {
  const stream = random(fold(key(17), seed));
  const arms = bestArm(rates.length, options);
  for (let asked = 0; arms.best === undefined && asked < most; asked += arms.next.length)
    arms.tell(arms.next.map((arm) => Number(stream.uniform() < (rates[arm] as number))));
  return { best: arms.best, asked: arms.answers.reduce((a, b) => a + b, 0), answers: arms.answers };
}

test("by hand: two arms, one always right, the other never", () => {
  const arms = bestArm(2, { delta: 0.1 });
  // n answers all alike: the mixture is Π (i − ½)/i, the bounds are low = (mixture · δ/2)^(1/n) and 1 − low: they part at 1/2.
  const mixture = (n: number) => Array.from({ length: n }, (_, i) => (i + 0.5) / (i + 1)).reduce((a, b) => a * b, 1);
  const isOpen = (n: number) => ((mixture(n) * 0.1) / 2) ** (1 / n) < 1 / 2;
  let n = 0;
  for (; arms.best === undefined; n++) arms.tell([1, 0]);
  expect([isOpen(n - 1), isOpen(n)]).toEqual([true, false]);
  expect([arms.best, arms.next, arms.means]).toEqual([0, [], [1, 0]]);
});

test("of 500 races at most δ name another than the best", () => {
  const rates = [0.5, 0.9, 0.55, 0.2];
  const found = Array.from({ length: 500 }, (_, seed) => race(rates, seed, { delta: 0.1 }));
  expect(found.every(({ best }) => best !== undefined)).toBe(true);
  expect(found.filter(({ best }) => best !== 1).length / 500).toBeLessThanOrEqual(0.1);
  // Arms that are far behind are asked less: fewer answers than as many of each as the most asked one had.
  const asked = found.reduce((sum, one) => sum + one.asked, 0);
  const uniform = found.reduce((sum, { answers }) => sum + 4 * Math.max(...answers), 0);
  expect(asked / uniform).toBeLessThan(0.75);
  const mean = (arm: number) => found.reduce((sum, { answers }) => sum + (answers[arm] as number), 0) / 500;
  expect(mean(3)).toBeLessThan(mean(2));
});

test("a bound at δ = 0.9 is still kept where it is hard: close arms, named within the tolerance", () => {
  const rates = [0.5, 0.52, 0.5];
  const found = Array.from({ length: 30 }, (_, seed) => race(rates, seed, { delta: 0.9, tolerance: 0.25 }));
  expect(found.every(({ best }) => best !== undefined)).toBe(true); // all of them are within the tolerance
  const strict = Array.from({ length: 40 }, (_, seed) => race([0.3, 0.5], 1000 + seed, { delta: 0.9 }));
  expect(strict.filter(({ best }) => best !== 1).length / 40).toBeLessThanOrEqual(0.9);
  expect(strict.reduce((sum, { asked }) => sum + asked, 0) / 40).toBeGreaterThan(20);
});

test("a tolerance ends it sooner, equal arms never end without one, one arm is the best at once", () => {
  const sure = race([0.7, 0.6], 1, {});
  const rough = race([0.7, 0.6], 1, { tolerance: 0.2 });
  expect(rough.asked).toBeLessThan(sure.asked / 3);
  const arms = bestArm(2);
  for (let i = 0; i < 500; i++) arms.tell([i % 2, i % 2]);
  expect([arms.best, arms.next, arms.leader]).toEqual([undefined, [0, 1], 0]);
  expect([bestArm(1).best, bestArm(1).next]).toEqual([0, []]);
});

test("refuses scores out of range, too few of them, and wrong options", () => {
  expect(() => bestArm(2).tell([1])).toThrow("a score in [0, 1] for each of the arms 0, 1: current value is [1]");
  expect(() => bestArm(2).tell([1, 2])).toThrow("[1, 2]");
  expect(() => bestArm(0)).toThrow("'arms'");
  expect(() => bestArm(2, { delta: 0 })).toThrow("'delta'");
  expect(() => bestArm(2, { tolerance: 2 })).toThrow("'tolerance'");
});
