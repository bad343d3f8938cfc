/** One wording for options out of range. @throws RangeError */
export function checkWhole(method: string, name: string, value: number, least: number, most = 100_000): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(
    `Cannot use ${method} as '${name}' must be a whole number in [${least}, ${most}]: current value is ${value}`,
  );
}

/** A finite number; at least `least`, more than `above`, at most `most`. @throws RangeError */
export function checkNumber(
  method: string,
  name: string,
  value: number,
  { least, above, most }: { readonly least?: number; readonly above?: number; readonly most?: number } = {},
): void {
  if (
    Number.isFinite(value) &&
    !(least !== undefined && value < least) &&
    !(above !== undefined && value <= above) &&
    !(most !== undefined && value > most)
  )
    return;
  const range = [
    least === undefined ? [] : ` >= ${least}`,
    above === undefined ? [] : ` > ${above}`,
    most === undefined ? [] : ` <= ${most}`,
  ].flat();
  throw new RangeError(
    `Cannot use ${method} as '${name}' must be a finite number${range.join(" and")}: current value is ${value}`,
  );
}
