import type { RunEvent } from "../event.ts";

/** The events of a run for one reader, kept until they are read. */
export class Watcher implements AsyncIterator<RunEvent> {
  readonly #events: RunEvent[] = [];
  readonly #leave: () => void;
  #waiting: { resolve: (step: IteratorResult<RunEvent>) => void; reject: (error: unknown) => void } | undefined;
  #ended: { error?: unknown } | undefined;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(event: RunEvent): void {
    if (!this.#waiting) return void this.#events.push(event);
    this.#waiting.resolve({ done: false, value: event });
    this.#waiting = undefined;
  }

  end(ended: { error?: unknown } = {}): void {
    this.#ended = ended;
    if (!this.#waiting) return;
    if ("error" in ended) this.#waiting.reject(ended.error);
    else this.#waiting.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  async next(): Promise<IteratorResult<RunEvent>> {
    const event = this.#events.shift();
    if (event) return { done: false, value: event };
    if (this.#ended) {
      if ("error" in this.#ended) throw this.#ended.error;
      return { done: true, value: undefined };
    }
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  async return(): Promise<IteratorResult<RunEvent>> {
    this.#leave();
    return { done: true, value: undefined };
  }
}
