import { TaskError } from '../task/errors.ts';
import { setTimeout as sleep } from 'node:timers/promises';
import { equalJitter, longestRest } from '../time/backoff.ts';

const REST_MS = { base: 200, cap: 2000 } as const;

/** The store did not take a write for as long as this process could wait. Whether it was made is not known. */
export class StoreAwayError extends TaskError {
  override readonly name = 'StoreAwayError';
}

/**
 * Writes to the store that are made again until it answers. They wait for as long as this process holds the message, and
 * a moment longer: what has been done outside is worth more than the time of a slot.
 */
export class PatientWrites {
  readonly #givenUp = Promise.withResolvers<never>();
  readonly #hold: AbortSignal;
  readonly #graceMs: number;
  #timer: NodeJS.Timeout | undefined;
  #last: unknown;
  #underWay = 0;

  /**
   * @param hold - aborts when this process must give the message up
   * @param graceMs - how long writes are tried after that
   */
  constructor(hold: AbortSignal, graceMs: number) {
    this.#hold = hold;
    this.#graceMs = graceMs;
    this.#givenUp.promise.catch(() => undefined);
    hold.addEventListener('abort', this.#onAbort, { once: true });
    if (hold.aborted) this.#onAbort();
  }

  /**
   * Makes a write, if need be again and again.
   *
   * @throws StoreAwayError when the message has to be given up first; and what the store throws that no later try can mend
   */
  async make<Written>(write: () => Promise<Written>): Promise<Written> {
    this.#underWay += 1;
    return this.#again(write).finally(() => (this.#underWay -= 1));
  }

  async #again<Written>(write: () => Promise<Written>): Promise<Written> {
    for (let failures = 0; ; failures += 1) {
      const writing = write();
      // The last one may fail when nobody waits for it any more
      writing.catch(() => undefined);
      try {
        return await Promise.race([writing, this.#givenUp.promise]);
      } catch (error) {
        if (error instanceof StoreAwayError || isHopeless(error)) throw error;
        this.#last = error;
      }
      await Promise.race([sleep(equalJitter(longestRest(REST_MS, failures))), this.#givenUp.promise]);
    }
  }

  /** Has what is still being written given up after so long: the message is no longer held. */
  endIn(ms: number): void {
    this.#hold.removeEventListener('abort', this.#onAbort);
    clearTimeout(this.#timer);
    if (this.#underWay > 0) this.#giveUpIn(ms);
  }

  readonly #onAbort = (): void => this.#giveUpIn(this.#graceMs);

  #giveUpIn(ms: number): void {
    clearTimeout(this.#timer);
    const giveUp = (): void =>
      this.#givenUp.reject(
        new StoreAwayError('The task store did not answer in time', { cause: this.#last }),
      );
    this.#timer = setTimeout(giveUp, ms).unref();
  }
}

/** Whether a write is refused for what it says: the store is there, and will never take it. */
function isHopeless(error: unknown): boolean {
  return (error as Partial<Error>).name === 'ValidationException';
}
