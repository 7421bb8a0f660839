// A bounded number of things at one time.

/** `acquire` was refused because too many already wait for a permit. */
export class TooManyWaitingError extends Error {
  override readonly name = 'TooManyWaitingError';
}

/** Limits how much is done at one time, such as connections to a server. Who waits is served first come, first served. */
export class Permits {
  readonly #total: number;
  readonly #maxWaiting: number;
  readonly #waiting = new Set<() => void>();
  #free: number;

  /**
   * @param total - how many hold a permit at one time, at least 1
   * @param maxWaiting - how many may wait for one; default: any number
   */
  constructor(total: number, maxWaiting = Infinity) {
    this.#total = total;
    this.#free = total;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Takes a permit, once one is free. Each call that resolves needs a `release`.
   *
   * @throws TooManyWaitingError when too many wait already, and the signal's reason when it aborts first
   */
  async acquire(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.#takeFree()) return;
    if (this.#waiting.size >= this.#maxWaiting)
      throw new TooManyWaitingError(`${this.#maxWaiting} are waiting for a permit already`);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = (): void => {
      if (this.#waiting.delete(resolve)) reject(signal?.reason as Error);
    };
    this.#waiting.add(resolve);
    signal?.addEventListener('abort', leave, { once: true });
    await promise.finally(() => signal?.removeEventListener('abort', leave));
  }

  /** Gives a permit back. The first who waits gets it. */
  release(): void {
    const [next] = this.#waiting;
    if (!next) this.#free += 1;
    else if (this.#waiting.delete(next)) next();
  }

  /**
   * Does the work for every item, each with a permit. Items begin in their order. Resolves to the results, in the order of
   * the items.
   *
   * @throws the first error of the work; what is under way goes on
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
