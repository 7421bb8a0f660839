import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { defineTask } from '@baton/common/queue/task';
import { createLogger } from '@baton/common/telemetry/logger';
import { readWorkerConfig } from '@baton/worker/config';
import { serveHealth } from '@baton/worker/health';
import { Worker } from '@baton/worker/worker';
import { z } from 'zod';
import { threadTasks } from './thread-tasks.ts';

/** Takes a while, and heeds its signal or does not. */
export const nap = defineTask({
  name: 'tests.nap',
  queue: 'default',
  payload: z.object({ ms: z.int().min(0), deaf: z.boolean().default(false) }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** A file that every finished nap adds its task's id to: unlike a log's pipe, it loses nothing when a worker is killed. */
const sink = process.env['NAP_SINK'];

const napTask = implement(nap, async ({ ms, deaf }, { signal, logger, taskId }) => {
  logger.info('nap begins');
  await sleep(ms, undefined, deaf ? {} : { signal });
  if (sink) appendFileSync(sink, `${taskId}\n`);
  return {};
});

/** Runs a worker of naps as worker/main.ts runs the house's, when this file is the program. */
async function run(): Promise<void> {
  const config = readWorkerConfig(process.env);
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  const implementations = new Implementations([napTask, ...threadTasks]);
  const threadEntry = new URL('./test-thread.ts', import.meta.url);
  const worker = new Worker({ config, implementations, threadEntry, logger });
  await serveHealth(worker, config, logger);
  worker.start();
  const stop = (): void => void worker.stop().then(() => process.exit(0));
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

if (import.meta.main) await run();
