/**
 * The journal of a run, in the store: so a run may be resumed by any process that reaches the database.
 *
 * On SQLite each event is committed before `append` returns. A server cannot be waited for there: events are sent in order
 * behind the run, and `flush` waits for them; a crash may then lose the last, which are asked again. Over a ledger they are not
 * paid again either.
 */
import type { Journal, JournalEvent } from "../../event.ts";
import type { Program, SqlValue } from "./database.ts";
import { packText } from "./database.ts";
import { appending, eventRow } from "./saving.ts";
import type { SqlStore } from "./sql-store.ts";

export interface StoreJournal extends Journal, AsyncDisposable {
  /** When all events so far are in the store. @throws what writing threw */
  flush(): Promise<void>;
}

/** One writer at a time: a second one is refused at its first event. */
export async function storeJournal(store: SqlStore, run: string): Promise<StoreJournal> {
  const { database } = store;
  const events = [...(await store.events(run))];
  const id = packText(run);
  let length = events.length;
  let waiting: SqlValue[][] = [];
  let sending: Promise<void> | undefined;
  let failure: { readonly thrown: unknown } | undefined;

  const inserting = (rows: readonly SqlValue[][]): Program<void> =>
    function* () {
      const inserted = yield appending(rows);
      if (inserted.length < rows.length)
        throw new Error(`Cannot append to the journal of run '${run}' as another process is writing it`);
    };

  async function send(): Promise<void> {
    try {
      while (waiting.length > 0) {
        const rows = waiting;
        waiting = [];
        await database.transaction(inserting(rows));
      }
    } catch (thrown) {
      failure = { thrown };
    }
    sending = undefined;
  }

  async function flush(): Promise<void> {
    await sending;
    if (failure) throw failure.thrown;
  }

  return {
    read: () => events,
    append(event: JournalEvent) {
      if (failure) throw failure.thrown;
      const row = eventRow(id, length, event);
      if (database.now) database.now(inserting([row]));
      else {
        waiting.push(row);
        sending ??= send();
      }
      length++;
    },
    flush,
    [Symbol.asyncDispose]: flush,
  };
}
