/**
 * What a measurement gives. A quantity that is not defined is `undefined`, with the reason in `why`: it is never NaN, and never 0
 * for want of data. What cannot be an argument at all (a negative count) is a RangeError.
 */

/** A number, or why there is none. */
export type Value =
  | { readonly value: number; readonly why?: undefined }
  | { readonly value: undefined; readonly why: string };

/** A number with its interval; or without one, or without both, and why. */
export type Estimate =
  | { readonly value: number; readonly low: number; readonly high: number; readonly why?: undefined }
  | { readonly value: number | undefined; readonly low: undefined; readonly high: undefined; readonly why: string };

export const undefinedValue = (why: string): { readonly value: undefined; readonly why: string } => ({
  value: undefined,
  why,
});

/** An estimate without an interval. */
export const withoutInterval = (
  value: number | undefined,
  why: string,
): { readonly value: number | undefined; readonly low: undefined; readonly high: undefined; readonly why: string } => ({
  value,
  low: undefined,
  high: undefined,
  why,
});

/** @throws RangeError */
export function checkCount(what: string, name: string, value: number, least: number, most: number = Infinity): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot give ${what} as '${name}' must be a whole number in [${least}, ${most}]: current value is ${value}`,
  );
}

/** @throws RangeError */
export function checkFinite(what: string, name: string, values: ArrayLike<number>): void {
  for (let i = 0; i < values.length; i++)
    if (!Number.isFinite(values[i]))
      throw new RangeError(`Cannot give ${what} as '${name}' must be finite numbers: number ${i} is ${values[i]}`);
}
