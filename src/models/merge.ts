/** Several samples at once as one stream: each part as soon as it is there; what throws fails alone. */
import { failureOf } from "../errors.ts";
import type { ModelPart } from "../model.ts";

export interface Sampler {
  /** The entries of the request that it answers; those still open when it throws become failures. */
  readonly indices: readonly number[];
  /** Must end soon after `signal` aborts. */
  run(emit: (part: ModelPart) => void, signal: AbortSignal): Promise<void>;
}

/** Starts all samplers. An abort, and a consumer that leaves, end them all; nothing runs on when the stream has ended. */
export async function* merge(samplers: readonly Sampler[], signal: AbortSignal): AsyncGenerator<ModelPart> {
  const parts: ModelPart[] = [];
  const answered = new Set<number>();
  const inner = new AbortController();
  let wake = (): void => {};
  let running = samplers.length;

  const emit = (part: ModelPart): void => {
    if (part.type !== "text-delta") answered.add(part.index);
    parts.push(part);
    wake();
  };
  const abort = (): void => {
    inner.abort(signal.reason);
    wake();
  };
  const runs = samplers.map(async ({ indices, run }) => {
    try {
      await run(emit, inner.signal);
    } catch (thrown) {
      for (const index of indices)
        if (!answered.has(index)) emit({ type: "failure", index, failure: failureOf(thrown) });
    } finally {
      running--;
      wake();
    }
  });

  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    for (;;) {
      while (parts.length > 0 && !signal.aborted) yield parts.shift() as ModelPart;
      if (running === 0 || signal.aborted) return;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    signal.removeEventListener("abort", abort);
    inner.abort(signal.reason);
    await Promise.all(runs);
  }
}
