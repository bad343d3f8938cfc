/** The ledger of paid calls in a database; see `src/ledger.ts` for what it promises. */
import { randomUUID } from "node:crypto";
import type { InDoubt, Ledger, LedgerEntry } from "../../ledger.ts";
import type { Json } from "../../problem.ts";
import { type Database, packText, pageRows, type Row, type SqlValue, unpackText } from "./database.ts";
import type { Write } from "./grouped.ts";
import { isDead, leaseMs, thisProcess } from "./owner.ts";
import { costNames, costOf, costRow } from "./rows.ts";

/** Sizes of the lists in `key in (…)`: few, so that statements are prepared once. */
const listSizes = [1, 8, 64, 512];

export interface SqlLedger extends Ledger {
  /** All that is recorded, in the order of keys, a page in memory at a time. */
  entries(): AsyncIterable<LedgerEntry>;
  /** Stops telling the database that this process is alive. */
  close(): void;
}

export function sqlLedger(database: Database, write: Write): SqlLedger {
  let heartbeat: NodeJS.Timeout | undefined;
  /** The replies that the next transaction records, in one statement. */
  let joint: { readonly rows: SqlValue[][]; readonly written: Promise<void> } | undefined;

  /** From the first flight on, and every third of a lease. */
  const seen = (): Promise<void> =>
    write(function* () {
      yield {
        sql: "insert into owners (id, seen_at) values ($1, $2) on conflict (id) do update set seen_at = excluded.seen_at",
        parameters: [thisProcess, Date.now()],
      };
    });

  return {
    async find(keys) {
      const found = new Map<string, LedgerEntry>();
      for (let i = 0; i < keys.length; ) {
        const size = listSizes.find((size) => size >= keys.length - i) ?? (listSizes.at(-1) as number);
        const some = keys.slice(i, i + size);
        i += size;
        const list = Array.from({ length: size }, (_, k) => some[k] ?? (some[0] as string));
        for (const row of await database.query(findSql(size), list)) {
          const entry = entryOf(row);
          found.set(entry.key, entry);
        }
      }
      return found;
    },
    async begin({ model, requests, worst }) {
      const id = randomUUID();
      const isFirst = heartbeat === undefined;
      heartbeat ??= setInterval(() => void seen().catch(() => {}), leaseMs / 3).unref();
      const begun = write(function* () {
        yield {
          insert: `insert into flights (id, owner, model, requests, ${costNames("worst_")}, started_at)`,
          rows: [[id, thisProcess, packText(model), requests, ...costRow(worst), Date.now()]],
        };
      });
      await Promise.all([begun, isFirst && seen()]);
      return id;
    },
    async record(entries) {
      if (entries.length === 0) return;
      if (!joint) {
        const rows: SqlValue[][] = [];
        const written = write(function* () {
          if (joint?.rows === rows) joint = undefined;
          // In one order, so that two processes that write the same keys do not wait for each other.
          rows.sort(([a], [b]) => Number((a as string) > (b as string)) - Number((a as string) < (b as string)));
          yield { insert: `insert into calls (${callColumns})`, rows, ending: "on conflict (key) do nothing" };
        });
        joint = { rows, written };
      }
      joint.rows.push(...entries.map(callRow));
      await joint.written;
    },
    end: (flight) =>
      write(function* () {
        yield { sql: "delete from flights where id = $1", parameters: [flight] };
      }),
    async inDoubt() {
      const rows = await database.query(
        "select f.*, o.seen_at from flights f left join owners o on o.id = f.owner order by f.started_at, f.id",
      );
      const now = Date.now();
      return rows.filter((row) => isDead(row["owner"] as string, Number(row["seen_at"]), now)).map(inDoubtOf);
    },
    async *entries() {
      for (let last = ""; ; ) {
        const page = await database.query(
          `select ${callColumns} from calls where key > $1 order by key limit ${pageRows}`,
          [last],
        );
        for (const row of page) yield entryOf(row);
        if (page.length < pageRows) return;
        last = page.at(-1)?.["key"] as string;
      }
    },
    close: () => clearInterval(heartbeat),
  };
}

const callColumns = `key, model, kind, reply, ${costNames()}`;

const callRow = ({ key, model, kind, reply, cost }: LedgerEntry): SqlValue[] => [
  key,
  packText(model),
  kind,
  JSON.stringify(reply),
  ...costRow(cost),
];

const entryOf = (row: Row): LedgerEntry => ({
  key: row["key"] as string,
  model: unpackText(row["model"] as string),
  kind: row["kind"] as LedgerEntry["kind"],
  reply: JSON.parse(row["reply"] as string) as Json,
  cost: costOf(row),
});

const inDoubtOf = (row: Row): InDoubt => ({
  model: unpackText(row["model"] as string),
  requests: row["requests"] as number,
  worst: costOf(row, "worst_"),
  owner: row["owner"] as string,
  startedAt: row["started_at"] as number,
});

const findSql = (size: number): string =>
  `select ${callColumns} from calls where key in (${Array.from({ length: size }, (_, k) => `$${k + 1}`).join(", ")})`;
