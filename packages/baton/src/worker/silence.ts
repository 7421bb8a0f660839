/** What a watchdog sees at one look. */
export interface Look {
  /** By a clock that never goes back. */
  readonly nowMs: number;
  /** How often the event loop has come round. */
  readonly beats: number;
  /** Whether a debugger may pause the event loop. */
  readonly debugged: boolean;
}

/**
 * Measures for how long an event loop has been silent, by looks at its heartbeat. Time in which the watchdog itself did
 * not run counts as two periods at most: a machine that was suspended, or a process that was stopped (SIGSTOP), is not
 * an event loop that something blocks.
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

  /** For how long the watchdog has been awake, in milliseconds. */
  get awakeMs(): number {
    return this.#awakeMs;
  }

  /** Looks. Gives for how many milliseconds the loop has been silent. */
  look({ nowMs, beats, debugged }: Look): number {
    const passedMs = Math.min(nowMs - (this.#lastMs ?? nowMs), 2 * this.#periodMs);
    this.#lastMs = nowMs;
    this.#awakeMs += passedMs;
    this.#silentMs = beats === this.#beats && !debugged ? this.#silentMs + passedMs : 0;
    this.#beats = beats;
    return this.#silentMs;
  }
}
