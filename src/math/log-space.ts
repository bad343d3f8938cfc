/** Sums of probabilities that are kept as logarithms, in nats. */

/** log Σ exp(logs); -Infinity for none. Exact to rounding whatever the scale: the largest is factored out. */
export function logSumExp(logs: ArrayLike<number>): number {
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logs.length; i++) most = Math.max(most, logs[i] as number);
  if (!Number.isFinite(most)) return most; // nothing but impossible ones, or NaN, or something infinitely heavy
  let sum = 0;
  for (let i = 0; i < logs.length; i++) sum += Math.exp((logs[i] as number) - most);
  return most + Math.log(sum);
}

/** Probabilities out of unnormalised log-weights: they sum to 1; undefined where all weights are 0 (or one is NaN or +Infinity). */
export function softmax(logWeights: ArrayLike<number>): number[] | undefined {
  const weights = Array.from(logWeights);
  const most = weights.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!Number.isFinite(most)) return undefined;
  const scaled = weights.map((logWeight) => Math.exp(logWeight - most));
  const total = scaled.reduce((sum, weight) => sum + weight, 0);
  return scaled.map((weight) => weight / total);
}
