// Events of Lambda's event source for SQS, for tests of consumers.
import { randomUUID } from 'node:crypto';
import type { SQSEvent } from 'aws-lambda';
import type { z } from 'zod';
import { encodeEnvelope } from '../sqs/envelope.ts';
import type { TaskContract } from '../task/task.ts';

/** Configures an event. */
export interface SqsEventOptions {
  /** The task's id. Default: a new uuid. */
  readonly taskId?: string;
  /** The task's subject. */
  readonly subject?: string;
  /** How often SQS has handed the message out, including this time. Default 1. */
  readonly receives?: number;
}

/**
 * Makes the event with which Lambda gives a function one task. Call a consumer with it in a test.
 *
 * @param payload - the payload, before the schema parses it. It is not checked
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
        // Without a stage's prefix, so that the name is used unchanged
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:${queue}`,
        awsRegion: 'us-east-1',
      },
    ],
  };
}
