/**
 * Where a growing text ends: at a stop text, which is left out, or at a step's boundary, which is kept.
 *
 * `until` must be steady: once it has named a length, every longer text has the same one. Then neither the size of a
 * server's chunks nor that of a model's tokens moves a boundary.
 */

export interface Endings {
  readonly stop?: readonly string[] | undefined;
  readonly until?: ((text: string) => number | undefined) | undefined;
}

/** The first ending in `text`, if there is one; of a boundary and a stop text at one place, the boundary. */
export function endingOf(
  text: string,
  { stop = [], until }: Endings,
): { length: number; finish: "stop" | "until" } | undefined {
  let stopAt = Infinity;
  for (const end of stop) {
    const at = end === "" ? -1 : text.indexOf(end);
    if (at >= 0) stopAt = Math.min(stopAt, at);
  }
  const boundary = until?.(text);
  if (boundary !== undefined && boundary <= Math.min(stopAt, text.length)) return { length: boundary, finish: "until" };
  return stopAt === Infinity ? undefined : { length: stopAt, finish: "stop" };
}

/** How much of `text` can be shown: its end may be the beginning of a stop text. */
export function shownLength(text: string, stop: readonly string[] = []): number {
  let hidden = 0;
  for (const end of stop)
    for (let n = Math.min(end.length - 1, text.length); n > hidden; n--) if (text.endsWith(end.slice(0, n))) hidden = n;
  return text.length - hidden;
}
