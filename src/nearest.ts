/** "Did you mean": the valid choice that is nearest to what was typed. */

/** Of the letters that were typed, without the ending of a file: all files of a folder have that in common. */
const mostChanged = 0.4;

/** The nearest of the choices; undefined where none is near, see `mostChanged`. One letter may always change. */
export function nearest(typed: string, choices: readonly string[]): string | undefined {
  const bare = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}.]/gu, "");
  const ranked = choices.map((choice) => ({ choice, edits: editsBetween(bare(typed), bare(choice)) }));
  const [best] = ranked.sort((a, b) => a.edits - b.edits); // stable: the earlier choice stays ahead
  const letters = bare(typed.replace(/\.\w+$/, "")).length;
  return best && best.edits <= Math.max(1, mostChanged * letters) ? best.choice : undefined;
}

/** "did you mean x? There are x, y and z", for the end of a sentence. */
export function suggestion(typed: string, choices: readonly string[]): string {
  const near = nearest(typed, choices);
  const list = listed(choices);
  if (near === undefined) return `there ${choices.length === 1 ? "is" : "are"} ${list}`;
  return choices.length === 1 ? `did you mean ${near}?` : `did you mean ${near}? There are ${list}`;
}

export const listed = (names: readonly string[], last = "and"): string =>
  names.length < 2 ? names.join() : `${names.slice(0, -1).join(", ")} ${last} ${names.at(-1)}`;

/** Insertions, deletions, substitutions and swaps of neighbours. Damerau 1964, restricted as in Oommen & Loke 1997. */
export function editsBetween(a: string, b: string): number {
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let edits = Math.min(
        (above[j] as number) + 1,
        (row[j - 1] as number) + 1,
        (above[j - 1] as number) + (same ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        edits = Math.min(edits, (before[j - 2] as number) + 1);
      row.push(edits);
    }
    [before, above] = [above, row];
  }
  return above[b.length] as number;
}
