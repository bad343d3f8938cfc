import { describe, expect, test } from "vitest";
import { key } from "../key.ts";
import { bradleyTerry, isConnected } from "./bradley-terry.ts";
import { random } from "./random.ts";

const expectedWins = (wins: number[][], logs: readonly number[], i: number): number =>
  wins.reduce((sum, row, j) => {
    const games = (wins[i]?.[j] as number) + (row[i] as number);
    return i === j ? sum : sum + games / (1 + Math.exp((logs[j] as number) - (logs[i] as number)));
  }, 0);

test("two items: the odds of their wins, ties as halves", () => {
  const [a, b] = bradleyTerry(
    [
      [0, 3.5],
      [0.5, 0],
    ],
    { prior: 0 },
  )?.logStrengths as number[];
  expect((a as number) - (b as number)).toBeCloseTo(Math.log(7), 8);
  expect((a as number) + (b as number)).toBeCloseTo(0, 12);
});

test("at the greatest likelihood everyone has won as often as expected", () => {
  const stream = random(key(3));
  const wins = Array.from({ length: 6 }, () => Array.from({ length: 6 }, () => stream.integer(9)));
  for (let i = 0; i < 6; i++) (wins[i] as number[])[i] = 0;
  const { logStrengths } = bradleyTerry(wins, { prior: 0 }) ?? { logStrengths: [] };
  for (const [i, row] of wins.entries())
    expect(expectedWins(wins, logStrengths, i)).toBeCloseTo(
      row.reduce((sum, won) => sum + won, 0),
      6,
    );
});

test("planted strengths come back within their standard errors", () => {
  const planted = [1.2, 0.3, -0.4, -1.1];
  const games = 4000;
  const stream = random(key(4));
  const wins = planted.map(() => planted.map(() => 0));
  for (const [i, own] of planted.entries())
    for (const [j, other] of planted.entries())
      for (let k = 0; i < j && k < games; k++) {
        const won = stream.uniform() < 1 / (1 + Math.exp(other - own));
        const row = wins[won ? i : j] as number[];
        row[won ? j : i] = (row[won ? j : i] as number) + 1;
      }
  const logs = bradleyTerry(wins, { prior: 0 })?.logStrengths as number[];
  // Fisher information of one log-strength is at least 3 games · p(1 − p), p(1 − p) >= 0.08 for the widest gap of 2.3.
  const tolerance = 5 / Math.sqrt(3 * games * 0.08); // false alarm: 6e-7 each
  for (const [i, log] of logs.entries()) expect(Math.abs(log - (planted[i] as number))).toBeLessThan(tolerance);
});

describe("the undefeated", () => {
  const wins = [
    [0, 2, 2],
    [0, 0, 1],
    [0, 1, 0],
  ];
  test("have no finite strength without a prior, and a finite one with it", () => {
    expect(isConnected(wins)).toBe(false);
    expect(bradleyTerry(wins, { prior: 0 })).toBeUndefined();
    const [a, b, c] = bradleyTerry(wins)?.logStrengths as [number, number, number];
    expect(Number.isFinite(a) && a > b).toBe(true);
    expect(b).toBeCloseTo(c, 8);
  });

  test("two items under the prior solve their score equation", () => {
    // By symmetry their strengths are w and 1/w: wins expected, 2 w²/(w² + 1) + 2 a w/(w + 1), are wins had, 2 + a; a = 1/2.
    const [log] = bradleyTerry([
      [0, 2],
      [0, 0],
    ])?.logStrengths as [number];
    const w = Math.exp(log);
    expect((2 * w * w) / (w * w + 1) + w / (w + 1)).toBeCloseTo(2.5, 8);
  });
});

test("those who never met are apart; nobody and one alone are fine; what is no count is refused", () => {
  expect(
    isConnected([
      [0, 1, 0],
      [1, 0, 0],
      [0, 0, 0],
    ]),
  ).toBe(false);
  expect(bradleyTerry([])?.logStrengths).toEqual([]);
  expect(bradleyTerry([[0]])?.logStrengths[0]).toBeCloseTo(0, 10);
  expect(bradleyTerry([[0]], { prior: 0 })?.logStrengths).toEqual([0]);
  expect(() => bradleyTerry([[0, -1], [0, 0]])).toThrow("'wins'"); // biome-ignore format: a matrix
  expect(() => bradleyTerry([[0]], { prior: -1 })).toThrow("'prior'");
});
