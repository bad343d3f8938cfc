/**
 * Python 3 as WebAssembly (Pyodide) in a Deno process that has no permission but to read Pyodide's folder. From npm alone.
 *
 * Pyodide is no boundary by itself: Python reaches JavaScript by `import js`. Deno is the boundary, so what it finds there can
 * neither read, write, connect nor start anything. Memory is capped inside (pages of WebAssembly) and by the resident size from
 * outside. Start: 4 s, or 0.4 s from a snapshot of the memory after start-up, which is made at first use and kept in the user's
 * cache; each process takes about 200 MB before the program takes any.
 */
import { execFile } from "node:child_process";
import { accessSync, existsSync, readFileSync } from "node:fs";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runChild } from "./child.ts";
import { type Backend, checkRequest, type RunRequest, type Sandbox } from "./sandbox.ts";

const MiB = 2 ** 20;
const pageBytes = 65_536;
/** What Pyodide's own heap takes at start (30 MB, measured by its snapshot), with room to work in. */
const interpreterHeapBytes = 48 * MiB;
/** What Deno with Pyodide takes at start (170 to 210 MB measured). */
const interpreterResidentBytes = 320 * MiB;

export const pyodide: Backend = {
  name: "pyodide",
  languages: ["python"],
  async open(): Promise<Sandbox> {
    if (!existsSync("/proc/self/statm")) throw new Error("needs Linux, where memory can be watched");
    const deno = findDeno();
    const folder = packageFolder("pyodide");
    if (!deno || !folder) throw new Error("not found, get it by `npm i deno pyodide`");
    const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { version: string };
    const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "ponderosa");
    // No folder of Deno's own: what a program puts into `localStorage` and `caches` would be kept there for the next one to read.
    const env = { DENO_DIR: "/dev/null/none", DENO_NO_UPDATE_CHECK: "1", DENO_NO_PACKAGE_JSON: "1", NO_COLOR: "1" };
    const command = (snapshot: string, memoryBytes: number): string[] => [
      "run",
      "--no-prompt",
      "--no-config",
      "--no-remote",
      "--no-npm",
      "--no-lock",
      "--no-code-cache",
      `--allow-read=${[folder, ...(snapshot.startsWith("/") ? [snapshot] : [])].join(",")}`,
      `--v8-flags=--wasm-max-mem-pages=${Math.min(65_536, Math.ceil((interpreterHeapBytes + memoryBytes) / pageBytes))}`,
      guest,
      folder,
      snapshot,
    ];
    const snapshot = await snapshotOf(join(cache, `pyodide-${version}.snapshot`), () =>
      promisify(execFile)(deno, command("make", 512 * MiB), {
        env,
        encoding: "buffer",
        maxBuffer: 256 * MiB,
        timeout: 60_000,
      }).then(({ stdout }) => stdout),
    );
    const sandboxFrom = (snapshot: string): Sandbox => ({
      name: `pyodide ${version} in Deno without permissions`,
      languages: ["python"],
      strength: "WebAssembly in a process without permissions",
      async run(request: RunRequest) {
        const limits = checkRequest(request);
        return runChild(
          {
            file: deno,
            parameters: command(snapshot, limits.memoryBytes),
            env,
            frames: "standard",
            residentBytes: interpreterResidentBytes + limits.memoryBytes,
          },
          request,
          limits,
        );
      },
    });
    for (const start of snapshot === "-" ? ["-"] : [snapshot, "-"]) {
      const sandbox = sandboxFrom(start);
      const probe = { language: "python", code: "print(6 * 7)", limits: { timeMs: 60_000 } } as const;
      if ((await sandbox.run(probe)).stdout === "42\n") return sandbox;
      if (start !== "-") await rm(start, { force: true }); // made by another Deno, or damaged: made again next time
    }
    throw new Error("found, but Python does not start in it");
  },
};

/** Beside this file: TypeScript in the repository, JavaScript in the package. */
const guest = fileURLToPath(import.meta.url.replace(/pyodide(\.[jt]s)$/, "pyodide-guest$1"));

/** The file of the snapshot, made where it is missing; "-" where it cannot be made (an underscore API of Pyodide) or kept. */
async function snapshotOf(file: string, make: () => Promise<Buffer>): Promise<string> {
  if (existsSync(file)) return file;
  const part = `${file}.${process.pid}-${Date.now().toString(36)}.part`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(part, await make());
    await rename(part, file);
    return file;
  } catch {
    await rm(part, { force: true }).catch(() => {});
    return "-";
  }
}

function packageFolder(name: string, from: string = import.meta.url): string | undefined {
  try {
    return dirname(createRequire(from).resolve(`${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The binary of the package for this system: the package `deno` itself only copies it, by an install script. */
function findDeno(): string | undefined {
  const from = packageFolder("deno");
  const system = process.platform === "linux" ? `linux-${process.arch}-glibc` : `${process.platform}-${process.arch}`;
  const folder = from && packageFolder(`@deno/${system}`, join(from, "package.json"));
  const file = folder && join(folder, "deno");
  try {
    if (file) accessSync(file);
    return file;
  } catch {
    return undefined;
  }
}
