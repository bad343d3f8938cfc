import { expect, test } from "vitest";
import { fold, key } from "../key.ts";
import { random } from "../math/random.ts";
import { activeRanking } from "./active-ranking.ts";

test("by hand: two methods, one always right, the other never", () => {
  const ranking = activeRanking(2);
  // The wealth is the mean of (1 + c)^n over the stakes; the pair is decided at 2/0.05 = 40.
  const wealth = (n: number) => [0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9].reduce((sum, c) => sum + (1 + c) ** n / 7, 0);
  let n = 0;
  for (; ranking.open.length > 0; n++) ranking.tell([1, 0]);
  expect([wealth(n - 1) < 40, wealth(n) >= 40]).toEqual([true, true]);
  expect(ranking.ranks).toEqual([
    { low: 1, high: 1 },
    { low: 2, high: 2 },
  ]);
});

test("one method is ranked from the start, equal ones never, nonsense is refused", () => {
  expect(activeRanking(1).open).toEqual([]);
  const ranking = activeRanking(2);
  for (let i = 0; i < 1000; i++) ranking.tell([i % 2, i % 2]);
  expect(ranking.open).toEqual([0, 1]);
  expect(() => ranking.tell([2, 0])).toThrow("scores must lie in [0, 1]: current value is 2");
});

test("of 500 rankings 95% are right, with fewer evaluations than if every problem went to every method", () => {
  const rates = [0.75, 0.15, 0.55, 0.5, 0.95]; // two of them close
  const runs = 500;
  let [right, active, uniform] = [0, 0, 0];
  for (let run = 0; run < runs; run++) {
    const stream = random(fold(key(3), run));
    const ranking = activeRanking(rates.length);
    let [problems, evaluations] = [0, 0];
    // To save time the race ends after 800 problems; what is decided by then must be right.
    for (let { open } = ranking; open.length > 0 && problems < 800; { open } = ranking) {
      const hardness = 0.2 * (stream.uniform() - 0.5);
      ranking.tell(rates.map((rate, i) => (open.includes(i) ? Number(stream.uniform() < rate + hardness) : undefined)));
      problems++;
      evaluations += open.length;
    }
    right += Number(
      ranking.ranks.every(({ low, high }, i) => {
        const rank = 1 + rates.filter((rate) => rate > (rates[i] as number)).length;
        return low <= rank && rank <= high;
      }),
    );
    active += evaluations;
    uniform += problems * rates.length;
  }
  expect(right / runs).toBeGreaterThanOrEqual(0.95);
  expect(active / uniform).toBeLessThan(0.6);
});

test("apart enough, the whole order is known and right in 95% of 500 rankings, with fewer evaluations than all of all", () => {
  const rates = [0.65, 0.05, 0.95, 0.35];
  let [right, active, uniform] = [0, 0, 0];
  for (let run = 0; run < 500; run++) {
    const stream = random(fold(key(8), run));
    const ranking = activeRanking(rates.length);
    for (let { open } = ranking; open.length > 0; { open } = ranking) {
      ranking.tell(rates.map((rate, i) => (open.includes(i) ? Number(stream.uniform() < rate) : undefined)));
      active += open.length;
      uniform += rates.length;
    }
    right += Number(ranking.ranks.every(({ low, high }, i) => low === [2, 4, 1, 3][i] && high === low));
  }
  expect(right / 500).toBeGreaterThanOrEqual(0.95);
  expect(active / uniform).toBeLessThan(0.9);
});
