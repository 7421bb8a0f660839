import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { ReceiveMessageCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { eventually } from 'baton-dev/testing/eventually';
import { MailServer } from '@baton/notification-service/tests/mail-server';
import { freePort, freePorts, Program } from 'baton-dev/testing/program';

const PATIENCE_MS = 40_000;
const stage = `test-${randomBytes(4).toString('hex')}`;

let ports: Record<string, string>;
let runtime: Program;
let workers: Program[];
let mails: MailServer;
let sqs: SQSClient;
let queueUrlPrefix: string;

// The whole system, but its worker leaves orders to the workers of each test
beforeAll(async () => {
  ports = await freePorts();
  const args = ['offline', '--stage', stage];
  const program = 'node_modules/serverless/bin/serverless.js';
  mails = await MailServer.start();
  const environment = { ...ports, WORKER_QUEUES: 'default', SMTP_URL: mails.url };
  runtime = new Program(program, environment, args);
  await runtime.says('Try this', PATIENCE_MS);
  const endpoint = `http://127.0.0.1:${ports['SQS_PORT']}`;
  queueUrlPrefix = `${endpoint}/000000000000/baton-${stage}-`;
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  sqs = new SQSClient({ region: 'us-east-1', endpoint, credentials, useQueueUrlAsEndpoint: false });
  workers = [];
}, PATIENCE_MS);
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop('SIGKILL');
  mails.mode = 'accept';
});
afterAll(async () => {
  sqs.destroy();
  await runtime.stop();
  await mails.stop();
});

/** Starts a worker of orders: the usual one, or a wrong one that `orders` names. */
async function startWorker(orders?: string, more: Record<string, string> = {}): Promise<Program> {
  const file = orders === undefined ? 'worker/main.ts' : 'tests/demo/order-worker.ts';
  const worker = new Program(file, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_SQS: `http://127.0.0.1:${ports['SQS_PORT']}`,
    AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${ports['DYNAMODB_PORT']}`,
    AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${ports['LAMBDA_PORT']}`,
    QUEUE_URL_PREFIX: queueUrlPrefix,
    TASKS_TABLE: `baton-${stage}-tasks`,
    HEALTH_PORT: String(await freePort()),
    WORKER_QUEUES: 'orders',
    WORKER_WAIT_SECONDS: '1',
    WORKER_LEASE_SECONDS: '3',
    ...(orders !== undefined && { ORDERS: orders }),
    ...more,
  });
  workers.push(worker);
  return worker;
}

const url = (path: string): string => `http://127.0.0.1:${ports['HTTP_PORT']}${path}`;

async function ask(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const init = { method, headers: { 'content-type': 'application/json' } };
  const response = await fetch(url(path), body ? { ...init, body: JSON.stringify(body) } : init);
  return (await response.json()) as Record<string, unknown>;
}

/** Posts an order of a new customer. */
async function post() {
  const customerEmail = `${randomUUID()}@example.com`;
  const items = [{ productId: 'p-1', quantity: 2 }];
  const order = { customerId: 'c-1', customerEmail, items, totalAmount: 4200, currency: 'EUR' };
  const { orderId, taskId } = await ask('POST', '/orders', order);
  return { customerEmail, path: `/orders/${String(orderId)}`, taskId: String(taskId) };
}

/** Reads a path until the answer is as expected. */
const when = (path: string, what: string, is: (body: Record<string, unknown>) => boolean) =>
  eventually(
    `${path} ${what}`,
    async () => {
      const body = await ask('GET', path);
      return is(body) && body;
    },
    PATIENCE_MS,
  );
const whenStatus = (path: string, status: string) => when(path, status, (body) => body['status'] === status);

/** Waits for the dead letter of a task, and puts it back with the command. */
const byCommand = (taskId: string) =>
  eventually(
    `the dead letter of ${taskId}`,
    async () => {
      const args = ['orders', '--task', taskId, '--put-back', '--stage', stage, '--local'];
      const command = new Program(
        'packages/baton-dev/src/dead-letters/main.ts',
        { SQS_PORT: ports['SQS_PORT'] ?? '' },
        args,
      );
      expect(await command.ended()).toBe(0);
      return command.lines.length > 0;
    },
    PATIENCE_MS,
  );

/** Waits for the dead letter of a task, and sends only its body again. */
const byHand = (taskId: string) =>
  eventually(
    `the dead letter of ${taskId}`,
    async () => {
      const QueueUrl = `${queueUrlPrefix}orders-dlq`;
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }),
      );
      const MessageBody = Messages.find(({ Body }) => Body?.includes(taskId))?.Body;
      if (MessageBody === undefined) return false;
      await sqs.send(new SendMessageCommand({ QueueUrl: `${queueUrlPrefix}orders`, MessageBody }));
      return true;
    },
    PATIENCE_MS,
  );

