import * as z from 'zod';
import { defineTask } from 'baton-tasks';

/** Answer that a worker is there: tests the way through the queue and back. */
export const healthCheck = defineTask({
  name: 'health.check',
  queue: 'default',
  payload: z.object({}),
  result: z.object({ workerId: z.string(), version: z.string(), time: z.iso.datetime() }),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
});
