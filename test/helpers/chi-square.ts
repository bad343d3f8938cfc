/**
 * Pearson's test of counts against a known law: the p-value, by the cube-root normal approximation of Wilson & Hilferty
 * 1931 (PNAS 17, 684), good to about 0.001 where every expected count is 5 or more.
 */
export function chiSquareP(counts: readonly number[], probabilities: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let statistic = 0;
  for (const [i, p] of probabilities.entries()) {
    const expected = total * p;
    if (expected < 5)
      throw new RangeError(`Cannot test counts as cell ${i} expects only ${expected}: draw more, or merge cells`);
    statistic += ((counts[i] as number) - expected) ** 2 / expected;
  }
  const freedom = probabilities.length - 1;
  const spread = 2 / (9 * freedom);
  return upperTail(((statistic / freedom) ** (1 / 3) - (1 - spread)) / Math.sqrt(spread));
}

/** P(Z > z) of a standard normal; Abramowitz & Stegun 26.2.17, error below 7.5e-8. */
function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  const t = 1 / (1 + 0.2316419 * z);
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * series;
}
