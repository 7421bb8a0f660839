import { randomUUID } from 'node:crypto';
import { GetCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { type CallerName, CALLERS, Callers } from 'baton-dev/testing/callers';
import { eventually } from 'baton-dev/testing/eventually';
import { read } from 'baton-dev/testing/service';
import { Retention } from 'baton-tasks/http';
import { createLogger } from 'baton-tasks/service';
import { OrderStore } from '../store.ts';

const order = {
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};
/** A row as 0.1.0 wrote it. */
const OLD_ID = '0190c8b2-0000-7000-8000-000000000000';

let backends: Backends;
let table: string;
let callers: Callers;
/** An order of each caller. */
const placed: Partial<Record<CallerName, string>> = {};

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  table = `baton-${backends.stage}-orders`;
  callers = await Callers.start('order-service', { ...backends.environment, ORDERS_TABLE: table });
  for (const caller of ['customer A', 'customer B', 'operator', 'off'] as const)
    placed[caller] = await place(caller, caller === 'off' ? { customerId: 'c-1' } : {});
  const Item = {
    ...order,
    orderId: OLD_ID,
    customerId: 'customer A',
    status: 'completed',
    listedIn: 'orders',
    listedAt: `2026-11-29T12:00:00.000Z#${OLD_ID}`,
  };
  await backends.documents.send(new PutCommand({ TableName: table, Item }));
});
afterAll(async () => {
  await callers.stop();
  await backends.stop();
});

/** Places an order. Resolves to its id. */
async function place(caller: CallerName, more: Record<string, unknown> = {}): Promise<string> {
  const response = await callers.ask(caller, 'POST /orders', { ...order, ...more });
  expect(response.status).toBe(202);
  return (await read(response))['orderId'] as string;
}

/** The orders that a caller is shown, page by page. */
async function listed(caller: CallerName): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const path: string = `GET /orders?limit=2${cursor && `&cursor=${cursor}`}`;
    const page: Record<string, unknown> = await read(await callers.ask(caller, path));
    ids.push(...(page['orders'] as { orderId: string }[]).map(({ orderId }) => orderId));
    cursor = page['nextCursor'] as string | null;
  }
  return ids;
}

const found = async (caller: CallerName, orderId: string) =>
  read(await callers.ask(caller, `GET /orders/${orderId}`));

/** Writes the row of an order of customer A. Resolves to its id. */
async function ordered(status: string): Promise<string> {
  const orderId = randomUUID();
  const listedAt = `2026-11-30T12:00:00.000Z#${orderId}`;
  const known = { taskId: 't-1', status, taskToken: 3, failure: 'customer@example.com is unknown' };
  const Item = {
    ...order,
    ...known,
    orderId,
    owner: 'customer A',
    customerId: 'c-1',
    listedIn: 'orders',
    listedAt,
  };
  await backends.documents.send(new PutCommand({ TableName: table, Item }));
  return orderId;
}

