import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import type { Order } from '@baton/common/contracts/orders';
import { Retention } from 'baton-tasks/http';
import { createLogger } from 'baton-tasks/service';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { OrderStore } from '../store.ts';

const DAY_MS = 86_400_000;
const OWNER = 'customer A';

let backends: Backends;
let table: string;
let nowMs: number;
let orderId: string;

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  table = `baton-${backends.stage}-orders`;
});
beforeEach(() => {
  nowMs = Date.now();
  orderId = crypto.randomUUID();
});
afterAll(() => backends.stop());

/** The store of a process that keeps orders for so many days. */
function storeWith(days: number): OrderStore {
  const { documents } = backends;
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const retention = new Retention({ documents, days, now: () => nowMs });
  return new OrderStore({ documents, table, logger, retention });
}

async function accept(store: OrderStore): Promise<void> {
  const order = { orderId, customerEmail: 'customer@example.com' } as Order;
  const sendTask = async () => undefined;
  await store.accept({ order, owner: OWNER, taskId: 't-1', requestHash: 'same', sendTask });
}

/** The lists in which a store shows the order. */
async function listed(store: OrderStore): Promise<string[]> {
  const query = { limit: 100, after: undefined };
  const [all, own] = [
    await store.list({ ...query, owner: undefined }),
    await store.list({ ...query, owner: OWNER }),
  ];
  const has = ({ orders }: typeof all) => orders.some((order) => order.orderId === orderId);
  return [...(has(all) ? ['all'] : []), ...(has(own) ? ['own'] : [])];
}

const row = async () =>
  (await backends.documents.send(new GetCommand({ TableName: table, Key: { orderId } }))).Item;

const at = '2026-11-30T12:00:00.000Z';
const end = { taskId: 't-1', attempts: 1, token: 1, at } as const;

/** Moves the time on. Resolves to whether the order is found, and the lists that show it. */
async function after(days: number, store: OrderStore): Promise<unknown[]> {
  nowMs += days * DAY_MS;
  return [(await store.find(orderId)) !== undefined, ...(await listed(store))];
}

test.each<[string, (store: OrderStore) => Promise<unknown>]>([
  ['acceptance', async () => undefined],
  ['start', (store) => store.record({ orderId, status: 'processing', at, token: 1 })],
  ['end', (store) => store.recordEnd(orderId, { ...end, task: 'orders.process', state: 'cancelled' })],
  [
    "mail's end",
    (store) => store.recordEnd(orderId, { ...end, task: 'notifications.send', state: 'succeeded' }),
  ],
])(
  'an order that is kept for 60 days is gone 60 days after its %s, from every list too',
  async (_what, change) => {
    const store = storeWith(60);
    await accept(store);
    await change(store);
    await expect(after(59.9, store)).resolves.toEqual([true, 'all', 'own']);
    await expect(after(0.1, store)).resolves.toEqual([false]);
    // The emulator never deletes a row; DynamoDB does, by this attribute
    await expect(row()).resolves.toMatchObject({ expiresAt: Math.floor(nowMs / 1000) });
  },
);

test('an order that changes is kept for 60 days from then on', async () => {
  const store = storeWith(60);
  await accept(store);
  await after(59, store);
  await store.record({ orderId, status: 'processing', at, token: 1 });
  await expect(after(59, store)).resolves.toEqual([true, 'all', 'own']);
});

test('an order that is kept for ever has no time to live, and loses the one that it had', async () => {
  const store = storeWith(0);
  await accept(store);
  await expect(row()).resolves.not.toHaveProperty('expiresAt');
  await storeWith(60).record({ orderId, status: 'processing', at, token: 1 });
  await expect(row()).resolves.toHaveProperty('expiresAt');
  await store.recordEnd(orderId, { ...end, task: 'orders.process', state: 'cancelled' });
  await expect(row()).resolves.not.toHaveProperty('expiresAt');
  await expect(after(36_500, store)).resolves.toEqual([true, 'all', 'own']);
});
