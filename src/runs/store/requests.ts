/**
 * The books of a server: requests with what each may cost at most, and accounts that pay for them. Beginning a request reserves
 * its worst case, finishing it books what it really cost; one transaction each, so that no two requests, of one process or of
 * many, both take the last unit: spent + reserved <= limit at every instant.
 *
 * A request whose process died counts as paid in full, as what was in flight then may have been. Begun again under its id, it
 * goes on with its journals, and what it did not use comes back.
 */
import type { Budget, Cost, Limit } from "../../budget.ts";
import { addCosts, cost } from "../../budget.ts";
import type { JournalEvent } from "../../event.ts";
import type { Json } from "../../problem.ts";
import { packText, type Row, type Statement, unpackText } from "./database.ts";
import { isDead, thisProcess } from "./owner.ts";
import { costNames, costOf, costRow } from "./rows.ts";
import type { SqlStore } from "./sql-store.ts";

export interface RequestPlan {
  /** Unique; the same for a request that is made again under one idempotency key. */
  readonly id: string;
  /** Who asks, and may see the request. */
  readonly caller: string;
  /** Who pays. */
  readonly account: string;
  /** Hash of what is asked. */
  readonly fingerprint: string;
  /** Journals that it writes: `id/0`, `id/1`, … */
  readonly runs: number;
  /** Runs are drawn from it, in a resumed request too. */
  readonly seed: number;
  readonly worst: Cost;
  /** Of the account. Seconds are not counted. */
  readonly limits: Budget;
}

export interface RequestReply {
  readonly status: number;
  readonly body: Json;
}

export type Begun =
  | { readonly type: "granted"; readonly seed: number }
  | { readonly type: "denied"; readonly limit: Limit }
  /** It was answered. */
  | { readonly type: "replied"; readonly reply: RequestReply }
  /** Another process is at work on it. */
  | { readonly type: "running" }
  /** The id is that of a request that asks something else. */
  | { readonly type: "conflict" };

export interface KeptRequest {
  readonly id: string;
  readonly caller: string;
  readonly fingerprint: string;
  readonly runs: number;
  /** The last time that it was begun: milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined while it runs. */
  readonly finishedAt: number | undefined;
  /** Undefined while it runs, and where it was cut short. */
  readonly reply: RequestReply | undefined;
  readonly spent: Cost;
}

export interface RequestBooks {
  begin(plan: RequestPlan): Promise<Begun>;
  /** `spent`: all that it cost, before an interruption too. Without a reply it may be begun again. */
  finish(id: string, spent: Cost, reply?: RequestReply): Promise<void>;
  find(id: string): Promise<KeptRequest | undefined>;
  /** What the account has spent, and what is reserved. */
  account(id: string): Promise<{ readonly spent: Cost; readonly reserved: Cost }>;
  /** Books as paid in full the requests of dead processes of this machine, and those of others that began a day ago. Gives their number. */
  settleDead(): Promise<number>;
  /** Events of a run from a place on, with theirs. */
  events(run: string, from: number): Promise<readonly { readonly position: number; readonly event: JournalEvent }[]>;
  /** Deletes what was finished before: requests, replies and journals; accounts stay. Gives their number. */
  forget(before: number): Promise<number>;
}

const counted = { tokens: "tokens", promptTokens: "promptTokens", calls: "calls", dollars: "nanodollars" } as const;

/** Requests that are forgotten in one transaction. */
const forgottenAtOnce = 100;

