import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Context, SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda';
import { type Processing, processMessage } from './process-message.ts';
import type { QueueUrls } from './queue-urls.ts';
import { fromRecord } from './received-message.ts';
import { Settler } from './settler.ts';

/** Kept free at the end of an invocation, in milliseconds, to settle and to answer in. */
const SETTLE_RESERVE_MS = 1000;
const DEFAULT_PATIENCE_SECONDS = 600;

/** What a function consumes queues with. */
export interface LambdaConsumerOptions extends Omit<Processing, 'unknownTaskPatienceSeconds'> {
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
 * The records of a batch run side by side. A done one is left for the event source to delete; one to be tried again
 * gets its rest as visibility and is reported failed; a dead letter is copied to the dead letter queue first and
 * then counts as done. Whatever could not be settled is reported failed, so that SQS hands it out again.
 */
export function createLambdaConsumer(options: LambdaConsumerOptions): LambdaConsumer {
  const { sqs, queueUrls } = options;
  const processing = { unknownTaskPatienceSeconds: DEFAULT_PATIENCE_SECONDS, ...options };
  const settlers = new Map<string, Settler>();
  const settlerOf = (queue: string): Settler => {
    const settler = settlers.get(queue) ?? new Settler(sqs, queueUrls, queue);
    settlers.set(queue, settler);
    return settler;
  };

  return async ({ Records }, context) => {
    const remainingMs = Math.max(0, context.getRemainingTimeInMillis() - SETTLE_RESERVE_MS);
    const signal = AbortSignal.timeout(remainingMs);
    const failed = await Promise.all(
      Records.map(async (record) => {
        const queue = queueUrls.nameFromArn(record.eventSourceARN);
        const done = await consume(record, queue, settlerOf(queue), signal, processing);
        return done ? [] : [{ itemIdentifier: record.messageId }];
      }),
    );
    return { batchItemFailures: failed.flat() };
  };
}

/** Resolves to whether the event source may delete the record. */
async function consume(
  record: SQSRecord,
  queue: string,
  settler: Settler,
  signal: AbortSignal,
  processing: Processing,
): Promise<boolean> {
  const message = fromRecord(record);
  const outcome = await processMessage(message, queue, signal, processing);
  try {
    switch (outcome.kind) {
      case 'done':
        return true;
      case 'retry':
        await settler.hide(message, outcome.delaySeconds);
        return false;
      case 'release':
        await settler.hide(message, 0);
        return false;
      case 'dead-letter':
        await settler.copyToDeadLetters(message, { ...outcome, workerId: processing.worker.id });
        return true;
    }
  } catch (error) {
    processing.logger.error(
      { queue, messageId: message.messageId, error },
      'A message could not be settled; it will come back',
    );
    return false;
  }
}
