/**
 * Which process pays. A name is host, process id and when the process began, as ids are used again; so a process of this host
 * is known to be dead from its name. Of other hosts one knows what the database was told: `seenAt`, renewed while it pays.
 */
import { readFileSync } from "node:fs";
import { hostname } from "node:os";

/** A process of another host that was not seen for so long counts as dead. Clocks of hosts may differ by less than that. */
export const leaseMs = 60_000;

const host = hostname().replaceAll("/", "-");

export const thisProcess: string = `${host}/${process.pid}/${startOf(process.pid) ?? "?"}`;

export function isDead(owner: string, seenAt: number, now: number): boolean {
  const [ownerHost, pid, start] = owner.split("/") as [string, string, string];
  if (ownerHost !== host) return now - seenAt > leaseMs;
  if (!isAlive(Number(pid))) return true;
  const current = startOf(Number(pid));
  return current !== undefined && start !== "?" && current !== start;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** In clock ticks since the machine began; undefined where there is no /proc to say so. */
function startOf(pid: number | string): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, second in the line and in brackets, may hold spaces; the start is the 22nd.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
