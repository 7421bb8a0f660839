import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';
import { Proxy } from 'baton-dev/testing/proxy';
import { nap } from '../support/nap.ts';

let backends: Backends;
let tasks: TaskClient;
const programs: Program[] = [];
const proxies: Proxy[] = [];

// Each test has its own queues, because the open polls of a killed worker may swallow messages
beforeEach(async () => {
  backends = await startBackends(['default']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  for (const proxy of proxies.splice(0)) await proxy.stop();
  await backends.stop();
});

async function startWorker(environment: Record<string, string> = {}): Promise<Program> {
  const own = { WORKER_LEASE_SECONDS: '5', WORKER_WAIT_SECONDS: '1', HEALTH_PORT: String(await freePort()) };
  const program = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    ...own,
    ...environment,
  });
  programs.push(program);
  return program;
}

async function readyWorker(environment: Record<string, string> = {}): Promise<Program> {
  const program = await startWorker(environment);
  await program.says('worker started');
  return program;
}

/** Starts a proxy to the broker. Returns it and the environment of a worker behind it. */
async function startProxy(): Promise<[Proxy, Record<string, string>]> {
  const proxy = await Proxy.start(backends.environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  proxies.push(proxy);
  return [proxy, { AWS_ENDPOINT_URL_SQS: proxy.endpoint }];
}

const sendNaps = (count: number, ms: number, ignoresSignal = false) =>
  Promise.all(Array.from({ length: count }, () => tasks.send(nap, { ms, ignoresSignal })));

/** The task ids in the log lines of a worker with this message. */
function idsOf(program: Program, message: string): unknown[] {
  return program.lines.filter((line) => line['message'] === message).map((line) => line['taskId']);
}

const left = () => countMessages(backends, backends.queueUrls.of('default'));

describe('a worker that is killed', () => {
  test('loses no task: another worker finishes all of them within the lease, their run time and 3 s', async () => {
    const [killed, other] = [
      await readyWorker({ WORKER_CONCURRENCY: '10' }),
      await readyWorker({ WORKER_CONCURRENCY: '10' }),
    ];
    const sent = await sendNaps(20, 3000);
    const begunBy = (worker: Program) => [...new Set(idsOf(worker, 'nap begins'))];
    const doneBy = (worker: Program) => idsOf(worker, 'tests.nap done');
    await eventually(
      'all twenty started, some at each worker',
      () => begunBy(killed).length > 0 && begunBy(killed).length + begunBy(other).length >= 20,
      30_000,
    );
    const killedAtMs = performance.now();
    await killed.stop('SIGKILL');
    const cutOff = begunBy(killed).filter((id) => !doneBy(killed).includes(id));
    const done = () => new Set([...doneBy(killed), ...doneBy(other)]);
    await eventually('all twenty done', () => done().size === 20, 30_000);
    expect(performance.now() - killedAtMs).toBeLessThan((5 + 3 + 3) * 1000);
    expect(done()).toEqual(new Set(sent.map(({ taskId }) => taskId)));
    expect(cutOff.length).toBeGreaterThan(0);
    expect(doneBy(other)).toEqual(expect.arrayContaining(cutOff));
    await eventually('an empty queue', async () => Object.values(await left()).every((count) => count === 0));
  });
});

describe('SIGTERM ends a worker with status 0, and leaves no message hidden,', () => {
  test('while it polls an empty queue', async () => {
    const [proxy, environment] = await startProxy();
    proxy.change('slow', { action: 'ReceiveMessage' });
    const worker = await readyWorker(environment);
    // The first receive does not wait. The second is the long poll
    await eventually('a poll in progress', () => proxy.troubled > 1);
    await expect(worker.stop()).resolves.toBe(0);
    const { taskId } = await tasks.send(nap, { ms: 0 });
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({ QueueUrl: backends.queueUrls.of('default'), WaitTimeSeconds: 1 }),
    );
    expect(Messages[0]?.Body).toContain(taskId);
  });

  test('while it starts up', async () => {
    const worker = await startWorker();
    await worker.says('loading');
    await expect(worker.stop()).resolves.toBe(0);
    expect(worker.output).not.toContain('cannot receive');
  });

  test('while it runs a task that ends within the drain time: it finishes and deletes the task', async () => {
    const worker = await readyWorker();
    const [sent] = await sendNaps(1, 1000);
    await worker.says('nap begins');
    await expect(worker.stop()).resolves.toBe(0);
    expect(idsOf(worker, 'tests.nap done')).toEqual([sent?.taskId]);
    await expect(left()).resolves.toEqual({ visible: 0, hidden: 0 });
  });

  test.each([
    ['stops on its signal', false],
    ['ignores its signal', true],
  ])(
    'while it runs a task that is longer than the drain time and %s: it releases the task at once',
    async (_what, ignoresSignal) => {
      const worker = await readyWorker({
        WORKER_DRAIN_TIMEOUT_SECONDS: '1',
        WORKER_ABORT_GRACE_SECONDS: '1',
      });
      await sendNaps(1, 30_000, ignoresSignal);
      await worker.says('nap begins');
      await expect(worker.stop()).resolves.toBe(0);
      expect(worker.output).toContain('tests.nap released');
      await expect(left()).resolves.toEqual({ visible: 1, hidden: 0 });
    },
  );

  test('without waiting for the drain time if it comes twice', async () => {
    const worker = await readyWorker({ WORKER_DRAIN_TIMEOUT_SECONDS: '600' });
    await sendNaps(1, 30_000);
    await worker.says('nap begins');
    worker.signal('SIGTERM');
    await worker.says('worker stopping');
    await expect(worker.stop()).resolves.toBe(0);
    await expect(left()).resolves.toEqual({ visible: 1, hidden: 0 });
  });

  test('while it has more messages than slots: it releases them', async () => {
    const worker = await readyWorker({ WORKER_CONCURRENCY: '1' });
    await sendNaps(3, 1000);
    await worker.says('nap begins');
    await expect(worker.stop()).resolves.toBe(0);
    await expect(left()).resolves.toEqual({ visible: 2, hidden: 0 });
  });

  test('while a receive that returns messages is in progress: it makes them visible at once', async () => {
    const [proxy, environment] = await startProxy();
    await sendNaps(3, 0);
    proxy.change('held-answers', { action: 'ReceiveMessage' });
    const worker = await readyWorker({ ...environment, WORKER_LEASE_SECONDS: '600' });
    await eventually('messages in the response', async () => (await left()).hidden > 0);
    worker.signal('SIGTERM');
    await worker.says('worker stopping');
    proxy.change('pass');
    await expect(worker.ended()).resolves.toBe(0);
    expect(worker.output).not.toContain('nap begins');
    await expect(left()).resolves.toEqual({ visible: 3, hidden: 0 });
  });

  test('while its deletes are slow: it waits for them', async () => {
    const [proxy, environment] = await startProxy();
    const worker = await readyWorker({ ...environment, WORKER_LEASE_SECONDS: '60' });
    proxy.change('held-requests', { action: 'DeleteMessageBatch' });
    await sendNaps(1, 0);
    await eventually('a delayed delete', () => proxy.troubled > 0);
    worker.signal('SIGTERM');
    await worker.says('worker stopping');
    await expect(left()).resolves.toEqual({ visible: 0, hidden: 1 });
    proxy.change('pass');
    await expect(worker.ended()).resolves.toBe(0);
    expect(worker.output).toContain('tests.nap done');
    await expect(left()).resolves.toEqual({ visible: 0, hidden: 0 });
  });

  test('while its broker accepts no deletes: an unacknowledged task is delivered again', async () => {
    const [proxy, environment] = await startProxy();
    const worker = await readyWorker({ ...environment, WORKER_LEASE_SECONDS: '3' });
    proxy.change('cut', { action: 'DeleteMessageBatch' });
    const [sent] = await sendNaps(1, 0);
    await eventually('a failed delete', () => proxy.troubled > 0);
    const stoppedAtMs = performance.now();
    await expect(worker.stop()).resolves.toBe(0);
    expect(performance.now() - stoppedAtMs).toBeLessThan(25_000);
    const other = await readyWorker();
    await other.says('tests.nap done');
    expect(idsOf(other, 'tests.nap done')).toEqual([sent?.taskId]);
    await eventually('an empty queue', async () => Object.values(await left()).every((count) => count === 0));
  });

  test('while its broker is unreachable', async () => {
    const worker = await readyWorker({ AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9' });
    await worker.says('cannot receive');
    await expect(worker.stop()).resolves.toBe(0);
  });
});
