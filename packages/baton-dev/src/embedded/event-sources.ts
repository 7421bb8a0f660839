import * as z from 'zod';
import { queueNameOfArn, type Resources } from './stack.ts';

/** The name of the function that the worker is on AWS; here the worker itself polls its queues. */
const WORKER_FUNCTION = 'worker';

const sqsEventSchema = z.strictObject({
  arn: z.unknown(),
  batchSize: z.int().default(10),
  maximumConcurrency: z.int().optional(),
  // What the worker does anyhow, or has no use for
  functionResponseType: z.literal('ReportBatchItemFailures').optional(),
  maximumBatchingWindow: z.int().optional(),
});

const functionsSchema = z.record(
  z.string(),
  z.looseObject({ name: z.string(), events: z.array(z.unknown()).default([]) }),
);

/** A queue that a function consumes, as the worker's WORKER_LAMBDA_QUEUES lists it. */
export interface EventSource {
  readonly queue: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly maximumConcurrency?: number | undefined;
}

/**
 * The event sources that AWS would poll, read from the functions' `sqs` events.
 *
 * @throws Error naming the function whose event this runtime does not understand
 * @param prefix - what stands before the contracts' queue names, such as `baton-dev-`
 */
export function eventSourcesOf(functions: unknown, resources: Resources, prefix: string): EventSource[] {
  const { [WORKER_FUNCTION]: _worker, ...others } = functionsSchema.parse(functions);
  return Object.values(others).flatMap(({ name, events }) =>
    events.flatMap((event) => {
      const { sqs } = event as { sqs?: unknown };
      if (sqs === undefined) return [];
      const parsed = sqsEventSchema.safeParse(typeof sqs === 'string' ? { arn: sqs } : sqs);
      if (!parsed.success) throw new Error(`The sqs event of ${name}: ${z.prettifyError(parsed.error)}`);
      const { arn, batchSize, maximumConcurrency } = parsed.data;
      const queue = queueNameOfArn(arn, resources).slice(prefix.length);
      return [{ queue, functionName: name, batchSize, ...(maximumConcurrency && { maximumConcurrency }) }];
    }),
  );
}
