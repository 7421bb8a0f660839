// Limits how many calls run at one time.

/** `acquire` was refused because too many already wait for a permit. */
export class TooManyWaitingError extends Error {
  override readonly name = 'TooManyWaitingError';
}

/** Limits how many calls run at one time, such as connections to a server. Waiting calls get permits in their order. */
export class Permits {
  readonly #total: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  /**
   * @param total - the number of permits, at least 1
   * @param maxWaiting - how many calls may wait for one. Default: any number
   */
  constructor(total: number, maxWaiting = Infinity) {
    this.#total = total;
    this.#free = total;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a permit, once one is free. Each call that resolves needs a `release`.
   *
   * @throws TooManyWaitingError if too many calls wait already, and the signal's reason if it aborts first
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#takeFree()) return;
    if (this.#waiting.size >= this.#maxWaiting)
      throw new TooManyWaitingError(`${this.#maxWaiting} calls wait for a permit already: no more may wait`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      if (this.#waiting.delete(resolve)) reject(signal?.reason as Error);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  /** Gives a permit back. The first waiting call gets it. */
  release(): void {
    const [next] = this.#waiting;
    if (!next) this.#free += 1;
    else if (this.#waiting.delete(next)) next();
  }

  /**
   * Calls `work` for every item, each time with a permit. Starts the items in their order. Resolves to the results, in the
   * order of the items.
   *
   * @throws the first error of `work`; calls under way continue
   */
  async map<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<Result[]> {
    const results: Result[] = [];
    const left = items.entries();
    const worker = async (): Promise<void> => {
      for (const [index, item] of left) {
        if (!this.#takeFree()) await this.acquire();
        try {
          results[index] = await work(item);
        } finally {
          this.release();
        }
      }
    };
    await Promise.all(Array.from({ length: Math.min(this.#total, items.length) }, worker));
    return results;
  }

  #takeFree(): boolean {
    if (this.#free === 0) return false;
    this.#free -= 1;
    return true;
  }
}
