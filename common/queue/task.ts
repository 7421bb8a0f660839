import { z } from 'zod';
import { type RetryPolicy, retryPolicySchema } from './retry-policy.ts';

/**
 * What may be asked of a service: data only, shared by those who send the task and those who run it.
 *
 * @typeParam Payload - schema of what goes in
 * @typeParam Result - schema of what comes out
 */
export interface TaskContract<Payload extends z.ZodType = z.ZodType, Result extends z.ZodType = z.ZodType> {
  /** The name on the wire, `domain.verb` in lower case. Never reused for another meaning. */
  readonly name: string;
  /** The queue that carries it, without the stage's prefix. */
  readonly queue: string;
  readonly payload: Payload;
  readonly result: Result;
  readonly retry: RetryPolicy;
  /** How long one attempt may take, in seconds. 1 to 43,200 (12 h, the longest that SQS hides a message). */
  readonly timeoutSeconds: number;
  /**
   * Where the handler runs. Left out: on its worker's event loop, which it must not block. `thread`: in a worker thread,
   * where it may burn CPU while its lease is renewed, and which is terminated where it heeds no signal within its grace.
   *
   * The handler is the same either way; its result has to be what `structuredClone` takes. A thread starts in some tenths
   * of a second, which count towards the time limit, and is kept for the next task. A function runs the handler in its own
   * process all the same, which Lambda ends by itself.
   */
  readonly isolation?: 'thread';
}

const contractSchema = z.object({
  name: z
    .string()
    .max(128)
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'expected domain.verb in lower case'),
  queue: z
    .string()
    .max(60)
    .regex(/^[a-z0-9-]+$/, 'expected lower-case letters, digits and hyphens'),
  retry: retryPolicySchema,
  timeoutSeconds: z.int().min(1).max(43_200),
  isolation: z.literal('thread').optional(),
});

/**
 * Defines a task. Types of payload and result flow from the schemas to `TaskClient.send` and to `implement`.
 *
 * @throws TypeError naming the field when a contract is out of its limits, at import, so that no process starts with it
 */
export function defineTask<Payload extends z.ZodType, Result extends z.ZodType>(
  contract: TaskContract<Payload, Result>,
): TaskContract<Payload, Result> {
  const parsed = contractSchema.safeParse(contract);
  if (!parsed.success) {
    throw new TypeError(
      `Contract ${JSON.stringify(contract.name)} cannot be: ${z.prettifyError(parsed.error)}`,
    );
  }
  return Object.freeze({ ...contract });
}
