/** The mean of a figure over units, each as often as `bootstrap` drew it; of all of them once without counts. */
export function mean(of: readonly number[], counts?: Int32Array): number {
  let [sum, n] = [0, 0];
  for (const [i, value] of of.entries()) {
    const weight = counts?.[i] ?? 1;
    sum += weight * value;
    n += weight;
  }
  return sum / n;
}