test('an order whose task is cancelled is cancelled, at once if it waits, and also if it runs', async () => {
  const waiting = await post();
  await expect(ask('GET', waiting.path)).resolves.toMatchObject({ status: 'accepted' });
  await ask('POST', `/tasks/${waiting.taskId}/cancel`);
  await whenStatus(waiting.path, 'cancelled');

  await startWorker('slow');
  const running = await post();
  await when(`/tasks/${running.taskId}`, 'running', ({ state }) => state === 'running');
  await ask('POST', `/tasks/${running.taskId}/cancel`);
  await whenStatus(running.path, 'cancelled');
}, 60_000);

test('an order whose task kills its workers is failed, and says why', async () => {
  const { path, taskId } = await post();
  const over = new AbortController();
  const supervise = async (): Promise<void> => {
    while (!over.signal.aborted) await (await startWorker('fatal')).ended();
  };
  const supervised = supervise();
  const failed = await whenStatus(path, 'failed').finally(() => over.abort());
  for (const worker of workers) await worker.stop('SIGKILL');
  await supervised;
  expect(failed).toMatchObject({ failure: 'The order could not be processed (crashed)' });
  await expect(ask('GET', `/tasks/${taskId}`)).resolves.toMatchObject({
    state: 'dead',
    subject: path.slice(8),
  });
}, 120_000);

test('an order whose task no worker knows is failed, and says why', async () => {
  const { path } = await post();
  await startWorker('unknown', { UNKNOWN_TASK_PATIENCE_SECONDS: '0' });
  await expect(whenStatus(path, 'failed')).resolves.toMatchObject({
    failure: 'The order could not be processed (unknown-task)',
  });
}, 60_000);

test.each([
  ['by the command', byCommand],
  ['by its body alone', byHand],
])(
  'a dead order that is put back %s completes, and its customer gets one mail',
  async (_how, putBack) => {
    const refusing = await startWorker('refused');
    const { path, taskId, customerEmail } = await post();
    await expect(whenStatus(path, 'failed')).resolves.toMatchObject({ failure: 'No orders today' });
    await refusing.stop();
    await startWorker();
    await putBack(taskId);
    const order = await when(path, 'completed, its mail delivered', ({ status, notification }) => {
      return status === 'completed' && statusOf(notification) === 'delivered';
    });
    expect(order).not.toHaveProperty('failure');
    await expect(ask('GET', `/tasks/${taskId}`)).resolves.toMatchObject({
      state: 'succeeded',
      deaths: 1,
      lastDeath: { reason: 'rejected' },
    });
    const { notifications } = await ask(
      'GET',
      `/notifications?recipient=${encodeURIComponent(customerEmail)}`,
    );
    expect(notifications).toMatchObject([{ status: 'delivered' }]);
    expect(mails.mails.filter(({ to }) => to.includes(customerEmail))).toHaveLength(1);
  },
  60_000,
);

test('an order and its notification show that the mail was refused, or cancelled while it waited', async () => {
  await startWorker();
  mails.mode = 550;
  const refused = await post();
  const { notification } = await when(refused.path, 'with its mail failed', (order) => {
    return statusOf(order['notification']) === 'failed';
  });
  // Without the server's own words
  const failure = 'The SMTP server refuses the mail (550)';
  expect(notification).toMatchObject({ failure });
  const { notificationId } = notification as { notificationId: string };
  await expect(whenStatus(`/notifications/${notificationId}`, 'failed')).resolves.toMatchObject({
    reason: 'rejected',
    failure,
  });

  // Tried again after some 30 s
  mails.mode = 450;
  const waiting = await post();
  const requested = await whenStatus(waiting.path, 'completed');
  const { notificationId: mailId } = requested['notification'] as { notificationId: string };
  await when(`/tasks/${mailId}`, 'retrying', ({ state }) => state === 'retrying');
  expect(statusOf((await ask('GET', waiting.path))['notification'])).toBe('requested');
  await ask('POST', `/tasks/${mailId}/cancel`);
  await when(waiting.path, 'with its mail cancelled', (order) => {
    return statusOf(order['notification']) === 'cancelled';
  });
  await whenStatus(`/notifications/${mailId}`, 'cancelled');
}, 60_000);

test('an order and its notification show a mail as delivered if it left while its task was cancelled', async () => {
  await startWorker();
  const answer = Promise.withResolvers<void>();
  mails.answersAfter = answer.promise;
  const { path, customerEmail } = await post();
  await eventually('the mail at its server', async () =>
    mails.mails.some(({ to }) => to.includes(customerEmail)),
  );
  const { notification } = await whenStatus(path, 'completed');
  const { notificationId } = notification as { notificationId: string };
  await ask('POST', `/tasks/${notificationId}/cancel`);
  await whenStatus(`/notifications/${notificationId}`, 'cancelled');
  answer.resolve();
  await when(path, 'with its mail delivered', (order) => statusOf(order['notification']) === 'delivered');
  await whenStatus(`/notifications/${notificationId}`, 'delivered');
  await expect(ask('GET', `/tasks/${notificationId}`)).resolves.toMatchObject({ state: 'cancelled' });
}, 60_000);

function statusOf(notification: unknown): string | undefined {
  return (notification as { status: string } | undefined)?.status;
}
