import { randomUUID } from 'node:crypto';
import { PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Retention } from 'baton-tasks/http';
import { listSchema, pageOf, PaymentStore } from '../payment-list/store.ts';

let backends: Backends;

beforeAll(async () => {
  backends = await startBackends(['examples/payment-list']);
});
afterAll(() => backends.stop());

test('the list of the guide is newest first, goes page by page, and leaves out what is over', async () => {
  const TableName = `baton-${backends.stage}-payments`;
  const { documents } = backends;
  const payments = new PaymentStore(documents, TableName, new Retention({ documents, days: 400 }));
  const ids = [1, 2, 3].map(() => randomUUID());
  for (const [index, paymentId] of ids.entries()) {
    const Item = {
      paymentId,
      listedIn: 'payments',
      listedAt: `2026-11-2${index}T10:00:00.000Z#${paymentId}`,
    };
    await backends.documents.send(new PutCommand({ TableName, Item }));
  }
  // Not accepted yet, so not in the list
  await backends.documents.send(new PutCommand({ TableName, Item: { paymentId: randomUUID() } }));
  const over = { paymentId: randomUUID(), listedIn: 'payments', listedAt: '2026-11-19', expiresAt: 1 };
  await documents.send(new PutCommand({ TableName, Item: over }));
  const { body: first } = await pageOf(payments, listSchema.parse({ limit: '2' }));
  const { body: second } = await pageOf(payments, listSchema.parse({ limit: '2', cursor: first.nextCursor }));
  const listed = [...first.payments, ...second.payments].map(({ paymentId }) => paymentId);
  expect(listed).toEqual(ids.toReversed());
});
