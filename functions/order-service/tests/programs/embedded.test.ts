import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { ask, READY, startRuntime } from 'baton-dev/testing/embedded-runtime';
import { eventually } from 'baton-dev/testing/eventually';
import { freePorts, type Program } from 'baton-dev/testing/program';

const order = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};

let runtime: Program;
let url: string;

beforeAll(async () => {
  const ports = await freePorts();
  url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  runtime = startRuntime(ports);
  await runtime.says(READY);
}, 40_000);
afterAll(() => runtime.stop());

function whenOrder(path: string, status: string): Promise<Record<string, unknown>> {
  return eventually(`the order ${status}`, async () => {
    const { body } = await ask(url, ['GET', path]);
    return body['status'] === status && body;
  });
}

describe('the embedded runtime with the demo', () => {
  test('takes an order from the post to the notification', async () => {
    const posted = await ask(url, ['POST', '/orders'], order);
    expect(posted.status).toBe(202);
    const completed = await whenOrder(String(posted.headers.get('location')), 'completed');
    expect(completed).toMatchObject({
      ...order,
      units: 2,
      confirmationNumber: expect.stringMatching(/^B-[0-9A-Z]{10}$/) as unknown,
      notification: { status: expect.stringMatching(/^(requested|delivered)$/) as unknown },
    });
    const { notificationId } = completed['notification'] as { notificationId: string };
    await eventually('the order says that its mail was delivered', async () => {
      const { body } = await ask(url, ['GET', String(posted.headers.get('location'))]);
      return (body['notification'] as { status: string }).status === 'delivered';
    });
    // A failed attempt would run again
    expect(runtime.output).not.toContain('invocation failed');
    const notification = await eventually('the notification delivered', async () => {
      const { body } = await ask(url, ['GET', `/notifications/${notificationId}`]);
      return body['status'] === 'delivered' && body;
    });
    expect(notification).toMatchObject({
      channel: 'EMAIL',
      recipient: order.customerEmail,
      deliveredBy: 'outbox',
    });
    expect(notification['message']).toContain('2 units for EUR 42.00');
    const { body } = await ask(url, ['GET', `/notifications?recipient=${order.customerEmail}`]);
    expect(body['notifications']).toContainEqual(notification);
  });

  test('shows an order that cannot be processed as failed, and why', async () => {
    const items = Array.from({ length: 11 }, (_, index) => ({ productId: `p-${index}`, quantity: 10_000 }));
    const posted = await ask(url, ['POST', '/orders'], { ...order, items });
    const failed = await whenOrder(String(posted.headers.get('location')), 'failed');
    expect(failed).toMatchObject({ failure: expect.stringContaining('110000 units') as unknown });
    expect(failed).not.toHaveProperty('notification');
  });

  test('delivers a notification that a caller posts', async () => {
    const posted = await ask(url, ['POST', '/notifications'], {
      channel: 'SMS',
      recipient: '+49 30 901820',
      message: 'Hello',
    });
    expect(posted.status).toBe(202);
    await eventually('the notification delivered', async () => {
      const { body } = await ask(url, ['GET', String(posted.headers.get('location'))]);
      return body['status'] === 'delivered';
    });
  });

  test("carries the caller's trace through the worker to the services", async () => {
    const traceId = randomBytes(16).toString('hex');
    await ask(url, ['POST', '/orders'], order, { traceparent: `00-${traceId}-${'1'.repeat(16)}-01` });
    const services = (): Set<unknown> => {
      const lines = runtime.lines.filter((line) => line['traceId'] === traceId);
      return new Set(lines.map(({ service }) => service));
    };
    await eventually('log lines of all three', () => services().size === 3);
    expect(services()).toEqual(new Set(['order-service', 'worker', 'notification-service']));
  });

  test.each([
    ['POST', '/orders', '{"customerId"', {}, 400, 'invalid-json'],
    ['POST', '/orders', order, { 'content-type': 'text/plain' }, 415, 'unsupported-content-type'],
    ['POST', '/orders', { ...order, customerId: 'c'.repeat(262_144) }, {}, 413, 'body-too-large'],
    ['POST', '/orders', {}, {}, 400, 'invalid-request'],
    ['POST', '/notifications', {}, {}, 400, 'invalid-request'],
    ['GET', '/orders/no-such-order', undefined, {}, 404, 'not-found'],
    ['GET', '/orders/a/b/c', undefined, {}, 404, 'unknown-route'],
    ['DELETE', '/orders', undefined, {}, 405, 'method-not-allowed'],
    ['GET', '/orders?cursor=rubbish', undefined, {}, 400, 'invalid-cursor'],
  ])('answers %s %s with a problem, too', async (method, path, body, headers, status, kind) => {
    const answer = await ask(url, [method, path], body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:baton:problem:${kind}` });
  });

  test('with --hostile delivers messages twice, and every order gets its mail', async () => {
    const own = await freePorts();
    const given = { AWS_ENDPOINT_URL_SQS: '', SQS_SEED: '7', SQS_HOSTILE: 'false' };
    const hostile = startRuntime({ ...own, ...given }, ['--hostile']);
    await hostile.says(READY);
    const headers = { 'content-type': 'application/json' };
    const base = `http://127.0.0.1:${own['HTTP_PORT']}`;
    const post = () => fetch(`${base}/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
    const posted = await Promise.all(Array.from({ length: 5 }, post));
    expect(posted.map(({ status }) => status)).toEqual(posted.map(() => 202));
    await eventually('every order to have its mail', async () => {
      const response = await fetch(`${base}/notifications?recipient=${order.customerEmail}`);
      const { notifications } = (await response.json()) as { notifications: { status: string }[] };
      return notifications.filter(({ status }) => status === 'delivered').length === posted.length;
    });
    await hostile.stop();
  });
});
