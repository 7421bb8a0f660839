import { onStopSignal } from './stop-signal.ts';
import { extname } from 'node:path';
import { orExit } from '@baton/common/config';
import { scheduledContracts as scheduled } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';
import { createLogger } from '@baton/common/telemetry/logger';
import { readWorkerConfig } from './config.ts';
import { serveHealth } from './health.ts';
import { Worker } from './worker.ts';

const config = orExit(() => readWorkerConfig(process.env));
const logger = createLogger({ service: 'worker', level: config.logLevel });
// A bundle has the thread's beside it, with an ending of its own
const threadEntry = new URL(`./thread${extname(import.meta.filename)}`, import.meta.url);
const worker = orExit(
  () => new Worker({ config, implementations: allTasks, scheduled, threadEntry, logger }),
);

// A handler that heeds no signal would keep the process alive for ever: what it held is released by now
onStopSignal(() => void worker.stop().then(() => process.exit()));

await serveHealth(worker, config, logger).catch((error: Error) => {
  logger.fatal({ error }, error.message);
  process.exit(1);
});
worker.start();
