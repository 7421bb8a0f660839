import { exitProcess, exitWithin } from '../process/exit.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Worker } from './worker.ts';

/**
 * Stops a worker, as SIGTERM asks for, and then ends its process with `process.exitCode`: handlers that ignore their
 * signal, whose messages are released by then, do not keep it. A stop that fails ends it with status 1; one that takes
 * longer than the sum of all its limits, with status 124. A second call does not wait for the drain time.
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
