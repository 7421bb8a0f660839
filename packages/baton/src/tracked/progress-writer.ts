// Writes the progress of a handler to the task store.
import { cutProgress } from '../task/progress.ts';
import type { Progress } from '../task/progress.ts';
import type { Logger } from '../telemetry/logger.ts';

const MIN_INTERVAL_MS = 1000;

/** Writes a handler's progress at most once a second: the first report at once, after that the latest. */
export class ProgressWriter {
  readonly #write: (progress: Progress) => Promise<void>;
  readonly #logger: Logger;
  #unwritten: Progress | undefined;
  #lastAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #underWay: Promise<void> | undefined;

  constructor(write: (progress: Progress) => Promise<void>, logger: Logger) {
    this.#write = write;
    this.#logger = logger;
  }

  /** The latest progress that is not written yet. */
  get unwritten(): Progress | undefined {
    return this.#unwritten;
  }

  /** Reports progress, which `cutProgress` brings within its limits. @throws InvalidValueError as `cutProgress` does */
  report(progress: Progress): void {
    this.#unwritten = cutProgress(progress);
    const restMs = Math.max(0, this.#lastAtMs + MIN_INTERVAL_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#flush(), restMs);
  }

  /** Stops writing. Resolves once a write under way has ended. The caller must write what is `unwritten` then. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#underWay;
  }

  #flush(): void {
    this.#timer = undefined;
    const progress = this.#unwritten;
    if (!progress) return;
    this.#unwritten = undefined;
    this.#lastAtMs = performance.now();
    // A failed write must not fail the task
    const before = this.#underWay ?? Promise.resolve();
    this.#underWay = before
      .then(() => this.#write(progress))
      .catch((error: unknown) => {
        this.#logger.warn({ error }, 'progress not written');
      });
  }
}
