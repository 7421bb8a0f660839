import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { lanedNap } from '../support/laned-nap.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, freePorts, Program } from 'baton-dev/testing/program';

const SLOTS = 4;
const NAP_MS = 100;

interface Begun {
  readonly lane: string;
  readonly waitedMs: number;
}

let backends: Backends;
let worker: Program;
let health: string;
let tasks: TaskClient;

beforeEach(async () => {
  backends = await startBackends(['functions/order-service']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterEach(async () => {
  await worker.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(): Promise<void> {
  const port = String(await freePort());
  health = `http://127.0.0.1:${port}/health/state`;
  worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    LANED_NAPS: 'yes',
    WORKER_QUEUES: 'orders',
    WORKER_CONCURRENCY: String(SLOTS),
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: port,
  });
  await worker.says('worker started');
}

/** Sends naps at one time. */
async function send(lane: 'high' | 'normal' | 'low', naps: number, ms = NAP_MS): Promise<void> {
  const payload = { lane, ms, sentAtMs: Date.now() };
  await Promise.all(Array.from({ length: naps }, () => tasks.send(lanedNap, payload, { lane })));
}

/** The naps that have begun so far, in their order. */
function begun(): Begun[] {
  return worker.lines
    .filter(({ message }) => message === 'nap begins')
    .map((line) => ({ lane: String(line['lane']), waitedMs: Number(line['waitedMs']) }));
}

const of = (lane: string) => begun().filter((nap) => nap.lane === lane);

async function left(queue: string): Promise<number> {
  const { visible, hidden } = await countMessages(backends, backends.queueUrls.of(queue));
  return visible + hidden;
}

describe('a worker whose queue has lanes', () => {
  test('runs a high task next, though 1,000 normal ones wait', async () => {
    await send('normal', 1000);
    await startWorker();
    await eventually('normal tasks that run', () => of('normal').length > 2 * SLOTS);
    /** How many normal tasks began before each high one that was sent. */
    const overtook: number[] = [];
    for (let order = 1; order <= 10; order += 1) {
      const before = of('normal').length;
      await send('high', 1);
      await eventually('the high task', () => of('high').length === order);
      const all = begun();
      const at = all.findLastIndex(({ lane }) => lane === 'high');
      overtook.push(all.slice(0, at).filter(({ lane }) => lane === 'normal').length - before);
      await sleep(3 * NAP_MS);
    }
    expect(await left('orders')).toBeGreaterThan(700);
    // What ends while the message is on its way is taken by normal tasks: not a round of all slots more
    expect(Math.max(...overtook)).toBeLessThanOrEqual(2 * SLOTS);
    const waits = of('high').map(({ waitedMs }) => waitedMs);
    expect(waits.toSorted((one, other) => one - other)[5]).toBeLessThan(3 * NAP_MS);
  });

  test('goes on with low tasks beside more high ones than it can run', async () => {
    await send('high', 400);
    await send('low', 10);
    await startWorker();
    await eventually('all low tasks', () => of('low').length === 10, 30_000);
    const all = begun();
    const high = all
      .slice(
        0,
        all.findLastIndex(({ lane }) => lane === 'low'),
      )
      .filter(({ lane }) => lane === 'high');
    // 8 for each low one by the weights, and a task for each slot before
    expect(high.length).toBeGreaterThan(40);
    expect(high.length).toBeLessThan(160);
    expect(await left('orders_high')).toBeGreaterThan(200);
  });

  test('says of each lane how it goes, and names the queue of a lane in its log', async () => {
    await startWorker();
    const { queues } = (await (await fetch(health)).json()) as { queues: { queue: string }[] };
    expect(queues.map(({ queue }) => queue)).toEqual(['orders_high', 'orders', 'orders_low']);
    await send('low', 1, 1);
    const done = await eventually('the task', () =>
      worker.lines.find(({ message }) => message === 'tests.laned-nap done'),
    );
    expect(done['queue']).toBe('orders_low');
    await eventually('an empty queue', async () => (await left('orders_low')) === 0);
  });
});

test('the embedded runtime processes a HIGH order before the NORMAL ones that came before it', async () => {
  const ports = await freePorts();
  const stage = `test-${randomBytes(4).toString('hex')}`;
  worker = new Program('node_modules/serverless/bin/serverless.js', { ...ports, WORKER_CONCURRENCY: '1' }, [
    'offline',
    '--stage',
    stage,
  ]);
  await worker.says('Try this');
  const url = `http://127.0.0.1:${ports['HTTP_PORT']}`;
  const post = async (priority: 'HIGH' | 'NORMAL'): Promise<string> => {
    const body = JSON.stringify({
      customerId: 'c-1',
      customerEmail: 'customer@example.com',
      items: [{ productId: 'p-1', quantity: 2 }],
      totalAmount: 4200,
      currency: 'EUR',
      priority,
    });
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    return url + String((await fetch(`${url}/orders`, init)).headers.get('location'));
  };
  const statusAt = async (location: string): Promise<unknown> =>
    ((await (await fetch(location)).json()) as { status: unknown }).status;
  const normal = await Promise.all(Array.from({ length: 60 }, () => post('NORMAL')));
  const high = await post('HIGH');
  await eventually('the HIGH order completed', async () => (await statusAt(high)) === 'completed', 20_000);
  const waiting = (await Promise.all(normal.map(statusAt))).filter((status) => status === 'accepted');
  expect(waiting.length).toBeGreaterThan(10);
});
