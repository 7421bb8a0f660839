import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, freePorts, Program } from 'baton-dev/testing/program';

const SERVERLESS = 'node_modules/serverless/bin/serverless.js';

const order = {
  customerId: 'c-1',
  customerEmail: 'customer@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 4200,
  currency: 'EUR',
};

let runtime: Program;
let url: string;
let ports: Record<string, string>;
/** Where Serverless keeps the code that it checks serverless.yml by. */
let schemas: string;

/** `serverless offline`, on ports of its own; on the SQS and DynamoDB that the environment names, if it does. */
function startRuntime(environment: Record<string, string>, options: readonly string[] = []): Program {
  const given = ['AWS_ENDPOINT_URL_SQS', 'AWS_ENDPOINT_URL_DYNAMODB', 'AWS_REGION'].flatMap((name) => {
    const value = process.env[name];
    return value ? [[name, value]] : [];
  });
  const stage = `test-${randomBytes(4).toString('hex')}`;
  return new Program(SERVERLESS, { ...Object.fromEntries(given), ...environment }, [
    'offline',
    '--stage',
    stage,
    ...options,
  ]);
}

beforeAll(async () => {
  ports = await freePorts();
  url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  schemas = mkdtempSync(join(tmpdir(), 'baton-schemas-'));
  runtime = startRuntime({ ...ports, SLS_SCHEMA_CACHE_BASE_DIR: schemas });
  await runtime.says('Try this');
}, 40_000);
afterAll(async () => {
  await runtime.stop();
  rmSync(schemas, { recursive: true });
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const init = {
    method,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
  };
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(url + path, body === undefined ? init : { ...init, body: text });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

function whenOrder(path: string, status: string): Promise<Record<string, unknown>> {
  return eventually(`the order ${status}`, async () => {
    const { body } = await ask('GET', path);
    return body['status'] === status && body;
  });
}

describe('the embedded runtime', () => {
  test('starts without the check of serverless.yml, which would take most of the time', () => {
    expect(readdirSync(schemas)).toEqual([]);
  });

  test('takes an order from the post to the notification', async () => {
    const posted = await ask('POST', '/orders', order);
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
      const { body } = await ask('GET', String(posted.headers.get('location')));
      return (body['notification'] as { status: string }).status === 'delivered';
    });
    // What failed would be done once more
    expect(runtime.output).not.toContain('invocation failed');
    const notification = await eventually('the notification delivered', async () => {
      const { body } = await ask('GET', `/notifications/${notificationId}`);
      return body['status'] === 'delivered' && body;
    });
    expect(notification).toMatchObject({
      channel: 'EMAIL',
      recipient: order.customerEmail,
      deliveredBy: 'outbox',
    });
    expect(notification['message']).toContain('2 units for EUR 42.00');
    const { body } = await ask('GET', `/notifications?recipient=${order.customerEmail}`);
    expect(body['notifications']).toContainEqual(notification);
  });

  test('says of an order that cannot be processed that it failed, and why', async () => {
    const items = Array.from({ length: 11 }, (_, index) => ({ productId: `p-${index}`, quantity: 10_000 }));
    const posted = await ask('POST', '/orders', { ...order, items });
    const failed = await whenOrder(String(posted.headers.get('location')), 'failed');
    expect(failed).toMatchObject({ failure: expect.stringContaining('110000 units') as unknown });
    expect(failed).not.toHaveProperty('notification');
  });

  test('delivers a notification that a caller posts', async () => {
    const posted = await ask('POST', '/notifications', {
      channel: 'SMS',
      recipient: '+49 30 901820',
      message: 'Hello',
    });
    expect(posted.status).toBe(202);
    await eventually('the notification delivered', async () => {
      const { body } = await ask('GET', String(posted.headers.get('location')));
      return body['status'] === 'delivered';
    });
  });

  test("carries the caller's trace through the worker to the services", async () => {
    const traceId = randomBytes(16).toString('hex');
    await ask('POST', '/orders', order, { traceparent: `00-${traceId}-${'1'.repeat(16)}-01` });
    const services = (): Set<unknown> => {
      const lines = runtime.lines.filter((line) => line['traceId'] === traceId);
      return new Set(lines.map(({ service }) => service));
    };
    await eventually('log lines of all three', () => services().size === 3);
    expect(services()).toEqual(new Set(['order-service', 'worker', 'notification-service']));
  });

  test('lists the tracked tasks', async () => {
    const { status, body } = await ask('GET', '/tasks?limit=1');
    expect([status, Array.isArray(body['tasks'])]).toEqual([200, true]);
  });

  test.each([
    ['POST', '/orders', '{"customerId"', {}, 400, 'invalid-json'],
    ['POST', '/orders', order, { 'content-type': 'text/plain' }, 415, 'unsupported-content-type'],
    ['POST', '/orders', { ...order, customerId: 'c'.repeat(262_144) }, {}, 413, 'body-too-large'],
    ['POST', '/orders', {}, {}, 400, 'invalid-request'],
    ['POST', '/notifications', {}, {}, 400, 'invalid-request'],
    ['GET', '/orders/no-such-order', undefined, {}, 404, 'not-found'],
    ['GET', '/tasks/no-such-task', undefined, {}, 404, 'not-found'],
    ['GET', '/orders/a/b/c', undefined, {}, 404, 'unknown-route'],
    ['GET', '/nothing/here', undefined, {}, 404, 'unknown-route'],
    ['DELETE', '/orders', undefined, {}, 405, 'method-not-allowed'],
    ['GET', '/orders?cursor=rubbish', undefined, {}, 400, 'invalid-cursor'],
  ])('answers %s %s with a problem, too', async (method, path, body, headers, status, kind) => {
    const answer = await ask(method, path, body, headers);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ type: `urn:baton:problem:${kind}` });
  });

  test('listens at 127.0.0.1 only', async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((each) => each ?? [])
      .filter(({ family, internal }) => family === 'IPv4' && !internal);
    const open = addresses.flatMap(({ address }) =>
      Object.entries(ports).map(async ([name, port]) => ((await answersAt(address, port)) ? [name] : [])),
    );
    expect((await Promise.all(open)).flat()).toEqual([]);
    await expect(answersAt('127.0.0.1', ports['HTTP_PORT'] ?? '')).resolves.toBe(true);
  });
});

