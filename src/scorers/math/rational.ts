/** Exact fractions, small enough to be worth it: whatever grows beyond its limits throws `Inexact`, and floats take over. */

export interface Rational {
  readonly n: bigint;
  /** Positive, without a common divisor. */
  readonly d: bigint;
}

/** No exact value: too large, irrational, or undefined. */
export class Inexact extends Error {}

const mostBits = 4096;
const most = 1n << BigInt(mostBits);

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

export function rational(n: bigint, d = 1n): Rational {
  if (d === 0n) throw new Inexact("division by zero");
  if (magnitude(n) > most || magnitude(d) > most) throw new Inexact("too large");
  let [a, b] = [magnitude(n), magnitude(d)];
  while (b > 0n) [a, b] = [b, a % b];
  const sign = d < 0n ? -1n : 1n;
  return { n: (sign * n) / a, d: (sign * d) / a };
}

export const add = (a: Rational, b: Rational): Rational => rational(a.n * b.d + b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational): Rational => rational(a.n * b.n, a.d * b.d);
export const divide = (a: Rational, b: Rational): Rational => rational(a.n * b.d, a.d * b.n);
export const negate = ({ n, d }: Rational): Rational => ({ n: -n, d });
export const toNumber = ({ n, d }: Rational): number => {
  const direct = Number(n) / Number(d);
  if (Number.isFinite(direct) && direct !== 0) return direct;
  return n === 0n ? 0 : Number((n << 1100n) / d) / 2 ** 550 / 2 ** 550; // both beyond the doubles
};

/** For an exponent that is a fraction, exact where the root is. */
export function power(base: Rational, { n, d }: Rational): Rational {
  const exponent = Number(n);
  const bits = Math.max(base.n.toString(2).length, base.d.toString(2).length);
  if (Math.abs(exponent) * bits > 2 * mostBits && magnitude(base.n) !== base.d) throw new Inexact("too large");
  if (Math.abs(exponent) > 1e6) throw new Inexact("too large");
  if (base.n === 0n && n <= 0n) throw new Inexact("zero to no positive power");
  const [top, bottom] = n < 0n ? [base.d, base.n] : [base.n, base.d];
  const whole = rational(top ** magnitude(n), bottom ** magnitude(n));
  return d === 1n ? whole : root(whole, Number(d));
}

/** The k-th root, where it is a fraction. */
export function root({ n, d }: Rational, k: number): Rational {
  if (n < 0n && k % 2 === 0) throw new Inexact("an even root of a negative number");
  return rational((n < 0n ? -1n : 1n) * wholeRoot(magnitude(n), k), wholeRoot(d, k));
}

/** By Newton's method from above. */
function wholeRoot(x: bigint, k: number): bigint {
  if (x < 2n) return x;
  if (!(Number.isInteger(k) && k >= 2 && k <= 64)) throw new Inexact("no such root");
  const order = BigInt(k);
  let guess = 1n << BigInt(Math.ceil(x.toString(2).length / k));
  for (;;) {
    const next = ((order - 1n) * guess + x / guess ** (order - 1n)) / order;
    if (next >= guess) break;
    guess = next;
  }
  if (guess ** order !== x) throw new Inexact("irrational");
  return guess;
}

/** Of a numeral such as 12, .5, 1.50 or 1e3. */
export function ofNumeral(text: string): Rational {
  const [mantissa = "", exponent = "0"] = text.toLowerCase().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const shift = Number(exponent) - fraction.length;
  if (Math.abs(shift) > 1200) throw new Inexact("too large");
  const digits = BigInt(whole + fraction || "0");
  return shift < 0 ? rational(digits, 10n ** BigInt(-shift)) : rational(digits * 10n ** BigInt(shift));
}

/** An integer, or n/d. */
export const show = ({ n, d }: Rational): string => (d === 1n ? String(n) : `${n}/${d}`);
