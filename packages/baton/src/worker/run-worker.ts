// The worker as a process.
// First, because it counts the signals that arrive while the other modules load
import { onStopSignal } from '../process/stop-signal.ts';
import { orExit } from '../process/config.ts';
import { type Implementation, Implementations } from '../task/implementation.ts';
import type { TaskContract } from '../task/task.ts';
import { createLogger } from '../telemetry/logger.ts';
import { readWorkerConfig } from './config.ts';
import { serveHealth } from './worker-process.ts';
import { stopAndExit } from './worker-process.ts';
import { Worker } from './worker.ts';

/** Describes a worker's process. */
export interface WorkerProcess {
  /** The implementations of the worker. It serves the queues of their contracts. */
  readonly implementations: readonly Implementation[];
  /** Contracts with a schedule that functions run: the worker ticks those whose queues it serves for them. Default: none. */
  readonly scheduled?: readonly TaskContract[];
  /**
   * Every contract that its tasks may lead to: the later tasks of chains and groups, and listeners. A row that names
   * something else is not followed. The contracts that it implements need not be listed. Default: none.
   */
  readonly contracts?: readonly TaskContract[];
  /** The file whose default export is a `threadEntry`. Needed if a contract's isolation is `thread`. */
  readonly thread?: URL;
}

/**
 * Runs a worker until SIGTERM or SIGINT: it receives, runs and settles messages, and serves its health. Its configuration
 * comes from `process.env`. A wrong variable, or a health port that is taken, ends the process with status 1 and a line
 * that says so.
 */
export async function runWorker({
  implementations,
  scheduled,
  contracts,
  thread,
}: WorkerProcess): Promise<void> {
  const config = orExit(() => readWorkerConfig(process.env));
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  const worker = orExit(
    () =>
      new Worker({
        config,
        implementations: new Implementations(implementations),
        ...(scheduled && { scheduled }),
        ...(contracts && { contracts }),
        ...(thread && { threadEntry: thread }),
        logger,
      }),
  );
  onStopSignal(() => stopAndExit(worker, logger));
  await serveHealth(worker, config, logger).catch((error: Error) => {
    logger.fatal({ error }, error.message);
    process.exit(1);
  });
  worker.start();
}
