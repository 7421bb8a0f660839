import { parentPort } from 'node:worker_threads';
import { keepHandlersFromEndingProcess } from '../../run/process-end.ts';
import { type StrayOrigin, watchStrayErrors } from '../../run/stray-errors.ts';
import { createLogger, type Logger } from '../../telemetry/logger.ts';
import type { ThreadLine, ThreadTask } from './thread-task.ts';

/**
 * Stands between handlers and the thread that runs them one after the other, as `ProcessGuard` does in the process. What a
 * handler leaves uncaught, and what it does to end the process, fails its own attempt, or is logged with its name when
 * that has ended. An error that no task can be blamed for ends the thread, once the task that runs has ended.
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

  /** A handler begins. Gives how many have begun before it in this thread. */
  begins(): number {
    this.#running += 1;
    this.#begun += 1;
    return this.#begun - 1;
  }

  /** A handler needs the thread no more. */
  ends(): void {
    this.#running -= 1;
    this.#endIfBroken();
  }

  readonly #onUnknown = (error: unknown, origin: StrayOrigin): void => {
    this.#logger.error(
      { error, origin },
      'an error that nothing caught and no task can be blamed for: its thread ends after the task that it runs',
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

/** Says a line by the thread's own port, which outlives the ports of its attempts. */
export function sayLine(line: string): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a port between threads has no origin
  parentPort?.postMessage({ kind: 'line', line } satisfies ThreadLine);
}
