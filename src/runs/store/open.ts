/** A store by where it is: a file, memory, or a PostgreSQL server. */
import { migrate } from "./migrations.ts";
import { nameOfUrl, openPostgres } from "./postgres.ts";
import { type SqlStore, sqlStore } from "./sql-store.ts";
import { openSqlite } from "./sqlite.ts";

/** SQLite's code of a file that cannot be opened. */
const cannotOpen = 14;

/**
 * ```ts
 * await using store = await openStore("runs.db");
 * ```
 * @param where path of a SQLite file, made where there is none; `:memory:`; or `postgres://user:password@host/database`
 * @throws Error where pg is missing, the database cannot be opened, or a newer program made it
 */
export async function openStore(where: string): Promise<SqlStore> {
  if (where === "") throw new TypeError("Cannot open a store without a name: give a path, or ':memory:'");
  const isUrl = /^postgres(ql)?:\/\//.test(where);
  try {
    const database = await (isUrl ? openPostgres(where) : openSqlite(where));
    try {
      await migrate(database);
    } catch (error) {
      await database.close();
      throw error;
    }
    return sqlStore(database);
  } catch (error) {
    const { message, code, errcode } = error as NodeJS.ErrnoException & { readonly errcode?: number };
    if (message.startsWith("Cannot open")) throw error;
    const wish = errcode === cannotOpen ? ", which must be a file in a folder that is there and may be written" : "";
    throw new Error(`Cannot open store '${isUrl ? nameOfUrl(where) : where}': ${message || code}${wish}`, {
      cause: error,
    });
  }
}
