/** IEEE 754 binary16 ("half", F16), for platforms without `Float16Array`. */

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

/** The nearest half, ties to even; beyond 65520 it is an infinity. */
export function toHalf(value: number): number {
  float[0] = value;
  const bits = word[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00; // not a number
  if (magnitude >= 0x477f_f000) return sign | 0x7c00; // 65520 and above
  if (magnitude < 0x3880_0000) {
    // Below 2^-14 halves are multiples of 2^-24; adding 0.5, whose floats are 2^-24 apart, rounds to one of them.
    float[0] = Math.abs(value) + 0.5;
    return sign | ((word[0] as number) - 0x3f00_0000);
  }
  const tie = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x3800_0000 + 0x0fff + tie) >>> 13);
}

/** Exact. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}
