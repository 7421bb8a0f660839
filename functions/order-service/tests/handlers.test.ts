import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { OrderOutcome } from '@baton/common/contracts/orders';
import { createLogger } from '@baton/common/telemetry/logger';
import { type Backends, startBackends } from '@baton/tests/backends';
import { OrderStore } from '../store.ts';

const at = '2026-11-22T10:00:00.000Z';
const completed = { confirmationNumber: 'B-1', units: 2, notificationId: 'n-1' };

let backends: Backends;
let store: OrderStore;
let table: string;

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  table = `baton-${backends.stage}-orders`;
  store = new OrderStore(backends.documents, table, createLogger({ service: 'tests', level: 'silent' }));
});
afterAll(() => backends.stop());

async function orderWith(status: string): Promise<string> {
  const orderId = crypto.randomUUID();
  await backends.documents.send(
    new PutCommand({ TableName: table, Item: { orderId, status, listedAt: orderId, expiresAt: 1 } }),
  );
  return orderId;
}

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

test('an order that SQS has not taken is shown to nobody', async () => {
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
    'of an order that is %s: %s is %s, and the order is %s',
    async (before, status, recorded, after) => {
      const orderId = await orderWith(before);
      await expect(store.record(outcome(orderId, status))).resolves.toBe(recorded);
      await expect(statusOf(orderId)).resolves.toBe(after);
    },
  );

  test('of an order that nobody knows is said to be unknown', async () => {
    await expect(store.record(outcome(crypto.randomUUID(), 'completed'))).resolves.toBe('unknown');
  });

  test('that overtakes its own acceptance shows the order, and keeps it from expiring', async () => {
    const orderId = await orderWith('pending');
    await store.record(outcome(orderId, 'completed'));
    const row = await store.find(orderId);
    expect(row).toMatchObject({ ...completed, updatedAt: at, listedIn: 'orders' });
    expect(row).not.toHaveProperty('expiresAt');
  });
});
