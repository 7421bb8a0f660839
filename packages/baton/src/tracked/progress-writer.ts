import { cutProgress } from '../task/progress.ts';
import type { Progress } from '../task/progress.ts';
import type { Logger } from '../telemetry/logger.ts';

const MIN_INTERVAL_MS = 1000;

/** Writes down what a handler says of its progress, at most once a second: the first at once, then the latest. */
export class ProgressWriter {
  readonly #write: (progress: Progress) => Promise<void>;
  readonly #logger: Logger;
  #unsaid: Progress | undefined;
  #lastAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;

  constructor(write: (progress: Progress) => Promise<void>, logger: Logger) {
    this.#write = write;
    this.#logger = logger;
  }

  /** What was said and is not written yet. */
  get unsaid(): Progress | undefined {
    return this.#unsaid;
  }

  /** Takes what the handler says, cut by `cutProgress`. @throws InvalidValueError as that does */
  say(progress: Progress): void {
    this.#unsaid = cutProgress(progress);
    const restMs = Math.max(0, this.#lastAtMs + MIN_INTERVAL_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#flush(), restMs);
  }

  /** Writes no more by itself. Resolves once a write under way has ended; what is `unsaid` then is the caller's. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#underWay;
  }

  #flush(): void {
    this.#timer = undefined;
    const progress = this.#unsaid;
    if (!progress) return;
    this.#unsaid = undefined;
    this.#lastAtMs = performance.now();
    // What a handler says of itself is worth a line, not the task
    const before = this.#underWay ?? Promise.resolve();
    this.#underWay = before
      .then(() => this.#write(progress))
      .catch((error: unknown) => {
        this.#logger.warn({ error }, 'progress could not be written down');
      });
  }
}
