// Measures how long an event loop has been silent.

/** One look of a watchdog at an event loop. */
export interface Look {
  /** The time by a monotonic clock. */
  readonly nowMs: number;
  /** The number of heartbeats of the event loop. */
  readonly beats: number;
  /** Whether a debugger may pause the event loop. */
  readonly debugged: boolean;
}

/**
 * Measures how long an event loop has had no heartbeat. Time in which the watchdog itself did not run counts as at most
 * two periods, because a suspended machine or a stopped process (SIGSTOP) is not a blocked event loop.
 */
export class Silence {
  readonly #periodMs: number;
  #lastMs: number | undefined;
  #beats = -1;
  #silentMs = 0;
  #awakeMs = 0;

  /** @param periodMs - the time between two looks */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  /** How long the watchdog has run, in milliseconds. */
  get awakeMs(): number {
    return this.#awakeMs;
  }

  /** Takes a look. Returns how long the loop has been silent, in milliseconds. */
  look({ nowMs, beats, debugged }: Look): number {
    const passedMs = Math.min(nowMs - (this.#lastMs ?? nowMs), 2 * this.#periodMs);
    this.#lastMs = nowMs;
    this.#awakeMs += passedMs;
    this.#silentMs = beats === this.#beats && !debugged ? this.#silentMs + passedMs : 0;
    this.#beats = beats;
    return this.#silentMs;
  }
}
