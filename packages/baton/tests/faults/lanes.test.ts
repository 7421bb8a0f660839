import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { lanedNap } from '../support/laned-nap.ts';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';

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
  backends = await startBackends(['reports']);
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
    WORKER_QUEUES: 'reports',
    WORKER_CONCURRENCY: String(SLOTS),
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: port,
  });
  await worker.says('worker started');
}

/** Sends naps at the same time. */
async function send(lane: 'high' | 'normal' | 'low', naps: number, ms = NAP_MS): Promise<void> {
  const payload = { lane, ms, sentAtMs: Date.now() };
  await Promise.all(Array.from({ length: naps }, () => tasks.send(lanedNap, payload, { lane })));
}

/** The naps that have started so far, in order. */
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
  test('runs a high task next, even if 1,000 normal tasks wait', async () => {
    await send('normal', 1000);
    await startWorker();
    await eventually('running normal tasks', () => of('normal').length > 2 * SLOTS);
    /** The number of normal tasks that started before each high task. */
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
    expect(await left('reports')).toBeGreaterThan(700);
    // Normal tasks take the slots that become free while the message travels: at most two rounds of all slots
    expect(Math.max(...overtook)).toBeLessThanOrEqual(2 * SLOTS);
    const waits = of('high').map(({ waitedMs }) => waitedMs);
    expect(waits.toSorted((one, other) => one - other)[5]).toBeLessThan(3 * NAP_MS);
  });

  test('still runs low tasks while more high tasks wait than it can run', async () => {
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
    // By the weights 8 for each low task, plus a task for each slot before
    expect(high.length).toBeGreaterThan(40);
    expect(high.length).toBeLessThan(160);
    expect(await left('reports_high')).toBeGreaterThan(200);
  });

  test('reports the state of each lane, and names the queue of a lane in its log', async () => {
    await startWorker();
    const { queues } = (await (await fetch(health)).json()) as { queues: { queue: string }[] };
    expect(queues.map(({ queue }) => queue)).toEqual(['reports_high', 'reports', 'reports_low']);
    await send('low', 1, 1);
    const done = await eventually('the task', () =>
      worker.lines.find(({ message }) => message === 'tests.laned-nap done'),
    );
    expect(done['queue']).toBe('reports_low');
    await eventually('an empty queue', async () => (await left('reports_low')) === 0);
  });
});
