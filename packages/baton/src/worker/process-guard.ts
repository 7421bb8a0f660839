import { exitProcess, exitWithin } from '../process/exit.ts';
import { keepHandlersFromEndingProcess } from '../run/process-end.ts';
import { type AttemptName, currentAttempt } from '../run/running-attempt.ts';
import { type StrayOrigin, watchStrayErrors } from '../run/stray-errors.ts';
import { type Logger, writeLastWords } from '../telemetry/logger.ts';
import { Watchdog } from './threads/watchdog.ts';

/** What a process does in an emergency, by the part that a worker has in it. */
export interface ProcessGuardOptions {
  readonly logger: Logger;
  /** Whether the process is there for the worker alone, and may be ended by it. */
  readonly ownsProcess: boolean;
  /** How long the event loop may be blocked, in seconds. */
  readonly leaseSeconds: number;
  /** The tasks that run, for the last words. */
  readonly running: () => readonly object[];
  /** Stops the worker gracefully. */
  readonly stop: () => Promise<void>;
  /** The longest that this takes. */
  readonly stopLimitMs: number;
}

/**
 * Stands between handlers and the process that they share. What a handler leaves uncaught, and what it does to end the
 * process, fails its own attempt. An error that no task can be blamed for ends the process: after its last words and a
 * graceful stop, with code 1. A process that ends without having been stopped says what ran. A watchdog ends it when its
 * event loop is blocked.
 */
export class ProcessGuard {
  readonly #options: ProcessGuardOptions;
  readonly #watchdog: Watchdog;
  #undo: (() => void)[] = [];
  #ending = false;

  constructor(options: ProcessGuardOptions) {
    this.#options = options;
    this.#watchdog = new Watchdog({ ...options, ends: options.ownsProcess });
  }

  /** Starts guarding. */
  start(): void {
    const { logger, ownsProcess } = this.#options;
    const onUnknown = ownsProcess ? this.#onUnknown : undefined;
    this.#watchdog.start();
    this.#undo = [watchStrayErrors({ logger, onUnknown }), keepHandlersFromEndingProcess()];
    if (!ownsProcess) return;
    process.on('exit', this.#onExit);
    this.#undo.push(() => process.off('exit', this.#onExit));
  }

  /** A handler begins. */
  begins(attempt: AttemptName): void {
    this.#watchdog.begins(attempt);
  }

  /** The worker begins its stop, which has to be over within so many milliseconds. */
  stopping(withinMs: number): void {
    this.#watchdog.stopWithin(withinMs);
  }

  /** The worker has stopped: how the process ends is no longer its business. */
  async stop(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    await this.#watchdog.stop();
  }

  /** What state the process is in nobody knows, so it must end; what it runs has the time that a stop gives. */
  readonly #onUnknown = (error: unknown, origin: StrayOrigin): void => {
    const { logger, running } = this.#options;
    if (this.#ending) {
      logger.error({ error, origin }, 'one more error that no task can be blamed for');
      return;
    }
    this.#ending = true;
    const message = 'an error that nothing caught and no task can be blamed for: the worker stops and ends';
    writeLastWords(logger, { error, origin, running: running() }, message);
    void this.#end();
  };

  async #end(): Promise<void> {
    // Also for a program that ends the process by itself once its worker has stopped
    process.exitCode = 1;
    const { logger, stop, stopLimitMs } = this.#options;
    exitWithin(stopLimitMs, () => logger.fatal('not stopped in time: the process is ended'));
    try {
      await stop();
    } finally {
      exitProcess(1);
    }
  }

  readonly #onExit = (code: number): void => {
    // A handler that calls an `exit` it took before it was replaced: the process goes on
    if (currentAttempt()) return;
    const { logger, running } = this.#options;
    writeLastWords(
      logger,
      { exitCode: code, running: running() },
      'the process ends though its worker was not stopped',
    );
  };
}
