/**
 * Several servers of one model: which of them takes an attempt.
 *
 * By lot in proportion to their weights, among those whose circuit is closed, those that have not failed this request first, then those that have rested as long as they asked for. The lot
 * falls by the seed of the request: a repeated run asks the same servers as long as they are well.
 */
import type { Key } from "../../key.ts";
import { random } from "../../math/random.ts";
import type { Circuit } from "./circuit.ts";
import type { Connection } from "./http.ts";
import type { Limiter } from "./limiter.ts";
import { Refused } from "./retry.ts";

export interface Upstream {
  readonly connection: Connection;
  readonly weight: number;
  readonly limiter: Limiter;
  readonly circuit: Circuit;
}

/** Those that failed this request, with the time from which each may be asked again. */
export type FailedUpstreams = ReadonlyMap<Upstream, number>;

const isReady = ({ circuit }: Upstream): boolean => circuit.waitMs() === 0;

/** @throws Refused where all circuits are open, with the time until the first may be tried */
export function chosen(upstreams: readonly Upstream[], failed: FailedUpstreams, now: number, place: Key): Upstream {
  const ready = upstreams.filter(isReady);
  const fresh = ready.filter((upstream) => !failed.has(upstream));
  const rested = ready.filter((upstream) => (failed.get(upstream) ?? 0) <= now);
  const among = [fresh, rested, ready].find(({ length }) => length > 0);
  if (!among) throw resting(upstreams);
  const at = among.length === 1 ? 0 : random(place).weighted(among.map(({ weight }) => weight));
  return among[at] as Upstream;
}

/** Whether another server may take what has just failed, at once. */
export const hasAnother = (upstreams: readonly Upstream[], failed: FailedUpstreams): boolean =>
  upstreams.some((upstream) => !failed.has(upstream) && isReady(upstream));

export function resting(upstreams: readonly Upstream[]): Refused {
  const names = upstreams.map(({ connection }) => connection.id).join(", ");
  const waitMs = Math.min(...upstreams.map(({ circuit }) => circuit.waitMs()));
  return new Refused("unavailable", `${names} failed several times in a row and is left alone for a while`, waitMs);
}
