import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { nap } from '../support/nap.ts';
import { poison } from '../support/poison.ts';
import { freePort, Program } from 'baton-dev/testing/program';
import { burn } from '../support/thread-tasks.ts';

const LEASE_SECONDS = 3;
const BLOCKED = 'the event loop is blocked for longer than a lease: the process ends';

let backends: Backends;
let tasks: TaskClient;
const programs: Program[] = [];

beforeEach(async () => {
  backends = await startBackends(['default']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(environment: Record<string, string> = {}): Promise<Program> {
  const program = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
    WORKER_WAIT_SECONDS: '1',
    WORKER_DRAIN_TIMEOUT_SECONDS: '1',
    WORKER_ABORT_GRACE_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
    ...environment,
  });
  programs.push(program);
  await program.says('worker started');
  return program;
}

const fatalOf = (program: Program) => program.lines.filter(({ level }) => level === 'fatal');

describe('a handler that blocks the event loop for longer than a lease', () => {
  test.each([
    ['with an endless loop', 'endless loop', 'endless loop .*/poison.ts'],
    [
      'with an endless loop, after it has waited',
      'endless loop after a while',
      'endless loop after a while .*/poison.ts',
    ],
    // The sample may fall between two promises
    ['with promises that never end', 'endless promises', 'next .*/poison.ts|processTicksAndRejections .*'],
    ['with a regular expression', 'endless expression', 'endless expression .*/poison.ts'],
  ])(
    '%s is stopped with its process; the log names the task, the place, and the other running tasks',
    async (_what, how, place) => {
      const worker = await startWorker();
      const other = await tasks.send(nap, { ms: 60_000 });
      await worker.says('nap begins');
      const { taskId } = await tasks.send(poison, { how });
      await worker.says('poison begins');
      const last = await tasks.send(nap, { ms: 60_000 });
      const begunAtMs = performance.now();
      await expect(worker.ended()).resolves.toBe(null);
      expect(performance.now() - begunAtMs).toBeLessThan((LEASE_SECONDS + 3) * 1000);
      const [said, ...more] = fatalOf(worker);
      expect(more).toEqual([]);
      expect(said).toMatchObject({
        message: BLOCKED,
        service: 'worker',
        worker: expect.any(String),
        blockedBy: { task: poison.name, taskId, attempt: 1, messageId: expect.any(String) },
      });
      expect(Number(said?.['blockedMs'])).toBeGreaterThanOrEqual(LEASE_SECONDS * 1000);
      const { where, running } = said as { where: string[]; running: { taskId: string }[] };
      expect(where[0]).toMatch(new RegExp(`^(${place}):\\d+$`));
      const ids = running.map((task) => task.taskId);
      expect(ids).toEqual(expect.arrayContaining([other.taskId, taskId]));
      expect([other.taskId, taskId, last.taskId]).toEqual(expect.arrayContaining(ids));
    },
  );

  test('inside a system call is stopped with its process; the log names the task that started last', async () => {
    const worker = await startWorker();
    const { taskId } = await tasks.send(poison, { how: 'blocking call' });
    await expect(worker.ended()).resolves.toBe(null);
    expect(fatalOf(worker)).toMatchObject([
      { message: BLOCKED, lastBegun: { task: poison.name, taskId, attempt: 1 } },
    ]);
  });
});

describe('the watchdog does not stop a worker', () => {
  test('that was paused for longer than a lease', async () => {
    const worker = await startWorker();
    worker.signal('SIGSTOP');
    await sleep((LEASE_SECONDS + 2) * 1000);
    worker.signal('SIGCONT');
    const { taskId } = await tasks.send(nap, { ms: 0 });
    await worker.says('tests.nap done');
    expect(worker.lines.at(-1)).toMatchObject({ taskId });
    await expect(worker.stop()).resolves.toBe(0);
  });

  test('whose handler burns CPU in a thread', async () => {
    const worker = await startWorker();
    await tasks.send(burn, { ms: (LEASE_SECONDS + 2) * 1000 });
    await worker.says('tests.burn done');
    await expect(worker.stop()).resolves.toBe(0);
    expect(fatalOf(worker)).toEqual([]);
  });

  test('that a debugger may pause', async () => {
    const worker = await startWorker({ NODE_OPTIONS: '--inspect=127.0.0.1:0' });
    await tasks.send(poison, { how: 'blocked for 5 s' });
    await worker.says('tests.poison done');
    expect(fatalOf(worker)).toEqual([]);
  });
});

test('the watchdog ends a stop that blocks, once no more time is left', async () => {
  const worker = await startWorker({ WORKER_LEASE_SECONDS: '600' });
  await tasks.send(poison, { how: 'loop at the stop' });
  await worker.says('poison begins');
  const askedAtMs = performance.now();
  await expect(worker.stop()).resolves.toBe(null);
  // Drain, grace, and 25 s for all other waits of a stop
  expect(performance.now() - askedAtMs).toBeLessThan(30_000);
  expect(fatalOf(worker)).toMatchObject([
    {
      message: 'the worker did not stop in time: the process ends',
      lastBegun: { task: poison.name },
    },
  ]);
});

test('a worker that shares its process logs the task that blocks it, but does not end the process', async () => {
  const worker = await startWorker({ PROCESS_GUARD: 'shared' });
  const { taskId } = await tasks.send(poison, { how: 'blocked for 5 s' });
  const blocked = () => worker.lines.filter((line) => line['message'] === BLOCKED.replace(/: .*/, ''));
  await eventually('a line', () => blocked().length > 0);
  expect(blocked()).toMatchObject([{ level: 'error', blockedBy: { task: poison.name, taskId } }]);
  await tasks.send(nap, { ms: 0 });
  await worker.says('tests.nap done');
  await expect(worker.stop()).resolves.toBe(0);
});
