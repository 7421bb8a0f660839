// Protects a thread from its handlers.
import { parentPort } from 'node:worker_threads';
import { keepHandlersFromEndingProcess } from '../../run/process-end.ts';
import { type StrayOrigin, watchStrayErrors } from '../../run/stray-errors.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import type { ThreadLine, ThreadTask } from './thread-task.ts';

/**
 * Protects a thread from the handlers that it runs one after another, as `ProcessGuard` protects the process. An uncaught
 * error of a handler, and its attempt to end the process, fail only its own attempt; after its end they are logged with
 * its name. An uncaught error that belongs to no task ends the thread, after the task that runs.
 */
export class ThreadGuard {
  readonly #logger: Logger;
  readonly #undo: readonly (() => void)[];
  #begun = 0;
  #running = 0;
  #isBroken = false;

  /** Starts guarding. */
  constructor({ level, fields }: ThreadTask['log']) {
    const to = { write: sayLine };
    this.#logger = createLogger({ service: String(fields['service']), level, to });
    const watching = watchStrayErrors({ logger: this.#logger, onUnknown: this.#onUnknown });
    this.#undo = [watching, keepHandlersFromEndingProcess()];
  }

  /** Records that a handler starts. Returns how many have started before in this thread. */
  begins(): number {
    this.#running += 1;
    this.#begun += 1;
    return this.#begun - 1;
  }

  /** Records that a handler no longer needs the thread. */
  ends(): void {
    this.#running -= 1;
    this.#endIfBroken();
  }

  readonly #onUnknown = (error: unknown, origin: StrayOrigin): void => {
    this.#logger.error(
      { error, origin },
      'uncaught error that belongs to no task: its thread ends after the task that it runs',
    );
    this.#isBroken = true;
    this.#endIfBroken();
  };

  #endIfBroken(): void {
    if (!this.#isBroken || this.#running > 0) return;
    for (const undo of this.#undo) undo();
    process.exit();
  }
}

/** Sends a log line through the thread's own port, which outlives the ports of its attempts. */
export function sayLine(line: string): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
  parentPort?.postMessage({ kind: 'line', line } satisfies ThreadLine);
}
