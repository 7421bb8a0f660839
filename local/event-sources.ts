import { z } from 'zod';
import { queueNameOfArn, type Resources } from './stack.ts';

/** The name of the function that the worker is on AWS; here the worker itself polls its queues. */
const WORKER_FUNCTION = 'worker';

const sqsEventSchema = z.object({
  sqs: z.object({
    arn: z.unknown(),
    batchSize: z.int().default(10),
    maximumConcurrency: z.int().optional(),
  }),
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
 * @param prefix - what stands before the contracts' queue names, such as `baton-dev-`
 */
export function eventSourcesOf(functions: unknown, resources: Resources, prefix: string): EventSource[] {
  const { [WORKER_FUNCTION]: _worker, ...others } = functionsSchema.parse(functions);
  return Object.values(others).flatMap(({ name, events }) =>
    events.flatMap((event) => {
      const parsed = sqsEventSchema.safeParse(event);
      if (!parsed.success) return [];
      const { arn, batchSize, maximumConcurrency } = parsed.data.sqs;
      const queue = queueNameOfArn(arn, resources).slice(prefix.length);
      return [{ queue, functionName: name, batchSize, ...(maximumConcurrency && { maximumConcurrency }) }];
    }),
  );
}
