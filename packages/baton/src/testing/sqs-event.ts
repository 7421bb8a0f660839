import { randomUUID } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';
import type { z } from 'zod';
import { encodeEnvelope } from '../sqs/envelope.ts';
import type { TaskContract } from '../task/task.ts';

/** How a task comes to a function. */
export interface SqsEventOptions {
  /** The task's id. Default: a new uuid. */
  readonly taskId?: string;
  /** What the task is about, as its sender says it. */
  readonly subject?: string;
  /** How often SQS has handed the message out, this time included. Default 1. */
  readonly receives?: number;
}

/**
 * The event by which Lambda gives a function one task: to call a consumer, such as `createConsumer` makes, in a test.
 *
 * @param payload - as a sender gives it. It is not checked
 */
export function sqsEvent<Payload extends z.ZodType>(
  contract: TaskContract<Payload>,
  payload: z.input<Payload>,
  { taskId = randomUUID(), subject, receives = 1 }: SqsEventOptions = {},
): SQSEvent {
  const { name: task, version, queue } = contract;
  const nowMs = Date.now();
  const sent = { taskId, task, version, source: 'test', time: new Date(nowMs).toISOString(), subject };
  return {
    Records: [
      {
        messageId: randomUUID(),
        receiptHandle: randomUUID(),
        body: encodeEnvelope({ ...sent, trace: undefined, data: payload }),
        attributes: {
          ApproximateReceiveCount: String(receives),
          SentTimestamp: String(nowMs),
          ApproximateFirstReceiveTimestamp: String(nowMs),
          SenderId: 'test',
        },
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        // Of no stage: then the name is taken as it is
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
        awsRegion: 'us-east-1',
      },
    ],
  };
}
