import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { Inbox } from 'baton-dev/testing/inbox';
import { Program } from 'baton-dev/testing/program';
import { read, RunningService } from 'baton-dev/testing/service';

const order = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};

let backends: Backends;
let inbox: Inbox;
let service: RunningService;
let url: string;

function environment(): Record<string, string> {
  return { ...backends.environment, ORDERS_TABLE: `baton-${backends.stage}-orders` };
}

beforeAll(async () => {
  backends = await startBackends(['functions/order-service']);
  inbox = new Inbox(backends.sqs);
  service = await RunningService.start('order-service', environment());
  ({ url } = service);
});
afterAll(async () => {
  await service.program.stop();
  await backends.stop();
});

const post = (body: unknown, headers: Record<string, string> = {}) => service.post('/orders', body, headers);

/** Receives all messages that are in the queue now. */
const queued = (queue = 'orders') => inbox.takeTasks(backends.queueUrls.of(queue));

describe('order-service, with every other service stopped,', () => {
  test('is live and ready', async () => {
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  test('accepts an order: 202, its location, and its task in the queue', async () => {
    const response = await post(order);
    const answer = await read(response);
    expect(response.status).toBe(202);
    expect(answer).toEqual({
      orderId: expect.any(String) as unknown,
      taskId: expect.any(String) as unknown,
      status: 'accepted',
    });
    expect(response.headers.get('location')).toBe(`/orders/${String(answer['orderId'])}`);
    const envelopes = await queued();
    expect(envelopes.find(({ taskId }) => taskId === answer['taskId'])).toMatchObject({
      task: 'orders.process',
      source: 'order-service',
      data: { ...order, orderId: answer['orderId'], priority: 'NORMAL' },
    });
    const found = await fetch(url + String(response.headers.get('location')));
    await expect(read(found)).resolves.toMatchObject({
      ...order,
      orderId: answer['orderId'],
      status: 'accepted',
    });
  });

  test.each([
    ['HIGH', 'orders_high'],
    ['NORMAL', 'orders'],
    ['LOW', 'orders_low'],
  ])('puts the task of a %s order into the lane %s', async (priority, queue) => {
    const { taskId } = await read(await post({ ...order, priority }));
    expect((await queued(queue)).map((each) => each.taskId)).toContain(taskId);
  });

  test("passes the caller's trace on", async () => {
    await queued();
    await post(order, { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` });
    const [envelope] = await queued();
    expect(envelope?.trace?.traceId).toBe('a'.repeat(32));
  });

  test('answers the same key and body with the same order, and sends nothing twice', async () => {
    await queued();
    const key = { 'idempotency-key': '"key 1"' };
    const [first, second] = [await post(order, key), await post(order, key)];
    expect(second.status).toBe(202);
    expect(await read(second)).toEqual(await read(first));
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    await expect(queued()).resolves.toHaveLength(1);
  });

  test('accepts one order from many simultaneous requests with the same key', async () => {
    await queued();
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => post(order, { 'idempotency-key': 'key-2' })),
    );
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 202));
    const bodies = await Promise.all(responses.map(read));
    expect(new Set(bodies.map(({ orderId }) => orderId)).size).toBe(1);
    await expect(queued()).resolves.toHaveLength(1);
  });

  test('refuses the same key with another body: 409', async () => {
    const key = { 'idempotency-key': 'key-3' };
    await post(order, key);
    const response = await post({ ...order, totalAmount: 1 }, key);
    expect(response.status).toBe(409);
    await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:idempotency-key-reused' });
  });

  test('lists orders newest first, page by page', async () => {
    const posted: unknown[] = [];
    for (let index = 0; index < 3; index += 1) posted.unshift((await read(await post(order)))['orderId']);
    const listed: unknown[] = [];
    let cursor = '';
    for (let page = 0; page < 2; page += 1) {
      const answer = await read(await fetch(`${url}/orders?limit=2${cursor && `&cursor=${cursor}`}`));
      listed.push(...(answer['orders'] as { orderId: string }[]).map(({ orderId }) => orderId));
      cursor = answer['nextCursor'] as string;
    }
    expect(listed.slice(0, 3)).toEqual(posted);
    expect(new Set(listed).size).toBe(4);
  });

  test.each([
    ['not JSON', '{"customerId"', {}, 400, 'invalid-json'],
    ['the wrong content type', order, { 'content-type': 'text/plain' }, 415, 'unsupported-content-type'],
    ['a body over 256 KiB', { ...order, customerId: 'c'.repeat(262_144) }, {}, 413, 'body-too-large'],
    ['a broken schema', { ...order, items: [] }, {}, 400, 'invalid-request'],
    ['a member that no order has', { ...order, colour: 'red' }, {}, 400, 'invalid-request'],
    [
      'an order id from the caller',
      { ...order, orderId: '0190c8b2-0000-7000-8000-000000000000' },
      {},
      400,
      'invalid-request',
    ],
    ['a key too long', order, { 'idempotency-key': 'k'.repeat(256) }, 400, 'invalid-request'],
  ])('refuses %s', async (_what, body, headers, status, kind) => {
    const response = await post(body, headers);
    expect(response.status).toBe(status);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    await expect(read(response)).resolves.toMatchObject({ type: `urn:baton:problem:${kind}`, status });
  });

  test('names the path and the fault of a body that breaks the schema', async () => {
    const response = await post({ ...order, items: [{ productId: 'p', quantity: 0 }], currency: 'euro' });
    const { errors } = await read(response);
    expect((errors as { path: string }[]).map(({ path }) => path)).toEqual(['items.0.quantity', 'currency']);
  });

  test.each([
    ['GET', '/orders/0190c8b2-0000-7000-8000-000000000000', 404, 'not-found'],
    ['GET', '/orders/no-such-order', 404, 'not-found'],
    ['GET', '/orders/a/b', 404, 'unknown-route'],
    ['GET', '/order', 404, 'unknown-route'],
    ['DELETE', '/orders', 405, 'method-not-allowed'],
    ['GET', '/orders?cursor=rubbish', 400, 'invalid-cursor'],
    ['GET', '/orders?limit=0', 400, 'invalid-request'],
  ])('answers %s %s with %d %s', async (method, path, status, kind) => {
    const response = await fetch(url + path, { method });
    expect(response.status).toBe(status);
    await expect(read(response)).resolves.toMatchObject({ type: `urn:baton:problem:${kind}` });
    expect(response.headers.get('allow')).toBe(status === 405 ? 'POST, GET, HEAD, OPTIONS' : null);
  });
});

describe('order-service without SQS', () => {
  test('accepts nothing: 503 with Retry-After, no order in the list, and the same key works once SQS is back', async () => {
    const broken = await RunningService.start('order-service', {
      ...environment(),
      AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9',
    });
    const key = { 'idempotency-key': 'key-after-trouble' };
    const before = await service.get('/orders?limit=100');
    const response = await broken.post('/orders', order, key);
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).toBe('5');
    await expect(read(response)).resolves.toMatchObject({ type: 'urn:baton:problem:service-unavailable' });
    await expect(service.get('/orders?limit=100')).resolves.toEqual(before);
    await expect(broken.get('/health/ready')).resolves.toMatchObject({ status: 'unavailable' });
    await broken.program.stop();

    const again = await post(order, key);
    expect(again.status).toBe(202);
  });
});

describe('the start of order-service', () => {
  test.each([
    [
      'variables of the service are wrong',
      {
        QUEUE_URL_PREFIX: 'x',
        LOG_LEVEL: 'loud',
        ORDERS_TABLE: '',
        AWS_REGION: '',
        AWS_ENDPOINT_URL_SQS: 'y',
      },
      [
        'QUEUE_URL_PREFIX held "x": expected a URL',
        'LOG_LEVEL held "loud": expected one of trace, debug, info',
        "ORDERS_TABLE is not set: expected the name of this service's table",
        'AWS_REGION is not set: expected a region of AWS',
        'AWS_ENDPOINT_URL_SQS held "y": expected a URL such as',
      ],
    ],
    ['its port is 0', { PORT: '0' }, ['PORT held "0": expected a whole number from 1 to 65535']],
  ])('is refused when %s, in words without a stack, all at once', async (_what, wrong, says) => {
    const program = new Program('functions/order-service/main.ts', { ...environment(), ...wrong });
    await expect(program.ended()).resolves.toBe(1);
    expect(says.filter((words) => !program.output.includes(words))).toEqual([]);
    expect(program.output).not.toContain('    at ');
  });

  test('is refused when its port is taken', async () => {
    const port = new URL(url).port;
    const program = new Program('functions/order-service/main.ts', { ...environment(), PORT: port });
    await expect(program.ended()).resolves.toBe(1);
    expect(program.output).toContain(`Port ${port} of 127.0.0.1 is taken`);
  });

  // Last, because all tests before it use this process
  test('leads to an end with status 0 at SIGTERM', async () => {
    await expect(service.program.stop()).resolves.toBe(0);
  });
});
