/** How entries are joined. */
export interface BatcherOptions<Entry, Result> {
  /** Carries out one batch; resolves to one settled result an entry, in the entries' order. */
  readonly run: (entries: readonly Entry[]) => Promise<readonly PromiseSettledResult<Result>[]>;
  /** Entries in one batch. Default 10, SQS's own limit. */
  readonly maxEntries?: number;
  /** The size of one batch, as `sizeOf` counts. Default: no limit. */
  readonly maxSize?: number;
  /** What an entry counts towards `maxSize`. Default 0. */
  readonly sizeOf?: (entry: Entry) => number;
  /** How long the first entry of a batch waits for others, in milliseconds. Default 0: until the event loop's next turn. */
  readonly lingerMs?: number;
}

interface Waiting<Entry, Result> {
  readonly entry: Entry;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/** Joins single calls that are made at about the same time into batches; each caller gets its own entry's result. */
export class Batcher<Entry, Result> {
  readonly #options: Required<BatcherOptions<Entry, Result>>;
  #waiting: Waiting<Entry, Result>[] = [];
  #waitingSize = 0;
  #cancelFlush: (() => void) | undefined;

  constructor(options: BatcherOptions<Entry, Result>) {
    this.#options = { maxEntries: 10, maxSize: Infinity, sizeOf: () => 0, lingerMs: 0, ...options };
  }

  /** Adds an entry to the batch that is being gathered. Rejects with that entry's failure, or with the whole batch's. */
  add(entry: Entry): Promise<Result> {
    const { maxEntries, maxSize, sizeOf } = this.#options;
    const size = sizeOf(entry);
    if (this.#waitingSize + size > maxSize) this.#flush();
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ entry, resolve, reject });
    this.#waitingSize += size;
    if (this.#waiting.length >= maxEntries) this.#flush();
    else this.#cancelFlush ??= this.#scheduleFlush();
    return promise;
  }

  #scheduleFlush(): () => void {
    const { lingerMs } = this.#options;
    if (lingerMs > 0) {
      const timer = setTimeout(() => this.#flush(), lingerMs);
      return () => clearTimeout(timer);
    }
    const immediate = setImmediate(() => this.#flush());
    return () => clearImmediate(immediate);
  }

  #flush(): void {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingSize = 0;
    void this.#run(batch);
  }

  async #run(batch: readonly Waiting<Entry, Result>[]): Promise<void> {
    try {
      const results = await this.#options.run(batch.map(({ entry }) => entry));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index];
        if (result?.status === 'fulfilled') resolve(result.value);
        else reject(result ? result.reason : new Error('The batch gave no result for this entry'));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