describe('who may do what with orders', () => {
  const own = { ...order, customerId: 'customer A' };
  // prettier-ignore
  test.each([
    // route           whose, or what               no token, A,   B,   operator, no scopes, authentication off
    ['POST /orders',   'without a customer', order,    [401, 202, 202, 202,      202,       400]],
    ['POST /orders',   'for customer A',     own,      [401, 202, 403, 202,      403,       202]],
    ['GET /orders',    'any',                undefined, [401, 200, 200, 200,     200,       200]],
    ['GET /orders/ID', 'customer A',         undefined, [401, 200, 404, 200,     404,       200]],
    ['GET /orders/ID', 'customer B',         undefined, [401, 404, 200, 200,     404,       200]],
    ['GET /orders/ID', 'operator',           undefined, [401, 404, 404, 200,     404,       200]],
    ['GET /orders/ID', 'off',                undefined, [401, 404, 404, 200,     404,       200]],
  ] as const)('%s, %s', async (route, whose, body, statuses) => {
    const path = route.replace('ID', placed[whose as CallerName] ?? '');
    await expect(callers.statuses(path, body)).resolves.toEqual(statuses);
  });

  test('DELETE /orders/ID, customer A', async () => {
    const answers: number[] = [];
    for (const caller of CALLERS)
      answers.push((await callers.ask(caller, `DELETE /orders/${await ordered('completed')}`)).status);
    expect(answers).toEqual([401, 204, 404, 204, 404, 204]);
  });

  test("a list shows a customer his own orders, and an operator everybody's", async () => {
    const ofA = await place('customer A');
    await eventually('the list', async () => (await listed('operator')).includes(ofA));
    const seenByA = await listed('customer A');
    expect(seenByA[0]).toBe(ofA);
    expect(seenByA).toContain(placed['customer A']);
    const seenByB = await listed('customer B');
    expect(seenByB).toContain(placed['customer B']);
    expect(seenByA.filter((orderId) => seenByB.includes(orderId))).toEqual([]);
    const all = await listed('operator');
    expect(all).toEqual(expect.arrayContaining([...seenByA, ...seenByB, ...Object.values(placed), OLD_ID]));
    await expect(listed('off')).resolves.toEqual(all);
  });

  test("a cursor of somebody else's list shows nothing of it", async () => {
    const page = await read(await callers.ask('operator', 'GET /orders?limit=1'));
    const response = await callers.ask('no scopes', `GET /orders?cursor=${String(page['nextCursor'])}`);
    const { orders } = await read(response);
    const seen = await listed('no scopes');
    expect((orders as { orderId: string }[]).filter(({ orderId }) => !seen.includes(orderId))).toEqual([]);
  });

  test('the order of another customer gets the same answer as an order that does not exist', async () => {
    const unknown = '0190c8b2-0000-7000-8000-00000000ffff';
    const [others, none] = await Promise.all([
      found('customer B', placed['customer A'] ?? ''),
      found('customer B', unknown),
    ]);
    const words = (problem: Record<string, unknown>) =>
      JSON.stringify({ ...problem, requestId: '' }).replaceAll(/[\da-f]{8}-[\da-f-]{27}/g, 'ID');
    expect(words(others)).toBe(words(none));
  });

  test("the key of one's request tells another caller nothing, and gives him no order of the first", async () => {
    const key = { 'idempotency-key': 'key-of-a' };
    const forB = { ...order, customerId: 'customer B' };
    const ofA = await read(await callers.ask('customer A', 'POST /orders', order, key));
    for (const [caller, body] of [
      ['customer B', order],
      ['operator', { ...order, customerId: 'customer A' }],
      ['no scopes', { ...order, totalAmount: 1 }],
    ] as const) {
      const response = await callers.ask(caller, 'POST /orders', body, key);
      expect(response.status).toBe(202);
      expect((await read(response))['orderId']).not.toBe(ofA['orderId']);
    }
    await expect(read(await callers.ask('customer A', 'POST /orders', order, key))).resolves.toEqual(ofA);
    // Now the other way round: B has used the key that A will use
    const squatted = { 'idempotency-key': 'key-to-come' };
    expect((await callers.ask('customer B', 'POST /orders', forB, squatted)).status).toBe(202);
    expect((await callers.ask('customer A', 'POST /orders', order, squatted)).status).toBe(202);
  });

  test('the record of a key is no order, in no list and for nobody', async () => {
    const key = { 'idempotency-key': 'key-record' };
    await callers.ask('customer A', 'POST /orders', order, key);
    const { Items = [] } = await backends.documents.send(new ScanCommand({ TableName: table }));
    const records = Items.map(({ orderId }) => orderId as string).filter((id) => id.startsWith('key#'));
    expect(records).not.toEqual([]);
    for (const id of records)
      await expect(callers.statuses(`GET /orders/${encodeURIComponent(id)}`)).resolves.toEqual([
        401, 404, 404, 404, 404, 404,
      ]);
    for (const caller of ['customer A', 'operator'] as const)
      expect((await listed(caller)).filter((id) => id.startsWith('key#'))).toEqual([]);
  });

  test('the customer is the caller, unless an operator names another', async () => {
    await expect(found('customer A', placed['customer A'] ?? '')).resolves.toMatchObject({
      customerId: 'customer A',
    });
    const forA = await place('operator', { customerId: 'customer A' });
    await expect(found('operator', forA)).resolves.toMatchObject({ customerId: 'customer A' });
  });

  test('a customer who names another as the customer is told so: 403', async () => {
    const response = await callers.ask('customer B', 'POST /orders', { ...order, customerId: 'customer A' });
    expect(response.headers.get('www-authenticate')).toContain('insufficient_scope');
    await expect(read(response)).resolves.toMatchObject({
      type: 'urn:baton:problem:forbidden',
      detail: expect.stringContaining('expected "customer B"') as unknown,
    });
  });

  test('an order of 0.1.0 belongs to nobody: only an operator sees it', async () => {
    await expect(callers.statuses(`GET /orders/${OLD_ID}`)).resolves.toEqual([401, 404, 404, 200, 404, 200]);
  });
});

