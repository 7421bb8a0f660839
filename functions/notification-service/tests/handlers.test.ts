import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { randomUUID } from 'node:crypto';
import type { TaskEnd } from 'baton-tasks';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { taskRecord } from 'baton-dev/testing/records';
import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';

const mail = { channel: 'EMAIL', recipient: 'customer@example.com', subject: 'Hello', message: 'World' };
const context = { getRemainingTimeInMillis: () => 30_000 };

let backends: Backends;
let deliveries: (event: SQSEvent, invocation: typeof context) => Promise<SQSBatchResponse>;

beforeAll(async () => {
  backends = await startBackends(['functions/notification-service']);
  const table = `baton-${backends.stage}-notifications`;
  Object.assign(process.env, backends.environment, { NOTIFICATIONS_TABLE: table, LOG_LEVEL: 'silent' });
  ({ deliveries } = await import('../handlers.ts'));
});
afterAll(() => backends.stop());

const TIME = '2026-11-22T10:00:00.000Z';

const delivery = (taskId: string, messageId: string) => record(taskId, 'notifications.send', mail, messageId);

const record = (taskId: string, task: string, data: object, messageId: string) =>
  taskRecord(backends, { taskId, task, queue: 'notifications', data, messageId });

const end = (taskId: string, change: Partial<TaskEnd>): SQSEvent['Records'][number] => {
  const data = {
    taskId,
    task: 'notifications.send',
    state: 'failed',
    attempts: 1,
    token: 1,
    at: TIME,
    ...change,
  };
  return record(`${taskId}.end`, 'notifications.record-end', data, randomUUID());
};
const rejected = {
  name: 'RejectTask',
  message: 'The SMTP server refuses the mail (550)',
  reason: 'rejected',
};

async function rows(): Promise<Record<string, unknown>[]> {
  const { Items = [] } = await backends.documents.send(
    new ScanCommand({ TableName: `baton-${backends.stage}-notifications` }),
  );
  return Items;
}

