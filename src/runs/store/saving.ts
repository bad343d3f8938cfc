/** How runs are written with all that is kept of them: a run that is there already stays as it is. */
import type { JournalEvent } from "../../event.ts";
import { packText, type Row, type SqlValue, type Statement } from "./database.ts";
import { candidateColumns, candidateRow, runColumns } from "./rows.ts";
import type { FinishedRun } from "./store.ts";

/** `rows`: of the runs, with the number of their evaluation first. */
export function* saving(
  runs: readonly FinishedRun[],
  rows: readonly (readonly SqlValue[])[],
): Generator<Statement, void, readonly Row[]> {
  const inserted = yield {
    insert: `insert into runs (evaluation, ${runColumns})`,
    rows,
    ending: "on conflict (id) do nothing returning number, id",
  };
  const numbers = new Map(inserted.map((row) => [row["id"] as string, row["number"] as number]));
  const [candidates, scores, events]: [SqlValue[][], SqlValue[][], SqlValue[][]] = [[], [], []];
  for (const { record, candidates: finished, events: journal = [] } of runs) {
    const id = packText(record.id);
    const number = numbers.get(id);
    if (number === undefined) continue;
    numbers.delete(id); // given twice in one call, the first is kept
    for (const [position, candidate] of finished.entries()) {
      candidates.push([number, position, ...candidateRow(candidate)]);
      for (const [scorer, value] of Object.entries(candidate.scores))
        scores.push([number, position, packText(scorer), value]);
    }
    for (const [position, event] of journal.entries()) events.push(eventRow(id, position, event));
  }
  yield { insert: `insert into candidates (run, position, ${candidateColumns})`, rows: candidates };
  yield { insert: "insert into scores (run, position, scorer, value)", rows: scores };
  yield appending(events);
}

/** A row of the table of events; the run as it is packed. */
export const eventRow = (run: string, position: number, event: JournalEvent): SqlValue[] => [
  run,
  position,
  event.type,
  JSON.stringify(event),
];

/** An event that a journal wrote already stays as it is. */
export const appending = (rows: readonly (readonly SqlValue[])[]): Statement => ({
  insert: "insert into events (run, position, type, event)",
  rows,
  ending: "on conflict (run, position) do nothing returning position",
});
