// Joins single calls into batches, and retries the entries that fail.
import { equalJitter, longestRest } from '../time/backoff.ts';

const REST_MS = { base: 100, cap: 5000 } as const;

/** Configures a batcher. */
export interface BatcherOptions<Entry, Result> {
  /** Carries one batch out. Resolves to the result of each entry, in their order, as `Promise.allSettled` does. */
  readonly run: (entries: readonly Entry[]) => Promise<readonly PromiseSettledResult<Result>[]>;
  /** The most entries in one batch. Default 10, which is SQS's limit. */
  readonly maxEntries?: number;
  /** The largest size of one batch, as measured by `sizeOf`. Default: no limit. */
  readonly maxSize?: number;
  /** The size of an entry. Default 0. */
  readonly sizeOf?: (entry: Entry) => number;
  /** How long the first entry of a batch waits for others, in milliseconds. Default 0: until the next turn of the event loop. */
  readonly lingerMs?: number;
  /** Whether an entry that failed with this error may succeed later. Default: no entry is retried. */
  readonly mayRecover?: (error: unknown) => boolean;
}

interface Waiting<Entry, Result> {
  readonly entry: Entry;
  readonly untilMs: number;
  failures: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/** Joins calls that are made at about the same time into batches. Each caller gets the result of its own entry. */
export class Batcher<Entry, Result> {
  readonly #options: Required<BatcherOptions<Entry, Result>>;
  #waiting: Waiting<Entry, Result>[] = [];
  #waitingSize = 0;
  #cancelFlush: (() => void) | undefined;

  constructor(options: BatcherOptions<Entry, Result>) {
    const defaults = { maxEntries: 10, maxSize: Infinity, sizeOf: () => 0, lingerMs: 0 };
    this.#options = { ...defaults, mayRecover: () => false, ...options };
  }

  /**
   * Adds an entry to the next batch. If it fails and may recover, it is added again after a rest with jitter: at most
   * 100 ms after its first failure, at most 5 s after any.
   *
   * @param untilMs - no retry is made after this time, by `performance.now()`. Default: no retries
   * @throws the last failure of the entry, or of a whole batch with it
   */
  add(entry: Entry, untilMs = 0): Promise<Result> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#enqueue({ entry, untilMs, failures: 0, resolve, reject });
    return promise;
  }

  #enqueue(waiting: Waiting<Entry, Result>): void {
    const { maxEntries, maxSize, sizeOf } = this.#options;
    const size = sizeOf(waiting.entry);
    if (this.#waitingSize + size > maxSize) this.#flush();
    this.#waiting.push(waiting);
    this.#waitingSize += size;
    if (this.#waiting.length >= maxEntries) this.#flush();
    else this.#cancelFlush ??= this.#scheduleFlush();
  }

  #scheduleFlush(): () => void {
    const { lingerMs } = this.#options;
    if (lingerMs > 0) {
      const timer = setTimeout(this.#flush, lingerMs);
      return () => clearTimeout(timer);
    }
    const immediate = setImmediate(this.#flush);
    return () => clearImmediate(immediate);
  }

  readonly #flush = (): void => {
    this.#cancelFlush?.();
    this.#cancelFlush = undefined;
    if (this.#waiting.length === 0) return;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingSize = 0;
    this.#options.run(batch.map(({ entry }) => entry)).then(
      (results) => this.#finish(batch, results),
      (error: unknown) => {
        for (const each of batch) this.#fail(each, error);
      },
    );
  };

  #finish(batch: readonly Waiting<Entry, Result>[], results: readonly PromiseSettledResult<Result>[]): void {
    for (const [index, each] of batch.entries()) {
      const result = results[index];
      if (result?.status === 'fulfilled') each.resolve(result.value);
      else this.#fail(each, result ? result.reason : new Error('The batch gave no result for this entry'));
    }
  }

  #fail(waiting: Waiting<Entry, Result>, error: unknown): void {
    const restMs = equalJitter(longestRest(REST_MS, waiting.failures));
    if (performance.now() + restMs >= waiting.untilMs || !this.#options.mayRecover(error)) {
      waiting.reject(error);
      return;
    }
    waiting.failures += 1;
    setTimeout(() => this.#enqueue(waiting), restMs);
  }
}
