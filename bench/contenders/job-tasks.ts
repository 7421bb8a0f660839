import { defineTask } from 'baton-tasks';
import * as z from 'zod';

const payload = z.object({
  id: z.int().min(0),
  ms: z.int().min(0),
  sentAtMs: z.number(),
  pad: z.string().optional(),
});
const rest = {
  payload,
  result: z.object({}),
  retry: { maxAttempts: 10, baseSeconds: 1 },
  timeoutSeconds: 60,
  // A measure sends tasks of a megabyte
  maxPayloadBytes: 1_048_576,
};

/** The contract of the bench's jobs on a queue. */
export function jobTask(queue: string) {
  return defineTask({ name: `bench.job-${queue}`, queue, ...rest });
}

/** The contract of the bench's jobs on a queue, tracked by a task store. */
export function trackedJobTask(queue: string) {
  return defineTask({ name: `bench.tracked-job-${queue}`, queue, tracked: true, ...rest });
}
