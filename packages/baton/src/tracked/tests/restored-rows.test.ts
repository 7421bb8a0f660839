import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { DeleteCommand } from '@aws-sdk/lib-dynamodb';
import { copyRows } from 'baton-dev/restore-table/row-copy';
import { eventually } from 'baton-dev/testing/eventually';
import { chain } from '../../task/flow.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { runQueue } from '../../worker/tests/in-process-worker.ts';
import * as z from 'zod';

const shared = { queue: 'default', timeoutSeconds: 5, tracked: true } as const;
const retry = { maxAttempts: 3, baseSeconds: 1, capSeconds: 1 };
const add = defineTask({ ...shared, retry, name: 'tests.add', payload: z.int(), result: z.int() });
const pay = defineTask({ ...shared, retry, name: 'tests.pay', payload: z.int(), result: z.int() });

let backends: Backends;
let client: DynamoDBClient;
let store: TaskStore;
let tasks: TaskClient;
let paid: number;
/** Whether the next attempt fails after its payment. */
let failsNext: boolean;

const implementations = new Implementations([
  implement(add, (number) => number + 1),
  implement(pay, async (amount, { effect }) => {
    const total = await effect('pay', async () => (paid += amount));
    if (!failsNext) return total;
    failsNext = false;
    throw new Error('the attempt fails after its payment');
  }),
]);
const run = () => runQueue(backends, store, tasks, implementations);

beforeAll(async () => {
  backends = await startBackends(['default']);
  const { sqs, queueUrls, documents, tasksTable: table, environment } = backends;
  client = new DynamoDBClient({
    endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  store = new TaskStore({ documents, table });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
beforeEach(() => {
  paid = 0;
  failsNext = false;
});
afterAll(async () => {
  client.destroy();
  await backends.stop();
});

/** Makes a copy of the table as it is now, as DynamoDB does for a point in time. Resolves to its name. */
async function copyOfNow(): Promise<string> {
  const TableName = `${backends.tasksTable}-${randomUUID()}`;
  await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'taskId', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'taskId', KeyType: 'HASH' }],
    }),
  );
  for (const Item of await rows()) await client.send(new PutItemCommand({ TableName, Item }));
  return TableName;
}

async function rows() {
  const request = new ScanCommand({ TableName: backends.tasksTable, ConsistentRead: true });
  return (await client.send(request)).Items ?? [];
}

async function loseAll(): Promise<void> {
  for (const { taskId } of await rows())
    await backends.documents.send(
      new DeleteCommand({ TableName: backends.tasksTable, Key: { taskId: taskId?.S } }),
    );
}

const restore = (copy: string) =>
  copyRows({ client, table: backends.tasksTable, copy, overwrite: false, write: true });

test('a chain whose rows were lost and restored before its message comes runs to its end', async () => {
  const handle = await tasks.start(chain([add, add, add]), 1);
  const copy = await copyOfNow();
  await loseAll();
  await restore(copy);
  await run();
  await expect(handle.result()).resolves.toBe(4);
});

test('an effect that was kept before the loss is not run again after the restore', async () => {
  failsNext = true;
  const handle = await tasks.send(pay, 7);
  await run();
  await expect(handle.status()).resolves.toMatchObject({ state: 'retrying' });
  const copy = await copyOfNow();
  await loseAll();
  await restore(copy);
  await eventually('the next attempt', async () => {
    await run();
    return (await handle.status())?.state === 'succeeded';
  });
  expect(paid).toBe(7);
});

test('a task that ended after the point in time waits for a message that is gone, until it is sent again', async () => {
  const taskId = randomUUID();
  const handle = await tasks.send(add, 1, { taskId });
  const copy = await copyOfNow();
  await run();
  await expect(handle.status()).resolves.toMatchObject({ state: 'succeeded' });
  await loseAll();
  await restore(copy);
  await run();
  await expect(handle.status()).resolves.toMatchObject({ state: 'queued' });
  // A send of the same task continues
  await tasks.send(add, 1, { taskId });
  await run();
  await expect(handle.result()).resolves.toBe(2);
});

test('a restored task that waits in vain can be cancelled', async () => {
  const handle = await tasks.send(add, 1);
  const copy = await copyOfNow();
  await run();
  await loseAll();
  await restore(copy);
  await expect(handle.cancel()).resolves.toMatchObject({ state: 'cancelled' });
});

test('a task that ran without its row before the restore keeps the row that it has got', async () => {
  const handle = await tasks.send(add, 1);
  const copy = await copyOfNow();
  await loseAll();
  await run();
  expect((await restore(copy)).differing).toBeGreaterThanOrEqual(1);
  await expect(handle.status()).resolves.toMatchObject({ state: 'succeeded' });
});
