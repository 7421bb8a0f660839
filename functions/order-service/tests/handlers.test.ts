import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { OrderOutcome } from '@baton/common/contracts/orders';
import type { TaskEnd } from 'baton-tasks';
import { Retention } from 'baton-tasks/http';
import { createLogger } from 'baton-tasks/service';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { OrderStore } from '../store.ts';

const at = '2026-11-22T10:00:00.000Z';
const completed = { confirmationNumber: 'B-1', units: 2, notificationId: 'n-1' };

let backends: Backends;
let store: OrderStore;
let table: string;

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  table = `baton-${backends.stage}-orders`;
  const { documents } = backends;
  const logger = createLogger({ service: 'tests', level: 'silent' });
  store = new OrderStore({ documents, table, logger, retention: new Retention({ documents, days: 0 }) });
});
afterAll(() => backends.stop());

async function orderWith(status: string): Promise<string> {
  const orderId = crypto.randomUUID();
  const Item = {
    orderId,
    taskId: 't-1',
    status,
    listedAt: orderId,
    ...(status === 'pending' && { expiresAt: 1 }),
  };
  await backends.documents.send(new PutCommand({ TableName: table, Item }));
  return orderId;
}

const end = (change: Partial<TaskEnd> = {}): TaskEnd => ({
  taskId: 't-1',
  task: 'orders.process',
  state: 'succeeded',
  attempts: 1,
  token: 1,
  at,
  ...(change.state === undefined && {
    result: { confirmationNumber: 'B-1', units: 2, notificationTaskId: 'n-1' },
  }),
  ...change,
});
const rejected = { name: 'RejectTask', message: 'too many units', reason: 'rejected' };
const crashed = { name: 'AttemptsCrashedError', message: 'its workers died', reason: 'crashed' };

async function statusOf(orderId: string): Promise<unknown> {
  const { Item } = await backends.documents.send(new GetCommand({ TableName: table, Key: { orderId } }));
  return Item?.['status'];
}

function outcome(orderId: string, status: OrderOutcome['status']): OrderOutcome {
  if (status === 'processing') return { orderId, status, at };
  return status === 'completed'
    ? { orderId, status, at, ...completed }
    : { orderId, status, at, reason: 'no' };
}

describe('the end of the task of an order', () => {
  test.each<[string, Partial<TaskEnd>, object]>([
    ['that succeeded', {}, { status: 'completed', ...completed }],
    [
      'that was rejected',
      { state: 'failed', error: rejected },
      { status: 'failed', failure: 'too many units' },
    ],
    [
      'that died with its workers',
      { state: 'dead', error: crashed },
      { status: 'failed', failure: 'The order could not be processed (crashed)' },
    ],
    [
      'that was cancelled before any attempt',
      { state: 'cancelled', token: 0, attempts: 0 },
      { status: 'cancelled' },
    ],
  ])('%s is what the order says, from each status that it may have before', async (_what, change, row) => {
    for (const before of ['pending', 'accepted', 'processing']) {
      const orderId = await orderWith(before);
      await expect(store.recordEnd(orderId, end(change))).resolves.toBe('recorded');
      await expect(store.find(orderId)).resolves.toMatchObject({ ...row, updatedAt: at, listedIn: 'orders' });
      await expect(store.find(orderId)).resolves.not.toHaveProperty('expiresAt');
    }
  });

  test('replaces that of an earlier attempt, whatever the clocks say, and never that of a later one', async () => {
    const orderId = await orderWith('accepted');
    const says = (change: Partial<TaskEnd>) => store.recordEnd(orderId, end(change));
    const begins = (token: number) => store.record({ orderId, status: 'processing', at, token });
    const seen: unknown[] = [];
    for (const say of [
      () => begins(1),
      () => says({ state: 'failed', error: rejected, at: '2027-01-01T00:00:00.000Z' }),
      () => begins(1),
      () => begins(3),
      () => says({ state: 'failed', error: rejected }),
      () => says({ token: 3 }),
      () => begins(3),
      () => says({ state: 'failed', error: rejected }),
    ])
      seen.push([await say(), await statusOf(orderId)]);
    expect(seen).toEqual([
      ['recorded', 'processing'],
      ['recorded', 'failed'],
      ['overtaken', 'failed'],
      ['recorded', 'processing'],
      ['overtaken', 'processing'],
      ['recorded', 'completed'],
      ['overtaken', 'completed'],
      ['overtaken', 'completed'],
    ]);
    await expect(store.find(orderId)).resolves.not.toHaveProperty('failure');
  });

  test('replaces an outcome from a worker of a version without tokens', async () => {
    const orderId = await orderWith('accepted');
    await store.record(outcome(orderId, 'failed'));
    await expect(store.recordEnd(orderId, end({ token: 3 }))).resolves.toBe('recorded');
    await expect(store.record(outcome(orderId, 'failed'))).resolves.toBe('overtaken');
    await expect(statusOf(orderId)).resolves.toBe('completed');
  });

  test("of another order's task, or of a mail that is not the order's, is not what the order says", async () => {
    const orderId = await orderWith('accepted');
    await store.recordEnd(orderId, end());
    const row = await store.find(orderId);
    for (const task of ['orders.process', 'notifications.send']) {
      const forged = end({ task, taskId: 'forged', state: 'cancelled', token: 1000 });
      await expect(store.recordEnd(orderId, forged)).resolves.toBe('overtaken');
      await expect(store.find(orderId)).resolves.toEqual(row);
    }
  });

  test('of an order that does not exist is unknown', async () => {
    await expect(store.recordEnd(crypto.randomUUID(), end())).resolves.toBe('unknown');
  });
});

