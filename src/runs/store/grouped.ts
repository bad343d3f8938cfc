/**
 * Group commit: what is to be written in one turn of the event loop, and while an earlier group is being written, goes into
 * one transaction. A commit costs some 50 µs on SQLite and a round trip and an fsync on PostgreSQL, whatever is in it.
 */
import type { Database, Program } from "./database.ts";

/** Resolves once it is committed. Where one program of a group fails, each is written for itself. */
export type Write = (program: Program<void>) => Promise<void>;

export interface GroupedWrites {
  readonly write: Write;
  /** When all that was to be written is, or has failed. */
  settled(): Promise<void>;
}

interface Waiting {
  readonly program: Program<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export function groupedWrites(database: Database): GroupedWrites {
  let waiting: Waiting[] = [];
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.length > 0) {
      await new Promise<void>((turn) => void setImmediate(turn));
      const group = waiting;
      waiting = [];
      try {
        await database.transaction(function* () {
          for (const { program } of group) yield* program();
        });
        for (const { resolve } of group) resolve();
      } catch {
        for (const { program, resolve, reject } of group) await database.transaction(program).then(resolve, reject);
      }
    }
    writing = undefined;
  }

  return {
    write: (program) =>
      new Promise((resolve, reject) => {
        waiting.push({ program, resolve, reject });
        writing ??= writeAll();
      }),
    settled: async () => writing,
  };
}
