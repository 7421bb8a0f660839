// The event sources of functions that consume queues.
import * as z from 'zod';
import { stagePrefixOf, WORKER } from './names.ts';
import type { FunctionEvent } from './part.ts';
import { queueNameOfArn } from './queues.ts';
import type { Resources } from './resources.ts';
import { StackError } from './stack-error.ts';

const sqsEventSchema = z.strictObject({
  arn: z.unknown(),
  batchSize: z.int().default(10),
  maximumConcurrency: z.int().optional(),
  // The worker always reports batch item failures, and has no batching window
  functionResponseType: z.literal('ReportBatchItemFailures').optional(),
  maximumBatchingWindow: z.int().optional(),
});

/** A queue that a function consumes, as the worker's WORKER_LAMBDA_QUEUES lists it. */
export interface EventSource {
  readonly queue: string;
  readonly functionName: string;
  readonly batchSize: number;
  readonly maximumConcurrency?: number | undefined;
}

/**
 * The event sources that AWS would poll, from the `sqs` events of functions. Without those of the worker's own function: a
 * worker process polls these queues for itself.
 *
 * @throws StackError naming the function whose event has a setting that the worker does not understand
 */
export function eventSourcesOf(
  functions: Readonly<Record<string, { readonly events?: readonly FunctionEvent[] }>>,
  resources: Resources,
  stage: string,
): EventSource[] {
  const stagePrefix = stagePrefixOf(stage);
  const { [WORKER]: _worker, ...others } = functions;
  return Object.entries(others).flatMap(([key, { events = [] }]) =>
    events.flatMap(({ sqs }) => {
      if (sqs === undefined) return [];
      const where = `The sqs event of the function ${key}`;
      const parsed = sqsEventSchema.safeParse(sqs);
      if (!parsed.success) throw new StackError(`${where}: ${z.prettifyError(parsed.error)}`);
      const { arn, batchSize, maximumConcurrency } = parsed.data;
      const queue = queueNameOfArn(`${where}: arn`, arn, resources).slice(stagePrefix.length);
      const functionName = stagePrefix + key;
      return [{ queue, functionName, batchSize, ...(maximumConcurrency && { maximumConcurrency }) }];
    }),
  );
}