describe("the end of the mail of an order's customer", () => {
  const mail = (change: Partial<TaskEnd>) => end({ task: 'notifications.send', taskId: 'n-1', ...change });

  test.each<[Partial<TaskEnd>, object]>([
    [{ state: 'succeeded' }, { notificationStatus: 'delivered' }],
    [
      { state: 'failed', error: rejected },
      { notificationStatus: 'failed', notificationFailure: 'too many units' },
    ],
    [{ state: 'cancelled', token: 0 }, { notificationStatus: 'cancelled' }],
  ])('is what the order says of it: %j', async (change, row) => {
    const orderId = await orderWith('completed');
    await store.recordEnd(orderId, mail(change));
    await expect(store.find(orderId)).resolves.toMatchObject({
      status: 'completed',
      notificationId: 'n-1',
      ...row,
    });
  });

  test('is that the mail was delivered if it has left, however its task ended, and in whatever order the ends arrive', async () => {
    const ends = [
      mail({ state: 'cancelled' }),
      mail({ state: 'cancelled', effects: ['send'] }),
      mail({ state: 'dead', error: crashed, token: 3 }),
      mail({ state: 'dead', error: crashed, token: 3, effects: ['other', 'send'] }),
      mail({ state: 'failed', error: rejected, token: 5 }),
    ];
    for (const told of [ends, ends.toReversed()]) {
      const orderId = await orderWith('completed');
      for (const one of told) await store.recordEnd(orderId, one);
      const order = await store.find(orderId);
      expect(order).toMatchObject({ status: 'completed', notificationStatus: 'delivered' });
      expect(order).not.toHaveProperty('notificationFailure');
    }
  });

  test('may arrive before the end of the order, which keeps it; a later one replaces an earlier one', async () => {
    const orderId = await orderWith('processing');
    await store.recordEnd(orderId, mail({ state: 'failed', error: rejected }));
    await store.recordEnd(orderId, end());
    await expect(store.find(orderId)).resolves.toMatchObject({
      status: 'completed',
      notificationStatus: 'failed',
    });
    await store.recordEnd(orderId, mail({ state: 'succeeded', token: 3 }));
    await expect(store.recordEnd(orderId, mail({ state: 'failed', error: rejected }))).resolves.toBe(
      'overtaken',
    );
    const order = await store.find(orderId);
    expect(order).toMatchObject({ notificationStatus: 'delivered' });
    expect(order).not.toHaveProperty('notificationFailure');
  });
});

test('the end of a task that no order depends on is rejected', () => {
  expect(() => store.recordEnd(crypto.randomUUID(), end({ task: 'health.check' }))).toThrow(
    'No order depends on health.check',
  );
});

test('an order is not shown until SQS has accepted its task', async () => {
  await expect(store.find(await orderWith('pending'))).resolves.toBeUndefined();
  await expect(store.find(await orderWith('accepted'))).resolves.toBeDefined();
});

describe('an outcome', () => {
  test.each([
    ['accepted', 'processing', 'recorded', 'processing'],
    ['accepted', 'completed', 'recorded', 'completed'],
    ['processing', 'completed', 'recorded', 'completed'],
    ['processing', 'failed', 'recorded', 'failed'],
    ['pending', 'completed', 'recorded', 'completed'],
    ['completed', 'processing', 'overtaken', 'completed'],
    ['completed', 'completed', 'overtaken', 'completed'],
    ['completed', 'failed', 'overtaken', 'completed'],
    ['failed', 'completed', 'overtaken', 'failed'],
  ] as const)(
    'of an order in the state %s: %s is %s, and the order is then %s',
    async (before, status, recorded, after) => {
      const orderId = await orderWith(before);
      await expect(store.record(outcome(orderId, status))).resolves.toBe(recorded);
      await expect(statusOf(orderId)).resolves.toBe(after);
    },
  );

  test('of an unknown order is rejected', async () => {
    await expect(store.record(outcome(crypto.randomUUID(), 'completed'))).resolves.toBe('unknown');
  });

  test('that arrives before the order is accepted shows the order, and keeps it from expiring', async () => {
    const orderId = await orderWith('pending');
    await store.record(outcome(orderId, 'completed'));
    const row = await store.find(orderId);
    expect(row).toMatchObject({ ...completed, updatedAt: at, listedIn: 'orders' });
    expect(row).not.toHaveProperty('expiresAt');
  });
});
