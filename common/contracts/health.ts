import * as z from 'zod';
import { defineTask } from 'baton-tasks';

/** Say that a worker is there: the way through the queue and back, end to end. */
export const healthCheck = defineTask({
  name: 'health.check',
  queue: 'default',
  payload: z.object({}),
  result: z.object({ workerId: z.string(), version: z.string(), time: z.iso.datetime() }),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
});
