/**
 * Strengths of items out of the outcomes of pairs: P(i beats j) = w_i / (w_i + w_j), at the greatest likelihood.
 *
 * Bradley & Terry 1952, Biometrika 39(3/4), 324. Fitted by the minorise-maximise steps of Hunter 2004, Annals of Statistics
 * 32(1), 384, each of which raises the likelihood. A tie counts as half a win for both, not as an outcome of its own.
 * Without a prior the estimate exists only where no group of items was never beaten from outside (Ford 1957): an undefeated
 * item would be infinitely strong. `prior` gives every item that many wins and as many losses against an item of strength 1;
 * the estimate then exists, is unique and finite, and items that never met are comparable through that item alone.
 */

export interface BradleyTerry {
  /** [items] log w, in nats; without a prior they sum to 0, with one 0 is the strength of its item. */
  readonly logStrengths: readonly number[];
  readonly iterations: number;
}

/**
 * `wins[i][j]`: how often i beat j, halves for ties; the diagonal does not count. Undefined where there is no finite estimate.
 * Cost: items² a step, at most 10,000 steps; it ends when no log-strength moves by more than `tolerance`.
 */
export function bradleyTerry(
  wins: readonly (readonly number[])[],
  { prior = 0.5, tolerance = 1e-10 }: { prior?: number; tolerance?: number } = {},
): BradleyTerry | undefined {
  const size = wins.length;
  const won = (i: number, j: number): number => wins[i]?.[j] ?? Number.NaN;
  for (let i = 0; i < size; i++)
    for (let j = 0; j < size; j++)
      if (!(won(i, j) >= 0 && won(i, j) < Infinity))
        throw new RangeError(
          `Cannot fit strengths as 'wins' must be a square of numbers >= 0: current value of [${i}][${j}] is ${won(i, j)}`,
        );
  if (!(prior >= 0 && prior < Infinity))
    throw new RangeError(`Cannot fit strengths as 'prior' must be a number >= 0: current value is ${prior}`);
  if (size === 0) return { logStrengths: [], iterations: 0 };
  if (prior === 0 && !isConnected(wins)) return undefined;

  let logs = wins.map(() => 0);
  for (let iterations = 1; iterations <= 10_000; iterations++) {
    const strengths = logs.map(Math.exp);
    const next = strengths.map((own, i) => {
      let total = prior;
      let games = (2 * prior) / (own + 1);
      for (const [j, other] of strengths.entries()) {
        if (i === j) continue;
        total += won(i, j);
        games += (won(i, j) + won(j, i)) / (own + other);
      }
      return total === 0 && games === 0 ? 0 : Math.log(total / games); // an only item
    });
    const mean = prior === 0 ? next.reduce((sum, log) => sum + log, 0) / size : 0;
    const centred = next.map((log) => log - mean);
    const moved = centred.reduce((most, log, i) => Math.max(most, Math.abs(log - (logs[i] as number))), 0);
    logs = centred;
    if (moved <= tolerance) return { logStrengths: logs, iterations };
  }
  return undefined;
}

/** Whether every item can be reached from every other along wins. */
export function isConnected(wins: readonly (readonly number[])[]): boolean {
  const reaches = (beat: (i: number, j: number) => boolean): boolean => {
    const seen = new Set(wins.length > 0 ? [0] : []);
    for (const i of seen) for (let j = 0; j < wins.length; j++) if (beat(i, j)) seen.add(j);
    return seen.size === wins.length;
  };
  return reaches((i, j) => (wins[i]?.[j] ?? 0) > 0) && reaches((i, j) => (wins[j]?.[i] ?? 0) > 0);
}
