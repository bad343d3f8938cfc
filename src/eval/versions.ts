/** With what an evaluation was made: names and versions, and the revision of the working tree. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, platform } from "node:os";

export function versionsNow(): Readonly<Record<string, string>> {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const cores = cpus();
  return {
    ponderosa: version,
    node: process.versions.node,
    machine: `${platform()} ${arch()}, ${cores.length} × ${cores[0]?.model ?? "unknown"}`,
  };
}

/** Of git, with `+` where the working tree was changed; null outside a repository or without git. */
export function revisionNow(): string | null {
  const git = (...words: string[]): string =>
    execFileSync("git", words, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 5000 }).trim();
  try {
    return `${git("rev-parse", "HEAD")}${git("status", "--porcelain", "--untracked-files=no") === "" ? "" : "+"}`;
  } catch {
    return null;
  }
}