describe('a deleted order', () => {
  const row = async (orderId: string) =>
    (await backends.documents.send(new GetCommand({ TableName: table, Key: { orderId } }))).Item ?? {};

  test('leaves nothing of the customer: only ids, tokens, a digest, and who deleted it', async () => {
    const orderId = await ordered('failed');
    const response = await callers.ask('operator', `DELETE /orders/${orderId}`);
    expect([response.status, await response.text()]).toEqual([204, '']);
    const left = await row(orderId);
    expect(left).toEqual({
      orderId,
      taskId: 't-1',
      taskToken: 3,
      status: 'deleted',
      deletedAt: expect.any(String) as unknown,
      deletedBy: 'operator',
      expiresAt: expect.any(Number) as unknown,
    });
    await expect(callers.statuses(`GET /orders/${orderId}`)).resolves.toEqual([401, 404, 404, 404, 404, 404]);
    await expect(callers.statuses(`DELETE /orders/${orderId}`)).resolves.toEqual([
      401, 404, 404, 404, 404, 404,
    ]);
    await eventually('the list', async () => !(await listed('operator')).includes(orderId));
  });

  test('is not brought back by late messages, or by its task when that is put back', async () => {
    const orderId = await ordered('completed');
    await callers.ask('customer A', `DELETE /orders/${orderId}`);
    const before = await row(orderId);
    const { documents } = backends;
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const retention = new Retention({ documents, days: 400 });
    const store = new OrderStore({ documents, table, logger, retention });
    const at = '2026-11-30T12:00:00.000Z';
    await expect(store.record({ orderId, status: 'processing', at, token: 9 })).resolves.toBe('overtaken');
    for (const task of ['orders.process', 'notifications.send']) {
      const end = {
        taskId: 't-9',
        task,
        state: 'dead',
        token: 9,
        attempts: 1,
        at,
        subject: orderId,
      } as const;
      await expect(store.recordEnd(orderId, end)).resolves.toBe('overtaken');
    }
    await expect(row(orderId)).resolves.toEqual(before);
  });

  test('is not placed again by a repeat of its request', async () => {
    const key = { 'idempotency-key': 'key-of-deleted' };
    const answer = await read(await callers.ask('customer A', 'POST /orders', order, key));
    const orderId = answer['orderId'] as string;
    const Item = { ...(await row(orderId)), status: 'completed' };
    await backends.documents.send(new PutCommand({ TableName: table, Item }));
    expect((await callers.ask('customer A', `DELETE /orders/${orderId}`)).status).toBe(204);
    await expect(read(await callers.ask('customer A', 'POST /orders', order, key))).resolves.toEqual(answer);
    expect((await callers.ask('customer A', `GET /orders/${orderId}`)).status).toBe(404);
  });

  test.each(['accepted', 'processing'])('has ended: one that is %s is kept, 409', async (status) => {
    const orderId = await ordered(status);
    const response = await callers.ask('customer A', `DELETE /orders/${orderId}`);
    expect(response.status).toBe(409);
    await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:task-not-ended' });
    expect((await callers.ask('customer A', `GET /orders/${orderId}`)).status).toBe(200);
  });
});
