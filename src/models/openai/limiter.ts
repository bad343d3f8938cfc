/**
 * Requests in flight at one server: halved when it says 429 or lets one time out, raised by one when as many have succeeded as are
 * allowed.
 *
 * A burst of them is one episode: those to requests that were sent before the lowering do not lower again.
 * Chiu & Jain 1989, "Analysis of the increase and decrease algorithms for congestion avoidance": additive increase,
 * multiplicative decrease.
 */
export class Limiter {
  readonly #most: number;
  #limit: number;
  #running = 0;
  #episode = 0;
  #successes = 0;
  readonly #queue: (() => void)[] = [];

  constructor(most: number) {
    if (!Number.isInteger(most) || most < 1)
      throw new RangeError(
        `Cannot limit requests as 'concurrency' must be a positive integer: current value is ${most}`,
      );
    this.#most = most;
    this.#limit = most;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Runs the task in its turn. `isOverload` tells from what it throws whether the server asked for less. */
  async run<T>(task: () => Promise<T>, isOverload: (thrown: unknown) => boolean, signal: AbortSignal): Promise<T> {
    await this.#turn(signal);
    const episode = this.#episode;
    try {
      const result = await task();
      if (++this.#successes >= this.#limit && this.#limit < this.#most) {
        this.#limit++;
        this.#successes = 0;
      }
      return result;
    } catch (thrown) {
      if (isOverload(thrown) && episode === this.#episode) {
        this.#limit = Math.max(1, Math.floor(this.#limit / 2));
        this.#episode++;
        this.#successes = 0;
      }
      throw thrown;
    } finally {
      this.#running--;
      this.#next();
    }
  }

  /** Resolves when the caller has a place, which it must give back. First come, first served. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const go = (): void => {
        signal.removeEventListener("abort", abort);
        this.#running++;
        resolve();
      };
      const abort = (): void => {
        this.#queue.splice(this.#queue.indexOf(go), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", abort, { once: true });
      this.#queue.push(go);
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < this.#limit && this.#queue.length > 0) this.#queue.shift()?.();
  }
}
