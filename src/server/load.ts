/** The configuration out of a file: JSON, or a module whose default export it is. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Configuration, readConfiguration } from "./configuration.ts";

/** Where it is looked for when none is named. */
export const configurationFiles = ["ponderosa.config.ts", "ponderosa.config.json"] as const;

/** @throws RangeError where the file cannot be read, or a field is wrong */
export async function loadConfiguration(file: string): Promise<Configuration> {
  const path = resolve(file);
  if (!existsSync(path)) throw new RangeError(`Cannot read ${file} as there is no such file`);
  try {
    return readConfiguration(await (path.endsWith(".json") ? JSON.parse(readFileSync(path, "utf8")) : imported(path)));
  } catch (error) {
    throw new RangeError(`${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A file that was changed is another module. */
const imported = async (path: string): Promise<unknown> =>
  ((await import(`${pathToFileURL(path).href}?${Date.now()}`)) as { default?: unknown }).default;

/** What is served where there is no configuration. */
export const withoutConfiguration: Configuration = readConfiguration({
  models: { sapling: "sapling" },
  methods: { "best-of-16": "best-of-n:16", "majority-16": "majority:16" },
  keepHours: 1,
});
