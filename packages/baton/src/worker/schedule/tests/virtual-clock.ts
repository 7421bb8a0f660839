import type { Clock } from '../../clock.ts';

interface Waiting {
  untilMs: number;
  readonly end: () => void;
}

/**
 * A clock for tests. Its time passes only while all its users wait, so a month takes no longer than the work in it.
 */
export class VirtualClock implements Clock {
  readonly #parties: () => number;
  readonly #waiting = new Set<Waiting>();
  #nowMs: number;
  #changed = Promise.withResolvers<void>();

  /** @param parties - how many users the clock has now. Each of them waits for it in the end */
  constructor(at: string, parties: () => number) {
    this.#nowMs = Date.parse(at);
    this.#parties = parties;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many users wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sets the clock to another time, as a person or NTP does. Each wait keeps its remaining length. */
  set(time: string): void {
    const byMs = Date.parse(time) - this.#nowMs;
    this.#nowMs += byMs;
    for (const waiting of this.#waiting) waiting.untilMs += byMs;
  }

  wait(forMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = { untilMs: this.#nowMs + forMs, end: resolve };
    this.#waiting.add(waiting);
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
    this.#changed.resolve();
    return promise.finally(() => this.#waiting.delete(waiting));
  }

  /** Lets time pass until a time, or for this many milliseconds. Waits that end meanwhile end in their order. */
  async pass(until: string | number): Promise<void> {
    const untilMs = typeof until === 'string' ? Date.parse(until) : this.#nowMs + until;
    for (;;) {
      await this.#allWait();
      const [first] = [...this.#waiting].toSorted((one, other) => one.untilMs - other.untilMs);
      if (!first || first.untilMs > untilMs) break;
      this.#nowMs = Math.max(this.#nowMs, first.untilMs);
      this.#waiting.delete(first);
      first.end();
    }
    this.#nowMs = untilMs;
  }

  async #allWait(): Promise<void> {
    while (this.#waiting.size < this.#parties()) {
      this.#changed = Promise.withResolvers();
      await this.#changed.promise;
    }
  }
}
