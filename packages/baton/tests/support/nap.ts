import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask } from 'baton-tasks';
import * as z from 'zod';

/** A task that sleeps, with or without its signal, and then is done or rejects itself. */
export const nap = defineTask({
  name: 'tests.nap',
  queue: 'default',
  payload: z.object({
    ms: z.int().min(0),
    ignoresSignal: z.boolean().default(false),
    rejects: z.boolean().default(false),
  }),
  result: z.object({}),
  retry: { maxAttempts: 20, baseSeconds: 1 },
  timeoutSeconds: 60,
});

/** A file to which every finished nap adds a line. Unlike the pipe of a log, it loses nothing if a worker is killed. */
const sink = process.env['NAP_SINK'];
/** The name of this worker. If it is set, every nap also adds a line when it starts. */
const beginner = process.env['NAP_BEGINNER'];

/** Sleeps, and adds a line to the sink at the end. */
export const napTask = implement(nap, async ({ ms, ignoresSignal, rejects }, { signal, logger, taskId }) => {
  logger.info('nap begins');
  if (sink && beginner) appendFileSync(sink, `${taskId} begun ${beginner}\n`);
  await sleep(ms, undefined, ignoresSignal ? {} : { signal });
  if (sink) appendFileSync(sink, `${taskId} ${rejects ? 'rejected' : 'done'} ${Date.now()} ${ms}\n`);
  if (rejects) throw new RejectTask('rejected by plan');
  return {};
});
