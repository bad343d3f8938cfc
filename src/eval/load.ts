/** The options of an evaluation out of a file: JSON, or a module whose default export they are. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Where options come from: a file, and what overrides its fields. Plain data, so that workers can be told. */
export interface Origin {
  /** Absolute; absent where all of it is in `options`. */
  readonly file?: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Unchecked: see `readEvaluation`. @throws RangeError where the file cannot be read as options */
export async function optionsFrom({ file, options }: Origin): Promise<Readonly<Record<string, unknown>>> {
  return file === undefined ? options : { ...(await loadOptions(file)), ...options };
}

async function loadOptions(file: string): Promise<object> {
  const path = resolve(file);
  if (!existsSync(path)) throw new RangeError(`Cannot read ${file} as there is no such file`);
  const loaded = await (path.endsWith(".json") ? parsed(path) : imported(path));
  if (typeof loaded === "object" && loaded !== null && !Array.isArray(loaded)) return loaded;
  throw new RangeError(
    `Cannot use ${file} as an evaluation: ${path.endsWith(".json") ? "it must be an object" : "its default export must be one, as in export default defineEvaluation({ … })"}`,
  );
}

function parsed(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new RangeError(`Cannot read ${path} as JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function imported(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    throw new RangeError(`Cannot load ${path}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
