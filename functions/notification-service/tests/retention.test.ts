import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { Retention } from 'baton-tasks/http';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { NotificationRequests } from '../requests.ts';
import { NotificationStore } from '../store.ts';

const DAY_MS = 86_400_000;
const mail = {
  channel: 'EMAIL',
  recipient: 'customer@example.com',
  subject: 'Hello',
  message: 'World',
} as const;

let backends: Backends;
let table: string;
let nowMs: number;
let notificationId: string;

beforeAll(async () => {
  backends = await startBackends(['functions/notification-service']);
  table = `baton-${backends.stage}-notifications`;
});
beforeEach(() => {
  nowMs = Date.now();
  notificationId = randomUUID();
});
afterAll(() => backends.stop());

const retentionOf = (days: number) =>
  new Retention({ documents: backends.documents, days, now: () => nowMs });

/** The store of a process that keeps notifications for so many days. */
function storeWith(days: number): NotificationStore {
  return new NotificationStore(backends.documents, table, retentionOf(days));
}

const row = async () =>
  (await backends.documents.send(new GetCommand({ TableName: table, Key: { notificationId } }))).Item;

/** Moves the time on. Resolves to whether the notification is found, and the lists that show it. */
async function after(days: number, store: NotificationStore): Promise<unknown[]> {
  nowMs += days * DAY_MS;
  const requests = new NotificationRequests(backends.documents, table, retentionOf(60));
  const lists = { all: undefined, recipient: mail.recipient };
  const shown: unknown[] = [(await store.find(notificationId)) !== undefined];
  for (const [name, recipient] of Object.entries(lists)) {
    const page = await requests.list({ recipient, limit: 100, after: undefined });
    if (page.notifications.some((each) => each.notificationId === notificationId)) shown.push(name);
  }
  return shown;
}

const fail = (store: NotificationStore) =>
  store.recordEnd({
    taskId: notificationId,
    task: 'notifications.send',
    state: 'failed',
    attempts: 1,
    token: 1,
    at: new Date(nowMs).toISOString(),
  });

test.each<[string, (store: NotificationStore) => Promise<unknown>]>([
  ['was delivered', (store) => store.markDelivered(notificationId, 'outbox')],
  ['failed', fail],
])(
  'a notification that is kept for 60 days is gone 60 days after it %s, from every list too',
  async (_what, end) => {
    const store = storeWith(60);
    await store.open(notificationId, mail, 1);
    await after(10, store);
    await end(store);
    await expect(after(59.9, store)).resolves.toEqual([true, 'all', 'recipient']);
    await expect(after(0.1, store)).resolves.toEqual([false]);
    // The emulator never deletes a row; DynamoDB does, by this attribute
    await expect(row()).resolves.toMatchObject({ expiresAt: Math.floor(nowMs / 1000) });
  },
);

test('a notification that has not ended stays, also one whose task was put back', async () => {
  const store = storeWith(60);
  await store.open(notificationId, mail, 1);
  await expect(after(100, store)).resolves.toEqual([true, 'all', 'recipient']);
  await fail(store);
  await store.open(notificationId, mail, 2);
  await expect(row()).resolves.not.toHaveProperty('expiresAt');
  await expect(after(100, store)).resolves.toEqual([true, 'all', 'recipient']);
});

test('a notification that is kept for ever has no time to live', async () => {
  const store = storeWith(0);
  await store.open(notificationId, mail, 1);
  await fail(store);
  await expect(row()).resolves.not.toHaveProperty('expiresAt');
  await store.markDelivered(notificationId, 'outbox');
  await expect(row()).resolves.not.toHaveProperty('expiresAt');
  await expect(after(36_500, store)).resolves.toEqual([true, 'all', 'recipient']);
});
