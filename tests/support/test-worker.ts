import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RejectTask } from '@baton/common/queue/errors';
import { implement, Implementations } from '@baton/common/queue/implementation';
import { defineTask } from '@baton/common/queue/task';
import { createLogger } from '@baton/common/telemetry/logger';
import { readWorkerConfig } from '@baton/worker/config';
import { serveHealth } from '@baton/worker/health';
import { Worker } from '@baton/worker/worker';
import { z } from 'zod';

/** Takes a while, heeds its signal or does not, and is done or rejects itself at the end. */
export const nap = defineTask({
  name: 'tests.nap',
  queue: 'default',
  payload: z.object({
    ms: z.int().min(0),
    deaf: z.boolean().default(false),
    rejects: z.boolean().default(false),
  }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** A file that every finished nap adds its task's id to: unlike a log's pipe, it loses nothing when a worker is killed. */
const sink = process.env['NAP_SINK'];

const napTask = implement(nap, async ({ ms, deaf, rejects }, { signal, logger, taskId }) => {
  logger.info('nap begins');
  await sleep(ms, undefined, deaf ? {} : { signal });
  if (sink) appendFileSync(sink, `${taskId} ${rejects ? 'rejected' : 'done'}\n`);
  if (rejects) throw new RejectTask('It was to reject itself');
  return {};
});

/** Runs a worker of naps as worker/main.ts runs the house's, when this file is the program. */
async function run(): Promise<void> {
  const config = readWorkerConfig(process.env);
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  const worker = new Worker(config, new Implementations([napTask]), logger);
  // Before it says that it has started: who reads that may send a signal at once
  const stop = (): void => void worker.stop().then(() => process.exit(0));
  process.on('SIGTERM', stop).on('SIGINT', stop);
  await serveHealth(worker, config, logger);
  worker.start();
}

if (import.meta.main) await run();
