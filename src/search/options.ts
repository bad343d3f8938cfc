/** One wording for options out of range. @throws RangeError */
export function checkWhole(method: string, name: string, value: number, least: number, most = 100_000): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot use ${method} as '${name}' must be a whole number in [${least}, ${most}]: current value is ${value}`,
  );
}
