import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetFunctionConfigurationCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { eventually } from 'baton-dev/testing/eventually';
import { Deployment } from '../deployment.ts';
import { type Enforced, enforceRoles } from '../enforced-roles.ts';
import { PATIENCE_MS } from '../system.ts';
import { OrderSystem, TOO_MANY_UNITS } from './order-system.ts';

/** The roles of functions that run elsewhere, such as in containers, cannot be checked from here. */
const FUNCTIONS_REACH_THIS_MACHINE = Boolean(process.env['FUNCTIONS_REACH_THIS_MACHINE']);
const whereTheyReach = FUNCTIONS_REACH_THIS_MACHINE ? describe : describe.skip;
const CHANGED = '--param=smtp-from=Shop <shop@shop.example>';

/** The queue of orders and its lanes. */
const ORDERS = ['orders', 'orders_high', 'orders_low'];
const CONSUMED = ['default', ...ORDERS, 'order-outcomes', 'notifications'];

const deployment = new Deployment();
const system = new OrderSystem(deployment);
const lambda = new LambdaClient();
let enforced: Enforced | undefined;

beforeAll(async () => {
  await deployment.deploy();
}, 120_000);
afterAll(async () => {
  await enforced?.stop();
  await deployment.remove().catch(() => undefined);
}, 120_000);

describe('the deployed functions', () => {
  beforeAll(async () => {
    if (FUNCTIONS_REACH_THIS_MACHINE) enforced = await enforceRoles(deployment);
  }, 60_000);

  test('take an order from the post to the notification', async () => {
    const posted = await system.postOrder();
    expect(posted).toMatchObject({ status: 202, body: { status: 'accepted' } });
    const location = posted.headers.get('location') ?? '';
    expect(location).toBe(`/orders/${String(posted.body['orderId'])}`);
    const { confirmationNumber, notification } = await system.when(location, 'completed');
    expect(confirmationNumber).toMatch(/^B-/);
    const { notificationId } = notification as { notificationId: string };
    const delivered = await system.when(`/notifications/${notificationId}`, 'delivered');
    expect(delivered).toMatchObject({ recipient: 'customer@example.com', deliveredBy: 'outbox' });
    await eventually(
      'the order says that its mail was delivered',
      async () => {
        const { body } = await system.ask('GET', location);
        return (body['notification'] as { status: string }).status === 'delivered';
      },
      PATIENCE_MS,
    );
  });

  test.each(['HIGH', 'LOW'] as const)('process a %s order, which travels in a lane', async (priority) => {
    const { headers, body } = await system.postOrder(2, {}, priority);
    await system.when(headers.get('location') ?? '', 'completed');
    const { body: task } = await system.ask('GET', `/tasks/${String(body['taskId'])}`);
    expect(task).toMatchObject({ queue: 'orders', lane: priority.toLowerCase() });
  });

  test('answer lists, repeated posts and wrong requests as everywhere', async () => {
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [await system.postOrder(2, key), await system.postOrder(2, key)];
    expect(second.body).toEqual(first.body);
    const list = await system.ask('GET', '/orders?limit=1');
    expect(list.body['orders']).toHaveLength(1);
    const recipient = encodeURIComponent('customer@example.com');
    for (const path of ['/notifications', `/notifications?recipient=${recipient}`])
      expect((await system.ask('GET', path)).status).toBe(200);
    for (const query of [
      '',
      '?state=succeeded',
      '?name=orders.process',
      '?name=orders.process&state=succeeded',
    ])
      expect((await system.ask('GET', `/tasks${query}`)).status).toBe(200);
    await system.when(`/orders/${String(first.body['orderId'])}`, 'completed');
    const taskId = String(first.body['taskId']);
    expect((await system.ask('POST', `/tasks/${taskId}/cancel`)).status).toBe(409);
    expect(await system.ask('POST', '/orders', { customerId: 'c-1' })).toMatchObject({
      status: 400,
      body: { title: expect.any(String) as unknown },
    });
    expect((await system.ask('DELETE', '/orders')).status).toBe(405);
  });

  test('take a notification that is posted', async () => {
    const notification = { channel: 'SMS', recipient: '+41790000000', message: 'hello' };
    const posted = await system.ask('POST', '/notifications', notification);
    expect(posted.status).toBe(202);
    await system.when(posted.headers.get('location') ?? '', 'delivered');
  });

  test('make a task that cannot succeed a dead letter with its reason, and show that at its order', async () => {
    const { body } = await system.postOrder(TOO_MANY_UNITS);
    const orderId = String(body['orderId']);
    const { failure } = await system.when(`/orders/${orderId}`, 'failed');
    expect(failure).toContain(`${TOO_MANY_UNITS} units`);
    const dead = await system.deadLetter('orders', orderId);
    expect(dead).toMatchObject({ reason: 'rejected', details: { task: 'orders.process' } });
    expect(dead.details['message']).toBe(failure);
  });
});

