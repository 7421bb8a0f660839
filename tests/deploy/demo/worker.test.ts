import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { freePort, Program } from 'baton-dev/testing/program';
import { Deployment, EMULATOR } from '../deployment.ts';
import { resourcesOf } from '../leftovers.ts';
import { OrderSystem, TOO_MANY_UNITS } from './order-system.ts';

const deployment = new Deployment(['--param=worker=none']);
const system = new OrderSystem(deployment);
let worker: Program;

beforeAll(async () => {
  await deployment.deploy();
  worker = new Program('worker/main.ts', {
    ...EMULATOR,
    QUEUE_URL_PREFIX: deployment.queueUrlPrefix,
    TASKS_TABLE: `${deployment.prefix}tasks`,
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
  });
  await worker.says('worker started');
}, 120_000);
afterAll(async () => {
  await worker.stop();
  await deployment.remove().catch(() => undefined);
}, 120_000);

test('with --param worker=..., a worker polls the deployed queues, and there is no function', async () => {
  const functions = await deployment.described('AWS::Lambda::Function');
  expect(functions.map(([id]) => id)).not.toContain('WorkerLambdaFunction');
  const posted = await system.postOrder();
  const { notification } = await system.when(posted.headers.get('location') ?? '', 'completed');
  const { notificationId } = notification as { notificationId: string };
  await system.when(`/notifications/${notificationId}`, 'delivered');
  expect(worker.lines.map(({ message }) => message)).toContain('orders.process done');
});

test('its dead letters have the same reasons as those of the function', async () => {
  const { body } = await system.postOrder(TOO_MANY_UNITS);
  const dead = await system.deadLetter('orders', String(body['orderId']));
  expect(dead).toMatchObject({ reason: 'rejected', details: { task: 'orders.process' } });
});

test('sls remove leaves nothing', async () => {
  await worker.stop();
  await deployment.remove();
  expect(await resourcesOf(deployment)).toEqual([]);
}, 120_000);
