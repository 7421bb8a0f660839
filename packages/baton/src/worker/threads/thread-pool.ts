import type { HandlerRun, ThreadedAttempt, Threads } from '../../run/threads.ts';
import { type Logger, writeLine } from '../../telemetry/logger.ts';
import { Piscina } from 'piscina';
import { type ThreadHost, ThreadRun } from './thread-run.ts';
import type { ThreadLine, ThreadSender, ThreadTask } from './thread-task.ts';

/** An idle thread holds some ten MB, and a new one takes some tenths of a second. */
const IDLE_MS = 60_000;
/** How long a thread is kept from other tasks because effects of a handler that has ended are under way. */
const LINGER_MS = 30_000;

/** What a pool of threads needs. */
export interface ThreadPoolOptions {
  /** The file whose default export is a `threadEntry`. */
  readonly entry: URL;
  /** How many tasks may run at one time. None of them waits for a thread. */
  readonly threads: number;
  readonly sender: ThreadSender;
  readonly logger: Logger;
}

type Pool = Piscina<ThreadTask, void>;

/**
 * A worker's threads, a task each. They start when they are needed, and end when they have been idle for a minute. As many
 * again may finish effects of handlers that have ended, for 30 s at most; beyond that they are free for other tasks.
 */
export class ThreadPool implements Threads {
  readonly #options: ThreadPoolOptions;
  readonly #pool: Pool;
  /** Those of tasks that run in a thread of their own. */
  readonly #own = new Set<Pool>();
  /** Let go of the threads whose effects are under way, the longest first. */
  readonly #lingering = new Set<() => void>();
  #isClosed = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#pool = this.#newPool(2 * options.threads);
  }

  /** Starts a handler in a thread that is idle, or in a new one. */
  run(attempt: ThreadedAttempt): HandlerRun {
    return new ThreadRun(attempt, this.#options.sender, this.#host);
  }

  /** Ends every thread, whatever it does. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#pool, ...this.#own].map((pool) => pool.destroy()));
  }

  readonly #host: ThreadHost = {
    run: (task, thread, kill) =>
      thread === 'any' ? this.#runIn(this.#pool, task, kill) : this.#runAlone(task, kill),
    lingers: (letGo, free) => this.#lingers(letGo, free),
  };

  #runIn(pool: Pool, task: ThreadTask, signal: AbortSignal): Promise<void> {
    // The entry is named here and not to the pool, which would load it before it has a task that can fail of it
    return pool.run(task, { filename: this.#options.entry.href, transferList: [task.port], signal });
  }

  async #runAlone(task: ThreadTask, signal: AbortSignal): Promise<void> {
    if (this.#isClosed) throw new Error('the worker has stopped');
    const pool = this.#newPool(1);
    this.#own.add(pool);
    try {
      await this.#runIn(pool, task, signal);
    } finally {
      this.#own.delete(pool);
      await pool.destroy();
    }
  }

  #lingers(letGo: () => void, free: Promise<unknown>): void {
    this.#lingering.add(letGo);
    const timer = setTimeout(letGo, LINGER_MS).unref();
    void free.finally(() => {
      clearTimeout(timer);
      this.#lingering.delete(letGo);
    });
    const [longest] = this.#lingering;
    if (this.#lingering.size > this.#options.threads) longest?.();
  }

  #newPool(maxThreads: number): Pool {
    const { logger } = this.#options;
    const pool = new Piscina<ThreadTask, void>({
      minThreads: 0,
      maxThreads,
      idleTimeout: IDLE_MS,
      // Else a thread's event loop stands still between tasks, and with it the timers and sockets of what it has loaded
      atomics: 'disabled',
      recordTiming: false,
    });
    pool.on('error', (error: Error) => logger.error({ error }, 'a thread died that ran no task'));
    pool.on('message', (said: unknown) => {
      if (isLine(said)) writeLine(logger, said.line);
    });
    return pool;
  }
}

/** A handler may send anything by the thread's own port. */
function isLine(said: unknown): said is ThreadLine {
  const { kind, line } = (said ?? {}) as Partial<ThreadLine>;
  return kind === 'line' && typeof line === 'string';
}
