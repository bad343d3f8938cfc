/** The strongest sandbox that this machine has for a language; or a refusal that says how to get one. Never a plain process. */
import { Failed } from "../../errors.ts";
import { bubblewrap } from "./bubblewrap.ts";
import { pyodide } from "./pyodide.ts";
import { quickjs } from "./quickjs.ts";
import type { Backend, Language, Sandbox } from "./sandbox.ts";

export interface SandboxOptions {
  readonly language: Language;
  /** Only this one: "bubblewrap", "pyodide" or "quickjs". @default the first that can run */
  readonly prefer?: string;
  /** Strongest first. */
  readonly backends?: readonly Backend[];
}

/** @throws Failed ("unsupported") where none can run. */
export async function openSandbox({
  language,
  prefer,
  backends = [bubblewrap, pyodide, quickjs],
}: SandboxOptions): Promise<Sandbox> {
  const able = backends.filter(
    ({ name, languages }) => languages.includes(language) && (prefer === undefined || name === prefer),
  );
  const reasons: string[] = [];
  for (const backend of able) {
    try {
      return await backend.open();
    } catch (error) {
      reasons.push(`${backend.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Failed(
    "unsupported",
    `Cannot run ${language} as there is no sandbox for it. ${reasons.join(". ") || `No backend '${prefer}' runs it`}`,
  );
}
