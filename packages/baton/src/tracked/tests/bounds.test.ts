// Loops over what the task store holds come to an end, whatever another version or an attacker wrote.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { ScheduledContract } from '../../task/task.ts';
import { TaskSchedules } from '../task-schedules.ts';
import { type Handler, TrackedWork, work } from './tracked-work.ts';

const done: Handler = ({ text }) => ({ length: text.length });

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => tracked.stop());

/** Writes members of a task's row as another version does. */
async function change(taskId: string, members: Readonly<Record<string, unknown>>): Promise<void> {
  const { documents, tasksTable: TableName } = tracked.backends;
  const names = Object.keys(members);
  await documents.send(
    new UpdateCommand({
      TableName,
      Key: { taskId },
      UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
      ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
      ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, members[name]])),
    }),
  );
}

async function queued(): Promise<string> {
  const { taskId, store } = tracked;
  await store.create({ taskId, task: work.name, queue: work.queue });
  return taskId;
}

describe('a task whose state only a later version knows', () => {
  test('is not cancelled, and the error names the state', async () => {
    const taskId = await queued();
    await change(taskId, { state: 'suspended' });
    const cancelled = tracked.store.cancel(taskId);
    await expect(cancelled).rejects.toThrow(
      `The task ${taskId} has the state "suspended", which this version does not know`,
    );
  });

  test('is left to workers of that version: its message rests', async () => {
    await change(await queued(), { state: 'suspended' });
    const outcome = await tracked.run(done);
    expect(outcome).toMatchObject({
      kind: 'release',
      delaySeconds: 600,
      error: { name: 'UnknownStateError' },
    });
  });
});

test('a task that changes whenever it is cancelled is given up after five writes', async () => {
  const taskId = await queued();
  const { documents } = tracked.backends;
  const send = documents.send.bind(documents) as (command: object) => Promise<object>;
  let writes = 0;
  jest.spyOn(documents, 'send').mockImplementation((async (command: object) => {
    if (!(command instanceof UpdateCommand)) return send(command);
    writes += 1;
    throw new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
  }) as never);
  await expect(tracked.store.cancel(taskId)).rejects.toThrow('it changed 5 times meanwhile');
  expect(writes).toBe(5);
});

test('a message with the id of a group is no message of a task', async () => {
  const { store, taskId } = tracked;
  const next = { taskId: randomUUID(), task: work.name, queue: work.queue };
  await store.groups.create({ groupId: taskId, memberIds: [randomUUID()], next });
  const outcome = await tracked.run(done);
  expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'mismatch' });
});

test('a group with more members than a group can have is not read', async () => {
  const { store, taskId } = tracked;
  const next = { taskId: randomUUID(), task: work.name, queue: work.queue };
  const groupId = randomUUID();
  await store.groups.create({ groupId, memberIds: Array<string>(101).fill(taskId), next });
  await store.create({ taskId, task: work.name, queue: work.queue, groupId });
  const readResults = jest.spyOn(store, 'readResults');
  await tracked.run(done);
  expect(readResults).not.toHaveBeenCalled();
});

test('a schedule whose row no write can repair gives an error that names it', async () => {
  const { documents, tasksTable: table } = tracked.backends;
  const schedules = new TaskSchedules({ documents, table });
  const schedule = { cron: '0 3 * * *', timeZone: 'UTC' };
  const contract = { ...work, name: `tests.${randomUUID()}`, schedule } as ScheduledContract;
  const send = documents.send.bind(documents) as (command: object) => Promise<object>;
  jest.spyOn(documents, 'send').mockImplementation((async (command: object) => {
    if (command.constructor.name === 'GetCommand') return send(command);
    throw new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
  }) as never);
  await expect(schedules.see(contract)).rejects.toThrow(`The schedule of ${contract.name}`);
}, 5000);
