import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { partFolders } from 'baton-dev/stack/part';
import { healthCheck } from '@baton/common/contracts/health';
import { encodeEnvelope, TaskClient } from 'baton-tasks/tooling';
import type { SQSBatchResponse } from 'aws-lambda';
import { EventSource } from 'baton-dev/testing/event-source';
import { BackendNetwork } from './backend-network.ts';
import { Container } from './container.ts';
import { docker } from './docker.ts';
import { buildImage, imageFolders } from './image.ts';
import { LABEL_ARGS, LABELLED, labelsOf } from './labels.ts';
import { EmulatedFunction, missingForLambdaEmulator } from './lambda-emulator.ts';

const missing = await missingForLambdaEmulator();
if (missing !== undefined) {
  if (process.env['CI']) throw new Error(`AWS's emulator of the Lambda runtime interface needs ${missing}`);
  process.stdout.write(
    `Skipped: functions under AWS's emulator of their runtime interface need ${missing}\n`,
  );
}
const describeFunctions = missing === undefined ? describe : describe.skip;

const services = imageFolders.filter((folder) => folder !== 'worker');
/** The bundles of what a function may be asked for, and their maps. */
const ALLOWED = /^\/var\/task(\/(api|handlers|lambda)\.mjs(\.map)?)?$/;
const RUNTIME = ['LICENSE', 'NOTICE', 'THIRD-PARTY-LICENSES', 'index.mjs', 'rapid-client.node'];

const order = {
  customerId: 'c-1',
  customerEmail: 'ada@example.com',
  items: [{ productId: 'p-1', quantity: 2 }],
  totalAmount: 2100,
  currency: 'EUR',
};

/** A task that is not to be run before the next hour. */
const laterTask = encodeEnvelope({
  taskId: 'later',
  task: 'tests.later',
  source: 'tests',
  time: new Date().toISOString(),
  trace: undefined,
  notBefore: new Date(Date.now() + 3_600_000).toISOString(),
  data: {},
});

const tagOf = (folder: string): string => `baton-img-lambda-${folder.replace('/', '-')}`;

