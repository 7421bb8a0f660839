import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { DeleteCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { chain, group, member } from '../../task/flow.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { laterStepIds } from '../../send/flow-places.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { runQueue } from '../../worker/tests/in-process-worker.ts';
import * as z from 'zod';

const shared = {
  queue: 'default',
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 5,
  tracked: true,
} as const;
const add = defineTask({ ...shared, name: 'tests.add', payload: z.int(), result: z.int() });
const sum = defineTask({ ...shared, name: 'tests.sum', payload: z.array(z.int()), result: z.int() });

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
const ran: number[] = [];

const implementations = new Implementations([
  implement(add, (number) => {
    ran.push(number);
    return number + 1;
  }),
  implement(sum, (numbers) => numbers.reduce((one, other) => one + other, 0)),
]);
const run = () => runQueue(backends, store, tasks, implementations);

beforeAll(async () => {
  backends = await startBackends(['default']);
  const { sqs, queueUrls, documents, tasksTable: table } = backends;
  store = new TaskStore({ documents, table });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
beforeEach(() => {
  ran.length = 0;
});
afterAll(() => backends.stop());

async function lose(taskId: string): Promise<void> {
  await backends.documents.send(new DeleteCommand({ TableName: backends.tasksTable, Key: { taskId } }));
}

/**
 * Deletes the rows of all tasks that have not run, as if the table were deleted and created again. Keeps the rows of
 * earlier tests, because SQS may deliver their messages again.
 */
async function loseAll(): Promise<void> {
  const { Items = [] } = await backends.documents.send(new ScanCommand({ TableName: backends.tasksTable }));
  for (const { taskId, attempts } of Items) if (!attempts) await lose(String(taskId));
}

/** Receives all dead letters. Returns their reasons. */
async function reasons(): Promise<unknown[]> {
  const { Messages = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: backends.queueUrls.deadLettersOf('default'),
      MaxNumberOfMessages: 10,
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages.map(({ MessageAttributes }) => MessageAttributes?.['baton.reason']?.StringValue);
}

const LOST = {
  name: 'TaskFailedError',
  reason: 'flow-lost',
  message: expect.stringContaining('The task store has lost the row of the task') as unknown,
};

describe('a chain in the task store', () => {
  test('without all its rows fails with a reason, and runs no task', async () => {
    const taskId = randomUUID();
    const handle = await tasks.start(chain([add, add, add]), 1, { taskId });
    await loseAll();
    await run();
    await expect(handle.result()).rejects.toMatchObject(LOST);
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'dead',
      error: { name: 'FlowLostError', reason: 'flow-lost' },
    });
    // There are two dead letters if SQS delivers the message twice
    expect(new Set(await reasons())).toEqual(new Set(['flow-lost']));
    expect(ran).toEqual([]);
  });

  test('without the row of one step fails at this step', async () => {
    const taskId = randomUUID();
    const handle = await tasks.start(chain([add, add, add]), 1, { taskId });
    await lose(laterStepIds(taskId, 3)[0] ?? '');
    await run();
    await expect(handle.result()).rejects.toMatchObject(LOST);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'succeeded' });
    expect(ran).toEqual([1]);
  });

  test('without the row of its last step runs to its end, because nothing follows that step', async () => {
    const taskId = randomUUID();
    const handle = await tasks.start(chain([add, add]), 1, { taskId });
    await lose(handle.taskId);
    await run();
    await expect(handle.result()).resolves.toBe(3);
  });
});

describe('a group in the task store', () => {
  const members = [member(add, 1), member(add, 2)] as const;

  test('without all its rows fails with a reason, and runs no task', async () => {
    const handle = await tasks.start(group(members, sum));
    await loseAll();
    await run();
    await expect(handle.result()).rejects.toMatchObject(LOST);
    await expect(reasons()).resolves.toContain('flow-lost');
    expect(ran).toEqual([]);
  });

  test('without its own row fails once its members have succeeded', async () => {
    const taskId = randomUUID();
    const handle = await tasks.start(group(members, sum), { taskId });
    await lose(taskId);
    await run();
    expect(ran).toHaveLength(2);
    await expect(handle.result()).rejects.toMatchObject(LOST);
  });
});

test('a task without its row runs if it belongs to no flow', async () => {
  const handle = await tasks.send(add, 1);
  await loseAll();
  await run();
  await expect(handle.result()).resolves.toBe(2);
});
