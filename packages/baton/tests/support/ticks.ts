import { defineTask, implement } from 'baton-tasks';
import { createDocumentClient } from 'baton-tasks/tooling';
import * as z from 'zod';
import { EffectSink } from './effect-sink.ts';

/** A task that runs every minute. */
export const minutely = defineTask({
  name: 'tests.minutely',
  queue: 'default',
  payload: z.object({}),
  result: z.null(),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 10,
  tracked: true,
  schedule: { cron: '* * * * *', timeZone: 'UTC' },
});

const table = process.env['TICKS_TABLE'];
const sink = table === undefined ? undefined : new EffectSink(createDocumentClient(), table);

/** Adds a row with its task id. Exists only with TICKS_TABLE, because the queues of other tests must stay empty. */
export const tickingTasks = sink
  ? [
      implement(minutely, async (_payload, { taskId }) => {
        await sink.insert(taskId);
        return null;
      }),
    ]
  : [];
