// A worker's health over HTTP, and the end of its process.
import type { RunningServer } from '../http/listener.ts';
import { serveProcessHealth } from '../http/server.ts';
import { exitProcess, exitWithin } from '../process/exit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { WorkerConfig } from './config.ts';
import type { Worker } from './worker.ts';

/**
 * Serves the worker's health at `/health/live`, `/health/ready` and `/health/state`.
 *
 * @throws Error if the port is taken
 */
export function serveHealth(
  worker: Worker,
  { healthHost, healthPort }: WorkerConfig,
  logger: Logger,
): Promise<RunningServer> {
  return serveProcessHealth({
    live: () => worker.live(),
    ready: () => worker.ready(),
    state: () => worker.state,
    host: healthHost,
    port: healthPort,
    logger,
  });
}

/**
 * Stops a worker, and then ends its process with `process.exitCode`. Does not wait for handlers that ignore their signal;
 * their messages are released by then. If the stop fails, the status is 1. If it takes longer than the sum of all its
 * limits, the status is 124. A second call skips the drain time.
 */
export function stopAndExit(worker: Worker, logger: Logger): void {
  exitWithin(worker.stopLimitMs, () => logger.fatal('not stopped in time: the process is ended'));
  worker.stop().then(
    () => exitProcess(),
    (error: unknown) => {
      logger.fatal({ error }, 'could not stop: the process is ended');
      exitProcess(1);
    },
  );
}
