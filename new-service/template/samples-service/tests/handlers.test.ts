import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { type Backends, startBackends } from '@baton/tests/backends';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import type { SampleStore } from '../store.ts';

const requestHash = 'same';
const context = { getRemainingTimeInMillis: () => 30_000 };

let backends: Backends;
let records: (event: SQSEvent, invocation: typeof context) => Promise<SQSBatchResponse>;
let samples: SampleStore;

beforeAll(async () => {
  backends = await startBackends(['functions/samples-service']);
  const own = { SAMPLES_TABLE: `baton-${backends.stage}-samples`, LOG_LEVEL: 'silent' };
  Object.assign(process.env, backends.environment, own);
  ({ records } = await import('../handlers.ts'));
  ({ samples } = await import('../service.ts'));
});
afterAll(() => backends.stop());

/** The task of a sample as SQS hands it to the function. */
function messageOf(sampleId: string): SQSEvent['Records'][number] {
  const time = '2026-11-22T10:00:00.000Z';
  const data = { sampleId, reference: 'r-1' };
  const envelope = {
    taskId: sampleId,
    task: 'samples.record',
    source: 'tests',
    time,
    trace: undefined,
    data,
  };
  return {
    messageId: sampleId,
    receiptHandle: sampleId,
    body: encodeEnvelope(envelope),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now()),
      SenderId: '',
      ApproximateFirstReceiveTimestamp: '0',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${backends.stage}-samples`,
    awsRegion: 'us-east-1',
  };
}

test('a sample is recorded once, however often its message comes', async () => {
  const sample = { sampleId: randomUUID(), reference: 'r-1' };
  await samples.take({ sample, requestHash, sendTask: async () => undefined });
  await records({ Records: [messageOf(sample.sampleId)] }, context);
  const once = await samples.find(sample.sampleId);
  expect(once).toMatchObject({ ...sample, status: 'recorded', recordedAt: expect.any(String) as unknown });
  await records({ Records: [messageOf(sample.sampleId)] }, context);
  await expect(samples.find(sample.sampleId)).resolves.toEqual(once);
});

test('a sample whose task overtakes its acceptance is recorded, and no longer expires', async () => {
  const sample = { sampleId: randomUUID(), reference: 'r-1' };
  const sendTask = async (): Promise<void> => {
    await expect(samples.find(sample.sampleId)).resolves.toBeUndefined();
    await records({ Records: [messageOf(sample.sampleId)] }, context);
  };
  await samples.take({ sample, requestHash, sendTask });
  const row = await samples.find(sample.sampleId);
  expect(row).toMatchObject({ status: 'recorded' });
  expect(row).not.toHaveProperty('expiresAt');
});

test('the task of a sample that nobody knows is a dead letter', async () => {
  await records({ Records: [messageOf(randomUUID())] }, context);
  const QueueUrl = backends.queueUrls.of('samples-dlq');
  const { Messages = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'] }),
  );
  expect(Messages.map(({ MessageAttributes }) => MessageAttributes?.['baton.reason']?.StringValue)).toEqual([
    'rejected',
  ]);
});
