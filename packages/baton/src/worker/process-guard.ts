// Protects a worker's process from its handlers.
import { exitProcess, exitWithin } from '../process/exit.ts';
import { keepHandlersFromEndingProcess } from '../run/process-end.ts';
import { type AttemptName, currentAttempt } from '../run/running-attempt.ts';
import { type StrayOrigin, watchStrayErrors } from '../run/stray-errors.ts';
import { type Logger, logFatal } from '../telemetry/logger.ts';
import { Watchdog } from './threads/watchdog.ts';

/** Configures a process guard. */
export interface ProcessGuardOptions {
  readonly logger: Logger;
  /** Whether the process belongs to the worker, so that the guard may end it. */
  readonly ownsProcess: boolean;
  /** How long the event loop may be blocked, in seconds. */
  readonly leaseSeconds: number;
  /** Lists the running tasks, for the last log line of the process. */
  readonly running: () => readonly object[];
  /** Stops the worker gracefully. */
  readonly stop: () => Promise<void>;
  /** The longest time that `stop` takes, in milliseconds. */
  readonly stopLimitMs: number;
}

/**
 * Protects the process from its handlers. An uncaught error of a handler, and its attempt to end the process, fail only
 * its own attempt. An uncaught error that belongs to no attempt ends the process with status 1, after a last log line and
 * a graceful stop. If the process ends without a stop, the guard logs which tasks ran. A watchdog kills the process when
 * its event loop is blocked.
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

  /** Records that a handler starts. */
  begins(attempt: AttemptName): void {
    this.#watchdog.begins(attempt);
  }

  /** Kills the process if the stop, which begins now, takes longer than so many milliseconds. */
  stopping(withinMs: number): void {
    this.#watchdog.stopWithin(withinMs);
  }

  /** Stops guarding. The worker has stopped, so it no longer matters how the process ends. */
  async stop(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo();
    await this.#watchdog.stop();
  }

  /** Ends the process, because its state is unknown. Running tasks have the time of a graceful stop. */
  readonly #onUnknown = (error: unknown, origin: StrayOrigin): void => {
    const { logger, running } = this.#options;
    if (this.#ending) {
      logger.error({ error, origin }, 'another uncaught error that belongs to no task');
      return;
    }
    this.#ending = true;
    const message = 'uncaught error that belongs to no task: the worker stops and its process ends';
    logFatal(logger, { error, origin, running: running() }, message);
    void this.#end();
  };

  async #end(): Promise<void> {
    // For programs that end the process themselves once the worker has stopped
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
    // A handler called an `exit` that it had kept from before it was replaced. The process continues
    if (currentAttempt()) return;
    const { logger, running } = this.#options;
    logFatal(
      logger,
      { exitCode: code, running: running() },
      'the process ends although its worker was not stopped',
    );
  };
}
