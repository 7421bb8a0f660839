import { setTimeout as sleep } from 'node:timers/promises';

const BASE_MS = 200;
const CAP_MS = 30_000;
const PAUSE_MS = 1000;

/** Resolves after so many milliseconds, or early when `signal` aborts. */
type Wait = (forMs: number, signal: AbortSignal) => Promise<void>;

const waitAwake: Wait = (forMs, signal) => sleep(forMs, undefined, { signal }).catch(() => undefined);

/** The rests between calls to a dependency in trouble: exponential, full jitter, at most 30 s. */
export class Backoff {
  readonly #wait: Wait;
  #failures = 0;

  /** @param wait - default: by the system's clock, for which the process stays alive */
  constructor(wait: Wait = waitAwake) {
    this.#wait = wait;
  }

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
    await this.#wait(Math.random() * longestMs, signal);
  }

  /** Rests for a second though nothing failed; resolves early when `signal` aborts. */
  async pause(signal: AbortSignal): Promise<void> {
    await this.#wait(PAUSE_MS, signal);
  }
}
