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

/** `open`: the ends do not belong to it. @throws RangeError */
export function checkBetween(
  what: string,
  name: string,
  value: number,
  [low, high]: readonly [number, number],
  { open = false }: { readonly open?: boolean } = {},
): void {
  if (open ? value > low && value < high : value >= low && value <= high && Number.isFinite(value)) return;
  throw new RangeError(
    `Cannot use ${what} as '${name}' must be in ${open ? "(" : "["}${low}, ${high}${open ? ")" : "]"}: current value is ${value}`,
  );
}

/** As many labels as numbers, at least one, all numbers finite. @throws RangeError */
export function checkPairs(what: string, name: string, values: readonly number[], labels: readonly unknown[]): void {
  if (values.length === 0 || values.length !== labels.length)
    throw new RangeError(
      `Cannot use ${what} as '${name}' must not be empty and have as many entries as there are labels: ${values.length} and ${labels.length}`,
    );
  const wrong = values.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0)
    throw new RangeError(`Cannot use ${what} as '${name}' must be finite numbers: number ${wrong} is ${values[wrong]}`);
}
