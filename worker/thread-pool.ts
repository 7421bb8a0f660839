import type { HandlerRun, ThreadedAttempt, Threads } from '@baton/common/queue/threads';
import type { Logger } from '@baton/common/telemetry/logger';
import { Piscina } from 'piscina';
import { ThreadRun } from './thread-run.ts';
import type { ThreadSender, ThreadTask } from './thread-task.ts';

/** An idle thread holds some ten MB, and a new one takes some tenths of a second. */
const IDLE_MS = 60_000;

/** What a pool of threads needs. */
export interface ThreadPoolOptions {
  /** The file whose default export is a `threadEntry`. */
  readonly entry: URL;
  /** How many threads there may be: as many as there are tasks at one time, so that none waits for a thread. */
  readonly threads: number;
  readonly sender: ThreadSender;
  readonly logger: Logger;
}

/** A worker's threads, a task each. They start when they are needed, and end when they have been idle for a minute. */
export class ThreadPool implements Threads {
  readonly #pool: Piscina<ThreadTask, void>;
  readonly #entry: string;
  readonly #sender: ThreadSender;

  constructor({ entry, threads, sender, logger }: ThreadPoolOptions) {
    this.#entry = entry.href;
    this.#sender = sender;
    this.#pool = new Piscina<ThreadTask, void>({
      minThreads: 0,
      maxThreads: threads,
      idleTimeout: IDLE_MS,
      // Else a thread's event loop stands still between tasks, and with it the timers and sockets of what it has loaded
      atomics: 'disabled',
      recordTiming: false,
    });
    this.#pool.on('error', (error: Error) => logger.error({ error }, 'a thread died that ran no task'));
  }

  /** Starts a handler in a thread that is idle, or in a new one. */
  run(attempt: ThreadedAttempt): HandlerRun {
    return new ThreadRun(attempt, this.#sender, (task, signal) =>
      // The entry is named here and not to the pool, which would load it before it has a task that can fail of it
      this.#pool.run(task, { filename: this.#entry, transferList: [task.port], signal }),
    );
  }

  /** Ends every thread, whatever it does. */
  async close(): Promise<void> {
    await this.#pool.destroy();
  }
}
