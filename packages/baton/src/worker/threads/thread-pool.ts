// The threads of a worker.
import { ConfigError } from '../../process/config.ts';
import type { Implementations } from '../../task/implementation.ts';
import type { HandlerRun, ThreadedAttempt, Threads } from '../../run/threads.ts';
import { type Logger, writeLine } from '../../telemetry/logger.ts';
import { Piscina } from 'piscina';
import { type ThreadSource, ThreadRun } from './thread-run.ts';
import type { ThreadLine, ThreadSender, ThreadTask } from './thread-task.ts';

/** An idle thread uses about 10 MB. Starting one takes some tenths of a second. */
const IDLE_MS = 60_000;
/** How long a thread is kept for effects that are under way after their handler has ended. */
const LINGER_MS = 30_000;

/** Configures a pool of threads. */
export interface ThreadPoolOptions {
  /** The file whose default export is a `threadEntry`. */
  readonly entry: URL;
  /** How many tasks may run at one time. None waits for a thread. */
  readonly threads: number;
  readonly sender: ThreadSender;
  readonly logger: Logger;
}

/**
 * Makes the threads for those of a worker's tasks that need one. Returns undefined if no task does.
 *
 * @param entry - the file whose default export is a `threadEntry`
 * @throws ConfigError that names the tasks if there is no entry
 */
export function threadPoolFor(
  implementations: Implementations,
  entry: URL | undefined,
  options: Omit<ThreadPoolOptions, 'entry'>,
): ThreadPool | undefined {
  const tasks = implementations.inThreads;
  if (tasks.length === 0) return undefined;
  if (entry) return new ThreadPool({ entry, ...options });
  throw new ConfigError(
    `The isolation of ${tasks.join(', ')} is thread, but this worker has no entry for its threads: expected the option "thread"`,
  );
}

type Pool = Piscina<ThreadTask, void>;

/**
 * Runs each task in a thread of its own. Threads start when they are needed, and end after a minute without a task. As many
 * threads again may finish the effects of handlers that have ended, for at most 30 s. Then they are free for other tasks.
 */
export class ThreadPool implements Threads {
  readonly #options: ThreadPoolOptions;
  readonly #pool: Pool;
  /** The pools of tasks that run in a new thread. */
  readonly #own = new Set<Pool>();
  /** Functions that release the threads whose effects are under way, the longest first. */
  readonly #lingering = new Set<() => void>();
  #isClosed = false;

  constructor(options: ThreadPoolOptions) {
    this.#options = options;
    this.#pool = this.#newPool(2 * options.threads);
  }

  /** Starts a handler in an idle thread, or in a new one. */
  run(attempt: ThreadedAttempt): HandlerRun {
    return new ThreadRun(attempt, this.#options.sender, this.#source);
  }

  /** Terminates all threads. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#pool, ...this.#own].map((pool) => pool.destroy()));
  }

  readonly #source: ThreadSource = {
    run: (task, thread, kill) =>
      thread === 'any' ? this.#runIn(this.#pool, task, kill) : this.#runAlone(task, kill),
    lingers: (letGo, free) => this.#lingers(letGo, free),
  };

  #runIn(pool: Pool, task: ThreadTask, signal: AbortSignal): Promise<void> {
    // If the pool knew the entry, it would load it before there is a task that can fail because of it
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
      // Otherwise a thread's event loop stops between tasks, with the timers and sockets of the modules that it loaded
      atomics: 'disabled',
      recordTiming: false,
    });
    pool.on('error', (error: Error) => logger.error({ error }, 'a thread without a task died'));
    pool.on('message', (said: unknown) => {
      if (isLine(said)) writeLine(logger, said.line);
    });
    return pool;
  }
}

/** Handlers may send anything through the thread's own port. */
function isLine(said: unknown): said is ThreadLine {
  const { kind, line } = (said ?? {}) as Partial<ThreadLine>;
  return kind === 'line' && typeof line === 'string';
}
