/** The connections of one client: pools of sockets, an origin each, that close with it. */
import { Agent, fetch as send } from "undici";

export interface Transport extends AsyncDisposable {
  readonly fetch: typeof fetch;
}

/** Waits at most `connectMs` for a connection; every other time is kept by whoever sends. */
export function transportOf({ connectMs }: { readonly connectMs: number }): Transport {
  const agent = new Agent({ connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0 });
  return {
    // One fetch in two declarations of its types: those of the package, and those of the platform.
    fetch: ((url: string, init: object) => send(url, { ...init, dispatcher: agent })) as unknown as typeof fetch,
    [Symbol.asyncDispose]: () => agent.destroy(),
  };
}