describe('a message that no function can run', () => {
  test.each(CONSUMED)('of %s becomes a dead letter unchanged if it is no task', async (queue) => {
    const body = `no task ${randomUUID()}`;
    await system.send(queue, body);
    await expect(system.deadLetter(queue, body)).resolves.toMatchObject({ body, reason: 'malformed' });
  });
});

whereTheyReach('a task that no function knows', () => {
  test('comes back while a rolling deploy may bring its task, and then becomes a dead letter with its reason', async () => {
    const taskIds = new Map(CONSUMED.map((queue) => [queue, randomUUID()]));
    for (const [queue, taskId] of taskIds) await system.sendTask(queue, 'orders.unheard-of', taskId);
    const dead = await system.deadLetter('orders', taskIds.get('orders') ?? '');
    expect(dead).toMatchObject({ reason: 'unknown-task', details: { task: 'orders.unheard-of' } });
  });
});

whereTheyReach('the role of each function', () => {
  /** Actions that are allowed for cases that these tests do not cause. */
  const RARE: Record<string, string[]> = {
    // A failed task is hidden until its next attempt; none fails here
    OrderServiceOutcomesLambdaFunction: hides('order-outcomes'),
    // Cancelling a task tells the listeners to its end, on any queue
    TaskServiceApiLambdaFunction: sendsTo('default', 'notifications', 'order-outcomes', ...ORDERS),
    // The task's row exists already: the request was cut off between its row and its task, and was repeated
    // And a caller with a token lists the orders of his own; here authentication is off
    OrderServiceApiLambdaFunction: [
      'dynamodb:GetItem tasks',
      'dynamodb:Query orders/index/newest-first-by-owner',
    ],
    NotificationServiceApiLambdaFunction: ['dynamodb:GetItem tasks'],
    // A group's last member reads the results of the others; a handler looks up a notification that an earlier attempt delivered
    NotificationServiceDeliveriesLambdaFunction: [
      'dynamodb:BatchGetItem tasks',
      'dynamodb:GetItem notifications',
      ...hides('notifications'),
      ...sendsTo('default', ...ORDERS),
    ],
    WorkerLambdaFunction: ['dynamodb:BatchGetItem tasks', ...hides('default', ...ORDERS)],
  };

  test('allows everything that the function did and nothing else, except for rare cases', async () => {
    const roles = enforced;
    if (!roles) throw new Error('The emulator recorded no roles');
    // Each looks up a row: repeated deliveries, and an outcome of an unknown order
    const { body } = await system.ask('GET', '/tasks?state=succeeded&limit=100');
    const tasks = body['tasks'] as { taskId: string; task: string; queue: string }[];
    for (const name of ['orders.process', 'notifications.send']) {
      const { taskId = '', queue = '' } = tasks.find(({ task }) => task === name) ?? {};
      await system.sendTask(queue, name, taskId);
    }
    const orderId = randomUUID();
    const outcome = { orderId, status: 'processing', at: new Date().toISOString() };
    await system.sendTask('order-outcomes', 'orders.record-outcome', randomUUID(), outcome);
    await expect(system.deadLetter('order-outcomes', orderId)).resolves.toMatchObject({
      reason: 'rejected',
    });
    const rest = () => Object.fromEntries(Object.keys(RARE).map((id) => [id, roles.unused(id)]));
    await eventually('every use', () => isDeepStrictEqual(rest(), RARE), PATIENCE_MS).catch(() => undefined);
    expect(rest()).toEqual(RARE);
    expect(roles.refused).toEqual([]);
  });
});

describe('afterwards', () => {
  test('deploying one function replaces the code of it alone, and keeps its role', async () => {
    const FunctionName = `${deployment.prefix}orderServiceApi`;
    const before = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    await expect(deployment.deployFunction('orderServiceApi')).resolves.toContain('Function code deployed');
    const after = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(after).toMatchObject({
      CodeSha256: before.CodeSha256,
      CodeSize: before.CodeSize,
      Role: before.Role,
    });
    expect((await system.postOrder()).status).toBe(202);
  }, 120_000);

  test('deploying a changed stack updates what has changed', async () => {
    await expect(deployment.deploy([CHANGED])).resolves.toContain('Service deployed');
    const FunctionName = `${deployment.prefix}notificationServiceDeliveries`;
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(Environment?.Variables).toMatchObject({ SMTP_FROM: 'Shop <shop@shop.example>' });
  }, 120_000);
});

function hides(...queues: string[]): string[] {
  return queues.map((queue) => `sqs:ChangeMessageVisibility ${queue}`);
}

function sendsTo(...queues: string[]): string[] {
  return queues.map((queue) => `sqs:SendMessage ${queue}`);
}
