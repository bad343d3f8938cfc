/** A store by where it is: a file, memory, or a PostgreSQL server. */
import { migrate } from "./migrations.ts";
import { nameOfUrl, openPostgres } from "./postgres.ts";
import { type SqlStore, sqlStore } from "./sql-store.ts";
import { openSqlite } from "./sqlite.ts";

/**
 * ```ts
 * await using store = await openStore("runs.db");
 * ```
 * @param where path of a SQLite file, made where there is none; `:memory:`; or `postgres://user:password@host/database`
 * @throws Error where pg is missing, the database cannot be opened, or a newer program made it
 */
export async function openStore(where: string): Promise<SqlStore> {
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
    const { message, code } = error as NodeJS.ErrnoException;
    if (message.startsWith("Cannot open")) throw error;
    throw new Error(`Cannot open store '${isUrl ? nameOfUrl(where) : where}': ${message || code}`, { cause: error });
  }
}
