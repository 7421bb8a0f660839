import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent } from 'aws-lambda';
import { type Processing, processMessage } from './process-message.ts';
import type { QueueUrls } from './queue-urls.ts';
import { fromRecord } from './received-message.ts';
import { Settler } from './settler.ts';

/** Kept free at the end of an invocation, in milliseconds, to settle and to answer in. */
const SETTLE_RESERVE_MS = 2000;
/** A handler that heeds no signal must not cost the whole batch its answer. */
const ABORT_GRACE_SECONDS = 0.5;
const DEFAULT_PATIENCE_SECONDS = 600;

/** What a function consumes queues with. */
export interface LambdaConsumerOptions extends Omit<
  Processing,
  'unknownTaskPatienceSeconds' | 'abortGraceSeconds'
> {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** How long an unknown task is put back, in seconds since it was sent. Default 600. */
  readonly unknownTaskPatienceSeconds?: number;
}

/** A handler of Lambda's event source for SQS. */
export type LambdaConsumer = (
  event: SQSEvent,
  context: Pick<Context, 'getRemainingTimeInMillis'>,
) => Promise<SQSBatchResponse>;

/**
 * Makes the handler of a function that consumes a queue, for an event source with ReportBatchItemFailures.
 *
 * The records of a batch run side by side and are settled once all have run, all but the delete, which is the event
 * source's. What is to come back is reported failed, and so is whatever could not be settled.
 */
export function createLambdaConsumer(options: LambdaConsumerOptions): LambdaConsumer {
  const { sqs, queueUrls } = options;
  const processing = {
    unknownTaskPatienceSeconds: DEFAULT_PATIENCE_SECONDS,
    abortGraceSeconds: ABORT_GRACE_SECONDS,
    ...options,
  };
  const settlers = new Map<string, Settler>();
  const settlerOf = (queue: string): Settler => {
    const settler = settlers.get(queue) ?? new Settler(sqs, queueUrls, queue);
    settlers.set(queue, settler);
    return settler;
  };

  return async ({ Records }, context) => {
    const remainingMs = Math.max(0, context.getRemainingTimeInMillis() - SETTLE_RESERVE_MS);
    const hold = { signal: AbortSignal.timeout(remainingMs), outlivedBy: () => undefined };
    const attempts = await Promise.all(
      Records.map(async (record) => {
        const queue = queueUrls.nameFromArn(record.eventSourceARN);
        const message = fromRecord(record);
        return { queue, message, outcome: await processMessage(message, queue, hold, processing) };
      }),
    );
    // Only now: whoever invoked this function may renew the leases of the whole batch until it answers
    const failed = await Promise.all(
      attempts.map(async ({ queue, message, outcome }) => {
        try {
          const finished = await settlerOf(queue).settleAllButDelete(message, outcome, processing.worker.id);
          return finished ? [] : [message];
        } catch (error) {
          const { messageId } = message;
          processing.logger.error({ queue, messageId, error }, 'message could not be settled; it comes back');
          return [message];
        }
      }),
    );
    return { batchItemFailures: failed.flat().map(({ messageId }) => ({ itemIdentifier: messageId })) };
  };
}
