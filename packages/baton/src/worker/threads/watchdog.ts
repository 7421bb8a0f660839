// Watches a worker's event loop.
import { url as debuggerUrl } from 'node:inspector';
import { extname } from 'node:path';
import { Worker as Thread } from 'node:worker_threads';
import { type AttemptName, currentAttempt } from '../../run/running-attempt.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { ANSWER_NAME } from './blocked-loop.ts';
import { WatchdogMemory } from './watchdog-memory.ts';
import type { WatchdogSettings } from './watchdog-thread.ts';

const BEATS_A_LIMIT = 20;
const MAX_PERIOD_MS = 1000;
const MAX_DESCRIBED = 100;
/** The thread's file. A bundle of the worker's entry needs a bundle of this file beside it, with this name. */
const ENTRY = new URL(`./watchdog-thread${extname(import.meta.url)}`, import.meta.url);
/** The thread's memory, in MiB. The default would reserve more. */
const RESOURCES = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2, stackSizeMb: 1 };

/** Configures a watchdog. */
export interface WatchdogOptions {
  readonly leaseSeconds: number;
  /** Whether it kills the process. Otherwise it only logs. */
  readonly ends: boolean;
  /** Lists the running tasks, for the log. */
  readonly running: () => readonly object[];
  readonly logger: Logger;
}

/**
 * Watches the event loop from a thread of its own. While a handler blocks the loop, no lease is renewed. Once the loop is
 * blocked for as long as a lease lasts, no running task can be settled any more. Then the thread logs which task blocks
 * the loop, and where, and kills the process, so that a supervisor starts a new one. It also kills a process that does
 * not stop in time.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #memory = new WatchdogMemory();
  #heartbeat: NodeJS.Timeout | undefined;
  #thread: Thread | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** Starts watching. Does not keep the process alive. */
  start(): void {
    const { leaseSeconds, ends, logger } = this.#options;
    const limitMs = leaseSeconds * 1000;
    const periodMs = Math.min(MAX_PERIOD_MS, limitMs / BEATS_A_LIMIT);
    const answer = () =>
      JSON.stringify({ blockedBy: currentAttempt()?.name ?? null, running: this.#running() });
    Object.defineProperty(globalThis, ANSWER_NAME, { value: answer, configurable: true });
    this.#beat();
    this.#heartbeat = setInterval(() => this.#beat(), periodMs).unref();
    const memory = this.#memory.buffer;
    const settings: WatchdogSettings = { memory, limitMs, periodMs, ends, fields: logger.bindings() };
    this.#thread = new Thread(ENTRY, { workerData: settings, resourceLimits: RESOURCES });
    this.#thread.unref();
    this.#thread.on('error', (error) =>
      logger.error({ error }, 'the watchdog thread ended: blocked event loops are not noticed any more'),
    );
  }

  /** Records that a handler starts. */
  begins(attempt: AttemptName): void {
    this.#memory.begins(attempt);
  }

  /** Kills the process if it does not end within so many milliseconds. */
  stopWithin(ms: number): void {
    this.#memory.stopWithinMs = ms;
  }

  /** Stops watching. Resolves once the thread has ended. */
  async stop(): Promise<void> {
    this.#memory.stopWithinMs = 0;
    clearInterval(this.#heartbeat);
    await this.#thread?.terminate();
  }

  #beat(): void {
    this.#memory.beat(debuggerUrl() !== undefined, this.#running());
  }

  #running(): readonly object[] {
    return this.#options.running().slice(0, MAX_DESCRIBED);
  }
}