describe('a notification', () => {
  test('is not shown until SQS has accepted its task', async () => {
    const { notifications } = await import('../service.ts');
    const TableName = `baton-${backends.stage}-notifications`;
    for (const status of ['pending', 'accepted']) {
      await backends.documents.send(
        new PutCommand({ TableName, Item: { notificationId: status, status, listedAt: '1' } }),
      );
    }
    await expect(notifications.find('pending')).resolves.toBeUndefined();
    await expect(notifications.find('accepted')).resolves.toBeDefined();
  });

  test('is one row and is delivered once, however often its message arrives', async () => {
    const once = await deliveries({ Records: [delivery('n-1', 'm-1')] }, context);
    const delivered = async () => (await rows()).filter((row) => row['notificationId'] === 'n-1');
    const [first] = await delivered();
    const atOneTime = await deliveries(
      { Records: [delivery('n-1', 'm-2'), delivery('n-1', 'm-3')] },
      context,
    );
    expect([once, atOneTime]).toEqual([{ batchItemFailures: [] }, { batchItemFailures: [] }]);
    await expect(delivered()).resolves.toEqual([first]);
    expect(first).toMatchObject({
      ...mail,
      notificationId: 'n-1',
      status: 'delivered',
      deliveredBy: 'outbox',
    });
  });

  test.each<[string, Partial<TaskEnd>, object]>([
    [
      'was refused',
      { error: rejected },
      { status: 'failed', failure: 'The SMTP server refuses the mail (550)', reason: 'rejected' },
    ],
    [
      'was given up',
      {
        state: 'dead',
        error: { name: 'Error', message: 'connect ECONNREFUSED 10.0.3.7:25', reason: 'timed-out' },
      },
      { status: 'failed', failure: 'The notification could not be sent (timed-out)', reason: 'timed-out' },
    ],
    ['was cancelled before any attempt', { state: 'cancelled', token: 0 }, { status: 'cancelled' }],
  ])('whose task %s says so, and why', async (_what, change, row) => {
    const { notifications } = await import('../service.ts');
    const taskId = randomUUID();
    const { listingOf, newRow } = await import('../store.ts');
    const TableName = `baton-${backends.stage}-notifications`;
    const accepted = { ...newRow(taskId, mail as never), ...listingOf(mail as never), status: 'accepted' };
    await backends.documents.send(new PutCommand({ TableName, Item: accepted }));
    await deliveries({ Records: [end(taskId, change)] }, context);
    await expect(notifications.find(taskId)).resolves.toMatchObject({ ...mail, ...row });
  });

  test('of another service, whose task ended before its first attempt, has a row', async () => {
    const { notifications, retention } = await import('../service.ts');
    await deliveries({ Records: [end('never-begun', { state: 'cancelled', token: 0 })] }, context);
    await expect(notifications.find('never-begun')).resolves.toMatchObject({
      status: 'cancelled',
      createdAt: TIME,
    });
    const { NotificationRequests } = await import('../requests.ts');
    const table = `baton-${backends.stage}-notifications`;
    const requests = new NotificationRequests(backends.documents, table, retention);
    const { notifications: list } = await requests.list({
      recipient: undefined,
      limit: 100,
      after: undefined,
    });
    expect(list.map(({ notificationId }) => notificationId)).toContain('never-begun');
  });

  test('that left before its task was cancelled or died is shown as delivered, even if the handler could not record it', async () => {
    const { notifications } = await import('../service.ts');
    for (const state of ['cancelled', 'dead', 'failed'] as const) {
      const taskId = randomUUID();
      await notifications.open(taskId, mail as never, 1);
      await deliveries({ Records: [end(taskId, { state, error: rejected })] }, context);
      await expect(notifications.find(taskId)).resolves.not.toMatchObject({ status: 'delivered' });
      for (let again = 0; again < 2; again += 1)
        await deliveries({ Records: [end(taskId, { state, error: rejected, effects: ['send'] })] }, context);
      await deliveries({ Records: [end(taskId, { state, error: rejected })] }, context);
      const row = await notifications.find(taskId);
      expect(row).toMatchObject({ status: 'delivered', deliveredBy: 'outbox' });
      expect([row?.failure, row?.reason]).toEqual([undefined, undefined]);
    }
  });

  test('that left stays delivered; one that runs again after its end is accepted until it has run', async () => {
    const { notifications } = await import('../service.ts');
    const statusOf = async (id: string) => (await notifications.find(id))?.status;
    await deliveries({ Records: [delivery('n-2', 'm-4')] }, context);
    await deliveries({ Records: [end('n-2', { state: 'cancelled', token: 9 })] }, context);
    await expect(statusOf('n-2')).resolves.toBe('delivered');

    await notifications.open('n-3', mail as never, 1);
    await deliveries({ Records: [end('n-3', { error: rejected })] }, context);
    await expect(statusOf('n-3')).resolves.toBe('failed');
    await notifications.open('n-3', mail as never, 3);
    await expect(statusOf('n-3')).resolves.toBe('accepted');
    await deliveries({ Records: [end('n-3', { error: rejected })] }, context);
    await expect(statusOf('n-3')).resolves.toBe('accepted');
    await expect(notifications.find('n-3')).resolves.not.toHaveProperty('failure');
  });

  test('that was deleted is not sent, and stays deleted, if its dead task is put back', async () => {
    const { notifications } = await import('../service.ts');
    const [table, kept] = [`baton-${backends.stage}-notifications`, { notificationId: 'n-4', taskToken: 0 }];
    await backends.documents.send(new PutCommand({ TableName: table, Item: { ...kept, status: 'deleted' } }));
    await deliveries({ Records: [delivery('n-4', 'm-6')] }, context);
    const { Item: task } = await backends.documents.send(
      new GetCommand({ TableName: backends.tasksTable, Key: { taskId: 'n-4' } }),
    );
    expect(task).toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('deleted') as unknown },
      effects: {},
    });
    expect((await rows()).filter(({ notificationId }) => notificationId === 'n-4')).toEqual([
      { ...kept, status: 'deleted' },
    ]);
    await expect(notifications.find('n-4')).resolves.toBeUndefined();
  });
});
