import { defineTask, implement } from 'baton-tasks';
import { createDocumentClient } from 'baton-tasks/tooling';
import * as z from 'zod';
import { EffectSink } from './effect-sink.ts';

/** Is to run every minute. */
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

/** Leaves a row under its task id. Only where a test asks for ticks by TICKS_TABLE: the others' queues are to be empty. */
export const tickingTasks = sink
  ? [
      implement(minutely, async (_payload, { taskId }) => {
        await sink.insert(taskId);
        return null;
      }),
    ]
  : [];
