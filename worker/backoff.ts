import { setTimeout as sleep } from 'node:timers/promises';

const BASE_MS = 200;
const CAP_MS = 30_000;
const PAUSE_MS = 1000;

/** The rests between calls to a dependency in trouble: exponential, full jitter, at most 30 s. */
export class Backoff {
  #failures = 0;

  /** Whether the last call failed. */
  get troubled(): boolean {
    return this.#failures > 0;
  }

  /** The last call succeeded: the next failure rests briefly again. */
  reset(): void {
    this.#failures = 0;
  }

  /** Rests after a failure; resolves early when `signal` aborts. */
  async rest(signal: AbortSignal): Promise<void> {
    const longestMs = Math.min(CAP_MS, BASE_MS * 2 ** this.#failures);
    this.#failures += 1;
    await sleep(Math.random() * longestMs, undefined, { signal }).catch(() => undefined);
  }

  /** Rests for a second though nothing failed; resolves early when `signal` aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
  }
}
