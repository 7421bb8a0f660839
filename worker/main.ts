// First: it notes the signals that come while the rest is loaded
import { onStopSignal } from './stop-signal.ts';
import { extname } from 'node:path';
import { orExit } from '@baton/common/config';
import { scheduledContracts as scheduled } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';
import { createLogger } from '@baton/common/telemetry/logger';
import { readWorkerConfig } from './config.ts';
import { serveHealth } from './health.ts';
import { stopAndExit } from './stop-and-exit.ts';
import { Worker } from './worker.ts';

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
