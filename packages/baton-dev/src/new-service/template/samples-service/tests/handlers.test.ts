import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { TaskEnd } from 'baton-tasks';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Inbox } from 'baton-dev/testing/inbox';
import { taskRecord } from 'baton-dev/testing/records';
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
const messageOf = (sampleId: string) => message(sampleId, 'samples.record', { sampleId, reference: 'r-1' });

/** How the task of a sample ended. */
const endOf = (sampleId: string, end: Partial<TaskEnd>) =>
  message(randomUUID(), 'samples.record-end', {
    taskId: sampleId,
    task: 'samples.record',
    attempts: 1,
    token: 1,
    at: '2026-11-22T10:00:00.000Z',
    ...end,
  });

const message = (taskId: string, task: string, data: object) =>
  taskRecord(backends, { taskId, task, queue: 'samples', data });

test('a sample is recorded once, however often its message comes', async () => {
  const sample = { sampleId: randomUUID(), reference: 'r-1' };
  await samples.accept({ sample, requestHash, sendTask: async () => undefined });
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
  await samples.accept({ sample, requestHash, sendTask });
  const row = await samples.find(sample.sampleId);
  expect(row).toMatchObject({ status: 'recorded' });
  expect(row).not.toHaveProperty('expiresAt');
});

test('a sample whose task ends without recording it says so, and why, until a later attempt records it', async () => {
  const sample = { sampleId: randomUUID(), reference: 'r-1' };
  await samples.accept({ sample, requestHash, sendTask: async () => undefined });
  const error = { name: 'Error', message: 'the disk is full', reason: 'attempts-exhausted' };
  await records({ Records: [endOf(sample.sampleId, { state: 'dead', error })] }, context);
  await expect(samples.find(sample.sampleId)).resolves.toMatchObject({
    status: 'failed',
    failure: 'the disk is full',
  });
  await records({ Records: [endOf(sample.sampleId, { state: 'cancelled', token: 0 })] }, context);
  await expect(samples.find(sample.sampleId)).resolves.toMatchObject({ status: 'failed' });
  await records({ Records: [messageOf(sample.sampleId)] }, context);
  const row = await samples.find(sample.sampleId);
  expect(row).toMatchObject({ status: 'recorded' });
  expect(row).not.toHaveProperty('failure');
  await records({ Records: [endOf(sample.sampleId, { state: 'dead', error, token: 9 })] }, context);
  await expect(samples.find(sample.sampleId)).resolves.toEqual(row);
});

test('a sample whose task is cancelled says so', async () => {
  const sample = { sampleId: randomUUID(), reference: 'r-1' };
  await samples.accept({ sample, requestHash, sendTask: async () => undefined });
  await records({ Records: [endOf(sample.sampleId, { state: 'cancelled', token: 0 })] }, context);
  await expect(samples.find(sample.sampleId)).resolves.toMatchObject({ status: 'cancelled' });
});

test('the task of a sample that nobody knows is a dead letter', async () => {
  await records({ Records: [messageOf(randomUUID())] }, context);
  const dead = await new Inbox(backends.sqs).take(backends.queueUrls.of('samples-dlq'));
  expect(dead.map(({ MessageAttributes }) => MessageAttributes?.['baton.reason']?.StringValue)).toEqual([
    'rejected',
  ]);
});
