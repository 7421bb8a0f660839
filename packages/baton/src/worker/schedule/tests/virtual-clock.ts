import type { Clock } from '../../clock.ts';

interface Waiting {
  untilMs: number;
  readonly end: () => void;
}

/**
 * A clock of a test's own, on which time passes only while everybody waits for it: a month of it takes no longer than
 * what is done in it.
 */
export class VirtualClock implements Clock {
  readonly #parties: () => number;
  readonly #waiting = new Set<Waiting>();
  #nowMs: number;
  #changed = Promise.withResolvers<void>();

  /** @param parties - how many use the clock at this moment, each of whom waits for it in the end */
  constructor(at: string, parties: () => number) {
    this.#nowMs = Date.parse(at);
    this.#parties = parties;
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sets the clock to another time, as a person or NTP does: what waits goes on waiting for as long as it would have. */
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

  /** Lets time pass until then, or by so many milliseconds, and whatever falls due in it happen. */
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
