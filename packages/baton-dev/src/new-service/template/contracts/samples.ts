import { defineTask, taskEndSchema } from 'baton-tasks';
import * as z from 'zod';

/** A sample, as it is handed to whoever records it. */
export const sampleSchema = z.object({
  sampleId: z.uuid(),
  /** The caller's own name for it. */
  reference: z.string().min(1).max(100),
});

/** A sample, checked. */
export type Sample = z.output<typeof sampleSchema>;

/**
 * Write down how the task of a sample ended. That task's id is the sample's. Consumed by samples-service, which alone writes
 * its table.
 */
export const recordSampleEnd = defineTask({
  name: 'samples.record-end',
  queue: 'samples',
  payload: taskEndSchema,
  result: z.object({ recorded: z.boolean() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
});

/**
 * Record a sample. Its task id is the sample's id. Consumed by samples-service, which alone writes its table. If some of
 * them cannot wait behind others, give it `lanes` (docs/guide.md, "Lanes").
 */
export const recordSample = defineTask({
  name: 'samples.record',
  queue: 'samples',
  payload: sampleSchema,
  result: z.object({ recordedAt: z.iso.datetime() }),
  retry: { maxAttempts: 8, baseSeconds: 5, capSeconds: 300 },
  timeoutSeconds: 20,
  tracked: true,
  onEnd: recordSampleEnd,
});