export function requestBooks({ database }: SqlStore): RequestBooks {
  const open = `select id, ${costNames("worst_")}, ${costNames()} from requests where account = $1 and finished_at is null`;

  return {
    begin: ({ id, caller, account, fingerprint, runs, seed, worst, limits }) =>
      database.transaction<Begun>(function* () {
        let pays = account;
        let spent = yield* held(pays);
        const [there] = yield { sql: "select * from requests where id = $1", parameters: [id] };
        if (there && there["account"] !== account) {
          pays = there["account"] as string; // as it was begun, on an earlier day say
          spent = yield* held(pays);
        }
        if (there) {
          if (there["fingerprint"] !== fingerprint) return { type: "conflict" };
          const reply = replyOf(there);
          if (reply) return { type: "replied", reply };
          if (there["finished_at"] === null && !isOver(there)) return { type: "running" };
        }
        const paid = there ? costOf(there) : cost({});
        const reserved = sum((yield { sql: open, parameters: [pays] }).filter((row) => row["id"] !== id).map(unpaid));
        for (const [limit, unit] of Object.entries(counted) as [
          keyof typeof counted,
          (typeof counted)[keyof typeof counted],
        ][]) {
          const most = limits[limit];
          if (most === undefined) continue;
          const asked = Math.max(0, worst[unit] - paid[unit]);
          const all = limit === "dollars" ? Math.floor(most * 1e9 + 1e-6) : most;
          if (spent[unit] + reserved[unit] + asked > all) return { type: "denied", limit };
        }
        if (there)
          yield {
            sql: "update requests set owner = $2, started_at = $3, finished_at = null where id = $1",
            parameters: [id, thisProcess, Date.now()],
          };
        else
          yield {
            insert: `insert into requests (id, caller, account, fingerprint, runs, seed, owner, started_at, ${costNames("worst_")}, ${costNames()})`,
            rows: [
              // biome-ignore format: one row
              [id, packText(caller), account, fingerprint, runs, seed, thisProcess, Date.now(), ...keptRow(worst), 0, 0, 0, 0, 0],
            ],
          };
        return { type: "granted", seed: there ? (there["seed"] as number) : seed };
      }),

    finish: (id, spent, reply) =>
      database.transaction(function* () {
        const [row] = yield { sql: "select * from requests where id = $1", parameters: [id] };
        if (!row) throw new Error(`Cannot finish request '${id}' as it was not begun`);
        yield* book(row, spent);
        yield {
          sql: "update requests set finished_at = $2, status = $3, reply = $4 where id = $1",
          parameters: [id, Date.now(), reply?.status ?? null, reply ? JSON.stringify(reply.body) : null],
        };
      }),

    async find(id) {
      const [row] = await database.query("select * from requests where id = $1", [id]);
      return row && keptOf(row);
    },

    async account(id) {
      const [row] = await database.query(`select ${costNames()} from accounts where id = $1`, [id]);
      const rows = await database.query(open, [id]);
      return { spent: row ? costOf(row) : cost({}), reserved: sum(rows.map(unpaid)) };
    },

    settleDead: () =>
      database.transaction(function* () {
        const dead = (yield { sql: "select * from requests where finished_at is null" }).filter(isOver);
        for (const row of dead) {
          yield* book(row, costOf(row, "worst_"));
          yield {
            sql: "update requests set finished_at = $2 where id = $1",
            parameters: [row["id"] as string, Date.now()],
          };
        }
        return dead.length;
      }),

    async events(run, from) {
      const rows = await database.query(
        "select position, event from events where run = $1 and position >= $2 order by position limit 1000",
        [packText(run), from],
      );
      return rows.map((row) => ({
        position: row["position"] as number,
        event: JSON.parse(row["event"] as string) as JournalEvent,
      }));
    },

    forget: (before) =>
      database.transaction(function* () {
        const old = yield {
          sql: `select id, runs from requests where finished_at < $1 order by finished_at limit ${forgottenAtOnce}`,
          parameters: [before],
        };
        for (const row of old) {
          for (let i = 0; i < (row["runs"] as number); i++)
            yield { sql: "delete from events where run = $1", parameters: [packText(`${row["id"]}/${i}`)] };
          yield { sql: "delete from requests where id = $1", parameters: [row["id"] as string] };
        }
        return old.length;
      }),
  };
}

/** What an account has spent; nobody else changes it until the transaction is over. */
function* held(account: string): Generator<Statement, Cost, readonly Row[]> {
  const [row] = yield {
    insert: `insert into accounts (id, ${costNames()})`,
    rows: [[account, 0, 0, 0, 0, 0]],
    ending: `on conflict (id) do update set tokens = accounts.tokens returning ${costNames()}`,
  };
  return costOf(row as Row);
}

/** Charges what a request has cost beyond what was booked for it, or gives back. */
function* book(row: Row, spent: Cost): Generator<Statement, void, readonly Row[]> {
  const account = row["account"] as string;
  const more = addCosts(spent, negative(costOf(row)));
  const total = addCosts(yield* held(account), more);
  const set = costNames()
    .split(", ")
    .map((name, i) => `${name} = $${i + 2}`)
    .join(", ");
  yield { sql: `update accounts set ${set} where id = $1`, parameters: [account, ...keptRow(total)] };
  yield { sql: `update requests set ${set} where id = $1`, parameters: [row["id"] as string, ...keptRow(spent)] };
}

/** A larger number would not come back out of a database as it was; no limit is larger. */
const keptRow = (one: Cost): number[] => costRow(one).map((units) => Math.min(units, Number.MAX_SAFE_INTEGER));

/** What is still reserved for a request that runs. */
const unpaid = (row: Row): Cost => {
  const [worst, paid] = [costOf(row, "worst_"), costOf(row)];
  return cost({
    tokens: Math.max(0, worst.tokens - paid.tokens),
    promptTokens: Math.max(0, worst.promptTokens - paid.promptTokens),
    calls: Math.max(0, worst.calls - paid.calls),
    nanodollars: Math.max(0, worst.nanodollars - paid.nanodollars),
  });
};

const sum = (costs: readonly Cost[]): Cost => costs.reduce(addCosts, cost({}));

const negative = (one: Cost): Cost => ({
  tokens: -one.tokens,
  promptTokens: -one.promptTokens,
  cachedTokens: -one.cachedTokens,
  calls: -one.calls,
  nanodollars: -one.nanodollars,
});

/** Processes of other machines settle their own, unless their machine is gone: nothing is at work for so long. */
const goneMs = 86_400_000;

const isOver = (row: Row): boolean => {
  const now = Date.now();
  const isGone = now - (row["started_at"] as number) > goneMs;
  return isDead(row["owner"] as string, isGone ? 0 : now, now);
};

const replyOf = (row: Row): RequestReply | undefined =>
  row["reply"] === null
    ? undefined
    : { status: row["status"] as number, body: JSON.parse(row["reply"] as string) as Json };

const keptOf = (row: Row): KeptRequest => ({
  id: row["id"] as string,
  caller: unpackText(row["caller"] as string),
  fingerprint: row["fingerprint"] as string,
  runs: row["runs"] as number,
  startedAt: row["started_at"] as number,
  finishedAt: (row["finished_at"] as number | null) ?? undefined,
  reply: replyOf(row),
  spent: costOf(row),
});