function answersAt(host: string, port: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(Number(port), host);
  socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
  return promise.finally(() => socket.destroy());
}

/** Whether an SQS delivers one of 20 messages again although it is hidden. */
async function secondDelivery(endpoint: string): Promise<boolean> {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const sqs = new SQSClient({ endpoint, credentials, region: 'us-east-1', useQueueUrlAsEndpoint: false });
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: 'twice' }));
  for (let sent = 0; sent < 20; sent += 1)
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  let received = 0;
  const twice = await eventually('more deliveries than messages', async () => {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl }));
    received += Messages.length;
    return received > 20;
  });
  sqs.destroy();
  return twice;
}

describe('a start of the embedded runtime', () => {
  test('says of each port why it cannot be had, and which variable changes it', async () => {
    const taken = ports['HTTP_PORT'] ?? '';
    const twice = await freePort();
    const second = startRuntime({
      ...(await freePorts()),
      HTTP_PORT: taken,
      LAMBDA_PORT: String(twice),
      SQS_PORT: String(twice),
    });
    await expect(second.ended()).resolves.not.toBe(0);
    expect(second.output).toContain(
      `Port ${taken} is taken by another program; set HTTP_PORT to a free one.\n`,
    );
    expect(second.output).toContain(
      `SQS_PORT and LAMBDA_PORT are both ${twice}; each needs a port of its own.`,
    );
    expect(second.output).not.toContain('    at ');
  });

  test.each([
    ['HTTP_PORT', 'abc', 'HTTP_PORT held "abc": expected a whole number from 1 to 65535'],
    ['WORKER_CONCURRENCY', '0', 'WORKER_CONCURRENCY held "0": expected a whole number from 1 to 1000'],
  ])('stops when %s is %j', async (name, value, says) => {
    const wrong = startRuntime({ ...(await freePorts()), [name]: value });
    await expect(wrong.ended()).resolves.not.toBe(0);
    expect(wrong.output).toContain(says);
    expect(wrong.output).not.toContain('    at ');
  });

  test('with --hostile has an SQS that delivers messages twice, and every order gets its mail', async () => {
    const own = await freePorts();
    const given = { AWS_ENDPOINT_URL_SQS: '', SQS_SEED: '7', SQS_HOSTILE: 'false' };
    const hostile = startRuntime({ ...own, ...given }, ['--hostile']);
    await hostile.says('Try this');
    const sqs = `http://127.0.0.1:${own['SQS_PORT']}`;
    expect(hostile.output).toContain(`${sqs}  hostile, SQS_SEED=7`);
    const headers = { 'content-type': 'application/json' };
    const base = `http://127.0.0.1:${own['HTTP_PORT']}`;
    const post = () => fetch(`${base}/orders`, { method: 'POST', headers, body: JSON.stringify(order) });
    const posted = await Promise.all(Array.from({ length: 5 }, post));
    expect(posted.map(({ status }) => status)).toEqual(posted.map(() => 202));
    await expect(secondDelivery(sqs)).resolves.toBe(true);
    await eventually('every order to have its mail', async () => {
      const response = await fetch(`${base}/notifications?recipient=${order.customerEmail}`);
      const { notifications } = (await response.json()) as { notifications: { status: string }[] };
      return notifications.filter(({ status }) => status === 'delivered').length === posted.length;
    });
    await hostile.stop();
  });

  test('ends at SIGINT with status 0, and frees its ports', async () => {
    const own = await freePorts();
    const program = startRuntime(own);
    await program.says('Try this');
    await expect(program.stop('SIGINT')).resolves.toBe(0);
    await expect(fetch(`http://127.0.0.1:${own['HTTP_PORT']}/orders`)).rejects.toThrow('fetch failed');
  });
});

// The last of all: it stops what the others ask
test('the embedded runtime ends at SIGTERM with status 0, and frees its ports', async () => {
  await expect(runtime.stop('SIGTERM')).resolves.toBe(0);
  await expect(fetch(`${url}/orders`)).rejects.toThrow('fetch failed');
});
