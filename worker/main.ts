// First: it notes the signals that come while the rest is loaded
import { onStopSignal } from 'baton-tasks/internal/process/stop-signal';
import { extname } from 'node:path';
import { orExit } from 'baton-tasks/internal/process/config';
import { scheduledContracts as scheduled } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';
import { createLogger } from 'baton-tasks/internal/telemetry/logger';
import { readWorkerConfig } from 'baton-tasks/internal/worker/config';
import { serveHealth } from 'baton-tasks/internal/worker/health';
import { stopAndExit } from 'baton-tasks/internal/worker/stop-and-exit';
import { Worker } from 'baton-tasks/internal/worker/worker';

const config = orExit(() => readWorkerConfig(process.env));
const logger = createLogger({ service: 'worker', level: config.logLevel });
// A bundle has the thread's beside it, with an ending of its own
const threadEntry = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);
const worker = orExit(
  () => new Worker({ config, implementations: allTasks, scheduled, threadEntry, logger }),
);

onStopSignal(() => stopAndExit(worker, logger));

await serveHealth(worker, config, logger).catch((error: Error) => {
  logger.fatal({ error }, error.message);
  process.exit(1);
});
worker.start();
