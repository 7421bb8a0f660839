import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { TaskEnd } from 'baton-tasks';
import { runTask } from 'baton-tasks/testing';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Inbox } from 'baton-dev/testing/inbox';
import { taskRecord } from 'baton-dev/testing/records';
import type * as Handlers from '../handlers.ts';
import type { SampleRow, SampleStore } from '../store.ts';

let backends: Backends;
let handlers: typeof Handlers;
let samples: SampleStore;
let sample: { readonly sampleId: string; readonly reference: string };

beforeAll(async () => {
  backends = await startBackends(['functions/samples-service']);
  const own = { SAMPLES_TABLE: `baton-${backends.stage}-samples`, LOG_LEVEL: 'silent' };
  Object.assign(process.env, backends.environment, own);
  handlers = await import('../handlers.ts');
  ({ samples } = await import('../service.ts'));
});
beforeEach(() => {
  sample = { sampleId: randomUUID(), reference: 'r-1' };
});
afterAll(() => backends.stop());

/** Accepts the sample. @param sendTask - called as its task is sent */
const accept = (sendTask: () => Promise<unknown> = async () => undefined) =>
  samples.accept({ sample, owner: 'customer A', requestHash: 'same', sendTask });

/** The sample as the API shows it. */
const found = () => samples.find(sample.sampleId);

/** How many days a row is kept from now on. */
const daysLeft = (row: SampleRow | undefined) =>
  Math.round((Number(row?.expiresAt) - Date.now() / 1000) / 86_400);

/** Lets the time of the sample's row be over. DynamoDB has not deleted it yet. */
const over = () =>
  backends.documents.send(
    new UpdateCommand({
      TableName: `baton-${backends.stage}-samples`,
      Key: { sampleId: sample.sampleId },
      UpdateExpression: 'SET expiresAt = :now',
      ExpressionAttributeValues: { ':now': Math.floor(Date.now() / 1000) },
    }),
  );

/** Runs an attempt of the sample's task. */
const record = () => runTask(handlers.record, sample, { taskId: sample.sampleId });

/** Tells the service how the task of the sample ended. */
const tell = (end: Pick<TaskEnd, 'state' | 'token'> & Partial<TaskEnd>) =>
  runTask(handlers.recordEnd, {
    taskId: sample.sampleId,
    task: 'samples.record',
    attempts: 1,
    at: '2026-11-22T10:00:00.000Z',
    ...end,
  });

test('a sample is recorded once, even if its task runs twice', async () => {
  await accept();
  const { result } = await record();
  const once = await found();
  expect(once).toMatchObject({ ...sample, status: 'recorded', recordedAt: result?.recordedAt });
  await expect(record()).resolves.toMatchObject({ result });
  // Its time to live has begun anew
  await expect(found()).resolves.toEqual({ ...once, expiresAt: expect.any(Number) as unknown });
});

test('a sample whose task runs before its acceptance is recorded, and is kept', async () => {
  await accept(async () => {
    await expect(found()).resolves.toBeUndefined();
    await record();
  });
  const row = await found();
  expect(row).toMatchObject({ status: 'recorded' });
  expect(daysLeft(row)).toBe(400);
});

test('a sample is kept for 400 days after its last change, and is then gone', async () => {
  await accept();
  expect(daysLeft(await found())).toBe(400);
  await tell({ state: 'cancelled', token: 0 });
  expect(daysLeft(await found())).toBe(400);
  await over();
  await expect(found()).resolves.toBeUndefined();
});

test('late messages do not bring a deleted sample back', async () => {
  await accept();
  await record();
  await expect(samples.erase((await found()) as SampleRow, 'customer A')).resolves.toBe(true);
  await expect(record()).resolves.toMatchObject({ outcome: { kind: 'dead-letter', reason: 'rejected' } });
  await tell({ state: 'dead', token: 9 });
  await expect(found()).resolves.toBeUndefined();
});

test('a sample whose task fails shows why, until a later attempt records it', async () => {
  await accept();
  const error = { name: 'Error', message: 'the disk is full', reason: 'attempts-exhausted' };
  await tell({ state: 'dead', error, token: 1 });
  await expect(found()).resolves.toMatchObject({ status: 'failed', failure: 'It could not be recorded' });
  await tell({ state: 'cancelled', token: 0 });
  await expect(found()).resolves.toMatchObject({ status: 'failed' });
  await record();
  const row = await found();
  expect(row).toMatchObject({ status: 'recorded' });
  expect(row).not.toHaveProperty('failure');
  await tell({ state: 'dead', error, token: 9 });
  await expect(found()).resolves.toEqual(row);
});

test('a sample whose task is cancelled is shown as cancelled', async () => {
  await accept();
  await tell({ state: 'cancelled', token: 0 });
  await expect(found()).resolves.toMatchObject({ status: 'cancelled' });
});

test('the task of an unknown sample is rejected', async () => {
  await expect(record()).resolves.toMatchObject({ outcome: { kind: 'dead-letter', reason: 'rejected' } });
});

test('the function records the samples of its queue, and makes dead letters of rejected tasks', async () => {
  await accept();
  const unknown = { ...sample, sampleId: randomUUID() };
  const event = {
    Records: [sample, unknown].map((data) =>
      taskRecord(backends, { taskId: data.sampleId, task: 'samples.record', queue: 'samples', data }),
    ),
  };
  await handlers.records(event, { getRemainingTimeInMillis: () => 30_000 });
  await expect(found()).resolves.toMatchObject({ status: 'recorded' });
  const dead = await new Inbox(backends.sqs).takeTasks(backends.queueUrls.of('samples-dlq'));
  expect(dead.map(({ taskId }) => taskId)).toEqual([unknown.sampleId]);
});