describeFunctions('as functions', () => {
  let network: BackendNetwork;
  const containers: Container[] = [];

  beforeAll(async () => {
    network = await BackendNetwork.start(partFolders());
    for (const folder of imageFolders)
      await buildImage({ folder, tag: tagOf(folder), target: 'lambda', args: LABEL_ARGS });
  });
  afterEach(async () => {
    await Promise.all(containers.splice(0).map((container) => container.remove()));
  });
  afterAll(() => network.stop());

  async function start(
    folder: string,
    handler?: string,
    changes: Record<string, string> = {},
  ): Promise<EmulatedFunction> {
    const environment = { ...network.environmentOf(folder), ...changes };
    const started = await EmulatedFunction.start(tagOf(folder), environment, network.options, handler);
    containers.push(started.container);
    return started;
  }

  /** Does what Lambda's event source does, with a function that runs in a container. */
  function sourceOf(queue: string, fn: EmulatedFunction): EventSource {
    return new EventSource(network.backends, queue, async (event) => {
      const answer = await fn.invoke(event);
      if (!('batchItemFailures' in answer)) throw new Error(JSON.stringify(answer));
      return answer as unknown as SQSBatchResponse;
    });
  }

  test.each(services)('%s answers an HTTP event', async (folder) => {
    const api = await start(folder);
    const answer = await api.invoke(httpEvent('GET', '/nothing/here'));
    expect(answer).toMatchObject({
      statusCode: 404,
      headers: { 'content-type': 'application/problem+json' },
    });
    expect(JSON.parse(String(answer['body']))).toMatchObject({ status: 404 });
  });

  test('an order is posted, processed, recorded and notified by the four images alone', async () => {
    const [api, worker, outcomes, deliveries, notifications] = await Promise.all([
      start('functions/order-service'),
      start('worker'),
      start('functions/order-service', 'handlers.orderOutcomes'),
      start('functions/notification-service', 'handlers.deliveries'),
      start('functions/notification-service'),
    ]);
    const posted = await api.invoke(httpEvent('POST', '/orders', order));
    expect(posted).toMatchObject({ statusCode: 202 });
    const { orderId } = JSON.parse(String(posted['body'])) as { orderId: string };
    await expect(sourceOf('orders', worker).invoke(1)).resolves.toEqual({ received: 1, failed: 0 });
    await expect(sourceOf('order-outcomes', outcomes).invoke(2)).resolves.toEqual({ received: 2, failed: 0 });
    await expect(sourceOf('notifications', deliveries).invoke(1)).resolves.toEqual({
      received: 1,
      failed: 0,
    });
    const seen = bodyOf(await api.invoke(httpEvent('GET', `/orders/${orderId}`)));
    expect(seen).toMatchObject({
      orderId,
      status: 'completed',
      notification: { notificationId: expect.any(String) },
    });
    const { notificationId } = seen['notification'] as { notificationId: string };
    const sent = await notifications.invoke(httpEvent('GET', `/notifications/${notificationId}`));
    expect(bodyOf(sent)).toMatchObject({ notificationId, status: 'delivered' });
  });

  test('of a batch the messages that failed are named, and no others', async () => {
    const worker = sourceOf('default', await start('worker'));
    const { sqs, queueUrls } = network.backends;
    const tasks = new TaskClient({ sqs, queueUrls, source: 'tests' });
    await tasks.send(healthCheck, {});
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrls.of('default'), MessageBody: laterTask }));
    await tasks.send(healthCheck, {});
    await expect(worker.invoke(3)).resolves.toEqual({ received: 3, failed: 1 });
    await worker.hurry();
    await expect(worker.invoke(1)).resolves.toEqual({ received: 1, failed: 1 });
  });

  test('a function finds its handler by its command alone, whatever else Lambda says', async () => {
    // Started as itself, with nobody at the other end: it comes as far as the handler's own start
    const environment = { AWS_LAMBDA_RUNTIME_API: '127.0.0.1:9', _HANDLER: 'none.none' };
    const container = await Container.start({ image: tagOf('worker'), environment, ports: [] });
    containers.push(container);
    await container.ended();
    await expect(container.output()).resolves.toContain('QUEUE_URL_PREFIX is not set');
  });

  test('a missing variable is named in the log of a function that cannot start', async () => {
    const api = await start('functions/order-service', undefined, { ORDERS_TABLE: '' });
    await expect(api.invoke(httpEvent('GET', '/orders'))).rejects.toThrow('502');
    await expect(api.container.output()).resolves.toContain('ORDERS_TABLE is not set');
  });

  test.each(imageFolders)(
    "the image of %s carries its bundles, AWS's client, and no packages",
    async (folder) => {
      const found = await docker(
        'run',
        '--rm',
        '--network=none',
        '--entrypoint=find',
        tagOf(folder),
        '/var/task',
        '/runtime',
      );
      const paths = found.split('\n');
      expect(paths.filter((path) => path.startsWith('/var/task') && !ALLOWED.test(path))).toEqual([]);
      const runtime = paths
        .filter((path) => path.startsWith('/runtime/'))
        .map((path) => path.slice('/runtime/'.length));
      expect(runtime.toSorted()).toEqual(RUNTIME);
      await expect(labelsOf(tagOf(folder))).resolves.toMatchObject({
        ...LABELLED,
        'org.opencontainers.image.title': `${folder.split('/').at(-1)}, as a function`,
      });
    },
  );
});

function bodyOf(answer: Record<string, unknown>): Record<string, unknown> {
  return JSON.parse(String(answer['body'])) as Record<string, unknown>;
}

/** A request as an HTTP API of API Gateway hands it on, in payload format 2.0. */
function httpEvent(method: string, path: string, body?: unknown): Record<string, unknown> {
  return {
    version: '2.0',
    routeKey: `ANY ${path}`,
    rawPath: path,
    rawQueryString: '',
    headers: { 'content-type': 'application/json', host: 'abc123.execute-api.us-east-1.amazonaws.com' },
    requestContext: {
      accountId: '000000000000',
      apiId: 'abc123',
      domainName: 'abc123.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'abc123',
      http: { method, path, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'tests' },
      requestId: randomUUID(),
      routeKey: `ANY ${path}`,
      stage: '$default',
      time: '24/Nov/2026:00:00:00 +0000',
      timeEpoch: 1_795_478_400_000,
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    isBase64Encoded: false,
  };
}
