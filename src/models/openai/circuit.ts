/**
 * A circuit breaker: a server that failed several times in a row is left alone for a while, then tried with one request.
 * Requests that were in flight together and fail together are one failure: a short fault of a busy server is no breakdown.
 *
 * Closed, it lets everything pass. After `failures` failures in a row it is open: nothing passes for `coolMs`. Then it is half
 * open: one request passes, and closes it or opens it again. Nygard 2007, Release It!, "Circuit breaker".
 */
import type { Clock } from "../clock.ts";

export interface Circuits {
  /** In a row; 429 is no failure, as the server answers. @default 5 */
  readonly failures: number;
  /** @default 10000 */
  readonly coolMs: number;
}

export const usualCircuits: Circuits = { failures: 5, coolMs: 10_000 };

/** `answered`: the server is there, whatever it said. `given-up`: nobody waited to hear. */
export type Outcome = "answered" | "failed" | "given-up";

export interface Circuit {
  /** Milliseconds until a request may pass; 0 where it may now. */
  waitMs(): number;
  /** A request passes; what it returns is told how it ended, once. */
  enter(): (outcome: Outcome) => void;
}

export function circuitOf({ failures, coolMs }: Circuits, clock: Clock): Circuit {
  let failed = 0;
  let openedAt: number | undefined;
  let isTrying = false;
  return {
    waitMs() {
      if (openedAt === undefined) return 0;
      if (isTrying) return coolMs;
      openedAt = Math.min(openedAt, clock.now()); // clocks are set back
      return Math.max(openedAt + coolMs - clock.now(), 0);
    },
    enter() {
      const known = failed;
      const isTrial = openedAt !== undefined;
      if (isTrial) isTrying = true;
      return (outcome) => {
        if (isTrial) isTrying = false;
        if (outcome === "answered") {
          failed = 0;
          openedAt = undefined;
        } else if (outcome === "failed" && (isTrial || known === failed)) {
          failed++;
          if (isTrial || failed >= failures) openedAt = clock.now();
        }
      };
    },
  };
}
