import { createLogger } from 'baton-tasks/service';
import { Implementations } from 'baton-tasks/tooling';
import {
  onStopSignal,
  readWorkerConfig,
  serveHealth,
  stopAndExit,
  Worker,
} from 'baton-tasks/tooling/processes';
import { saidLoading } from './loading.ts';
import { chatterTask } from './chatter.ts';
import { hoarderTask } from './hoarder.ts';
import { lanedNapTask } from './laned-nap.ts';
import { napTask } from './nap.ts';
import { poisonTasks } from './poison.ts';
import { threadTasks } from './thread-tasks.ts';
import { tickingTasks } from './ticks.ts';
import { trackedTasks } from './tracked-tasks.ts';

/** Runs a worker of all test tasks, as `runWorker` runs a user's worker. */
async function run(): Promise<void> {
  const config = readWorkerConfig(process.env);
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  const implementations = new Implementations([
    napTask,
    chatterTask,
    hoarderTask,
    ...poisonTasks,
    ...threadTasks,
    ...tickingTasks,
    ...trackedTasks,
    // Its queue exists only in few tests
    ...(process.env['LANED_NAPS'] ? [lanedNapTask] : []),
  ]);
  const threadEntry = new URL('./test-thread.ts', import.meta.url);
  const processGuard = (process.env['PROCESS_GUARD'] ?? 'own') as 'own' | 'shared';
  const worker = new Worker({ config, implementations, threadEntry, logger, processGuard });
  // Before the worker logs its start, because a test may send a signal right after that line
  onStopSignal(() => stopAndExit(worker, logger));
  await serveHealth(worker, config, logger);
  worker.start();
}

if (saidLoading) await run();
