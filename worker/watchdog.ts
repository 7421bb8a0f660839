import type { Logger } from '@baton/common/telemetry/logger';
import type { RunningTask } from './running-task.ts';

/**
 * Notices a handler that blocks the event loop: while it does, no lease is renewed, and past the lease another worker
 * has its messages. Nothing can stop it from outside; the log names what ran.
 */
export class Watchdog {
  readonly #limitMs: number;
  readonly #running: () => readonly RunningTask[];
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;

  #lookedAtMs = Infinity;

  /** @param leaseSeconds - how long the loop may be blocked; it is looked at three times as often */
  constructor(leaseSeconds: number, running: () => readonly RunningTask[], logger: Logger) {
    this.#limitMs = leaseSeconds * 1000;
    this.#running = running;
    this.#logger = logger;
  }

  get #periodMs(): number {
    return this.#limitMs / 3;
  }

  /** Starts looking. Does not keep the process alive. */
  start(): void {
    this.#lookedAtMs = performance.now();
    this.#timer = setInterval(() => {
      this.look();
      this.#lookedAtMs = performance.now();
    }, this.#periodMs).unref();
  }

  /**
   * Looks at once. To be called before a task that ends is forgotten: a handler that blocks the loop and then ends is
   * gone before any timer fires.
   */
  look(): void {
    const blockedMs = Math.round(performance.now() - this.#lookedAtMs - this.#periodMs);
    if (blockedMs < this.#limitMs) return;
    this.#lookedAtMs = performance.now();
    const running = this.#running().map((task) => task.describe());
    this.#logger.error({ blockedMs, running }, 'the event loop was blocked for longer than a lease');
  }

  /** Looks no longer. */
  stop(): void {
    clearInterval(this.#timer);
  }
}
