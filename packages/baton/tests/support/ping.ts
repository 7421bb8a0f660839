import { defineTask, implement } from 'baton-tasks';
import * as z from 'zod';

/** The simplest task: it returns the worker that ran it. */
export const ping = defineTask({
  name: 'tests.ping',
  queue: 'default',
  payload: z.object({}),
  result: z.object({ workerId: z.string(), version: z.string() }),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
});

/** Returns at once. */
export const pingTask = implement(ping, (_payload, { worker }) => ({
  workerId: worker.id,
  version: worker.version,
}));
