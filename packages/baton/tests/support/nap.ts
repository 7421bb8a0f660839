import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineTask, implement, RejectTask } from 'baton-tasks';
import * as z from 'zod';

/** Takes a while, heeds its signal or does not, and is done or rejects itself at the end. */
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

/** A file that every finished nap adds a line to: unlike a log's pipe, it loses nothing when a worker is killed. */
const sink = process.env['NAP_SINK'];
/** Whose worker this is: with it, every nap that begins adds a line, too. */
const beginner = process.env['NAP_BEGINNER'];

/** Naps, and leaves a line in the sink when it is over. */
export const napTask = implement(nap, async ({ ms, ignoresSignal, rejects }, { signal, logger, taskId }) => {
  logger.info('nap begins');
  if (sink && beginner) appendFileSync(sink, `${taskId} begun ${beginner}\n`);
  await sleep(ms, undefined, ignoresSignal ? {} : { signal });
  if (sink) appendFileSync(sink, `${taskId} ${rejects ? 'rejected' : 'done'} ${Date.now()} ${ms}\n`);
  if (rejects) throw new RejectTask('It was to reject itself');
  return {};
});
