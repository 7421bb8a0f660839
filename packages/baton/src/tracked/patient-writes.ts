// Writes to the task store that are retried until it answers.
import { TaskError } from '../task/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter, longestRest } from '../time/backoff.ts';

const REST_MS = { base: 200, cap: 2000 } as const;

/** The task store did not answer a write for as long as this process could wait. The write may have been made. */
export class StoreAwayError extends TaskError {
  override readonly name = 'StoreAwayError';
}

/**
 * Retries writes to the task store until it answers: for as long as this process holds the message, and a moment longer.
 * They may hold a slot meanwhile, because losing the result of a handler or an effect would be worse.
 */
export class PatientWrites {
  readonly #late = Promise.withResolvers<never>();
  readonly #hold: AbortSignal;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #last: unknown;
  #underWay = 0;

  /**
   * @param hold - aborts when this process must release the message
   * @param graceMs - how long writes are retried after that, in milliseconds
   */
  constructor(hold: AbortSignal, graceMs: number) {
    this.#hold = hold;
    this.#graceMs = graceMs;
    this.#late.promise.catch(() => undefined);
    hold.addEventListener('abort', this.#onAbort, { once: true });
    if (hold.aborted) this.#onAbort();
  }

  /**
   * Makes a write, and retries it with backoff.
   *
   * @throws StoreAwayError if the time is over, and the store's error if no retry can succeed
   */
  async make<Written>(write: () => Promise<Written>): Promise<Written> {
    this.#underWay += 1;
    return this.#again(write).finally(() => (this.#underWay -= 1));
  }

  async #again<Written>(write: () => Promise<Written>): Promise<Written> {
    for (let failures = 0; ; failures += 1) {
      const writing = write();
      // It may fail after the time is over, when nothing awaits it
      writing.catch(() => undefined);
      try {
        return await Promise.race([writing, this.#late.promise]);
      } catch (error) {
        if (error instanceof StoreAwayError || isHopeless(error)) throw error;
        this.#last = error;
      }
      await Promise.race([sleep(equalJitter(longestRest(REST_MS, failures))), this.#late.promise]);
    }
  }

  /** Stops the retries of writes under way after so many milliseconds. Call it when the message is no longer held. */
  endIn(ms: number): void {
    this.#hold.removeEventListener('abort', this.#onAbort);
    clearTimeout(this.#timer);
    if (this.#underWay > 0) this.#stopIn(ms);
  }

  readonly #onAbort = (): void => this.#stopIn(this.#graceMs);

  #stopIn(ms: number): void {
    clearTimeout(this.#timer);
    const stop = (): void =>
      this.#late.reject(new StoreAwayError('The task store did not answer in time', { cause: this.#last }));
    this.#timer = setTimeout(stop, ms).unref();
  }
}

/** Whether no retry of a write can succeed, because DynamoDB refuses its content. */
export function isHopeless(error: unknown): boolean {
  return (error as Partial<Error>).name === 'ValidationException';
}
