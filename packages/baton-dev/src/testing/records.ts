// Records of Lambda's event source for SQS, for tests.
import { encodeEnvelope } from 'baton-tasks/tooling';
import type { SQSRecord } from 'aws-lambda';
import type { Backends } from './backends.ts';

/** Describes the task of a record. */
export interface RecordedTask {
  readonly taskId: string;
  /** The name of its contract. */
  readonly task: string;
  /** The queue of its contract. */
  readonly queue: string;
  readonly data: object;
  /** Default: the task's id. */
  readonly messageId?: string;
}

/** Makes the record with which Lambda's event source gives a task to a function, at its first receive. */
export function taskRecord(
  { stage }: Pick<Backends, 'stage'>,
  { taskId, task, queue, data, messageId = taskId }: RecordedTask,
): SQSRecord {
  const time = new Date().toISOString();
  return {
    messageId,
    receiptHandle: messageId,
    body: encodeEnvelope({ taskId, task, source: 'tests', time, trace: undefined, data }),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now()),
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${stage}-${queue}`,
    awsRegion: 'us-east-1',
  };
}
