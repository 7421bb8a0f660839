import { createSecretKey, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { GetQueueAttributesCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { MAX_DEPTH } from '../../src/sqs/envelope.ts';
import { signaturesBy } from '../../src/sqs/signatures.ts';
import { TaskClient } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';
import { nap } from '../support/nap.ts';
import { signingBy } from '../support/signing-keys.ts';
import { burn, burnOn, stopOnAbort, passOn } from '../support/thread-tasks.ts';

const LEASE_SECONDS = 3;
const FOR_EVER_MS = 600_000;

let backends: Backends;
let tasks: TaskClient;
let worker: Program;
let health: string;

beforeEach(async () => {
  backends = await startBackends(['default']);
  tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
});
afterEach(async () => {
  await worker.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(environment: Record<string, string> = {}): Promise<void> {
  const port = String(await freePort());
  health = `http://127.0.0.1:${port}/health`;
  worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: port,
    ...environment,
  });
  await worker.says('worker started');
}

interface State {
  readonly slots: { readonly free: number };
  readonly queues: readonly { readonly running: readonly Record<string, unknown>[] }[];
}

/** Reads the worker's state, and expects that it is live. */
async function stateOfWorker(): Promise<State> {
  const [live, state] = await Promise.all(['live', 'state'].map((path) => fetch(`${health}/${path}`)));
  expect(live?.status).toBe(200);
  return (await state?.json()) as State;
}

const linesSaying = (message: string) => worker.lines.filter((line) => line['message'] === message);

async function left(): Promise<{ visible: number; hidden: number }> {
  const { Attributes = {} } = await backends.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: backends.queueUrls.of('default'), AttributeNames: ['All'] }),
  );
  return {
    visible: Number(Attributes.ApproximateNumberOfMessages),
    hidden: Number(Attributes.ApproximateNumberOfMessagesNotVisible),
  };
}

describe('a handler that burns CPU in a thread', () => {
  test('for three leases keeps its lease and runs once, and its worker still answers', async () => {
    await startWorker();
    await tasks.send(burn, { ms: 3 * LEASE_SECONDS * 1000 });
    await worker.says('burn begins');
    const leases: unknown[] = [];
    await eventually(
      'the end of the task, with answers until then',
      async () => {
        const { queues } = await stateOfWorker();
        const running = queues.flatMap((queue) => queue.running);
        leases.push(...running.map(({ leaseEndsInMs }) => leaseEndsInMs));
        return linesSaying('tests.burn done').length > 0;
      },
      30_000,
    );
    expect(linesSaying('burn begins')).toHaveLength(1);
    expect(linesSaying('tests.burn done')).toMatchObject([{ attempt: 1 }]);
    expect(leases.length).toBeGreaterThan(20);
    expect(leases.filter((endsInMs) => Number(endsInMs) <= 0)).toEqual([]);
    expect(worker.output).not.toContain('was blocked');
    await eventually('an empty queue', async () => Object.values(await left()).every((count) => count === 0));
  });

  test('without end is terminated after its time limit and grace, frees its slot, and becomes a dead letter', async () => {
    await startWorker({ WORKER_CONCURRENCY: '1', WORKER_ABORT_GRACE_SECONDS: '1' });
    await tasks.send(burnOn, { ms: FOR_EVER_MS });
    await worker.says('burn begins');
    await tasks.send(nap, { ms: 0 });
    const overdue: unknown[] = [];
    await eventually(
      'a dead letter',
      async () => {
        const { queues } = await stateOfWorker();
        overdue.push(...queues.flatMap(({ running }) => running.filter((task) => task['overdue'])));
        return linesSaying('tests.burn-on is a dead letter: timed-out').length > 0;
      },
      20_000,
    );
    expect(overdue).toEqual([]);
    expect(worker.output).not.toContain('ignores its signal');
    // Only the worker's lines: on a busy machine the second attempt can time out before its thread has started
    const [again] = linesSaying('tests.burn-on will be tried again');
    expect(again).toMatchObject({ attempt: 1, error: { type: 'TaskTimeoutError' } });
    const [dead] = linesSaying('tests.burn-on is a dead letter: timed-out');
    expect(dead).toMatchObject({ attempt: 2, error: { type: 'TaskTimeoutError' } });
    expect(Number(again?.['durationMs'])).toBeLessThan((2 + 1 + 1) * 1000);
    // The waiting task used the only slot while the other task was delayed
    const order = worker.lines.map(({ message }) => message);
    expect(order.indexOf('tests.nap done')).toBeGreaterThan(
      order.indexOf('tests.burn-on will be tried again'),
    );
    expect(order.indexOf('tests.nap done')).toBeLessThan(
      order.indexOf('tests.burn-on is a dead letter: timed-out'),
    );
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: backends.queueUrls.deadLettersOf('default'),
        WaitTimeSeconds: 5,
        MessageAttributeNames: ['All'],
      }),
    );
    expect(Messages[0]?.MessageAttributes?.['baton.reason']).toMatchObject({ StringValue: 'timed-out' });
    await eventually('a free slot', async () => (await stateOfWorker()).slots.free === 1);
  });

  test('is terminated on SIGTERM after drain time and grace; the worker releases the task and ends with status 0', async () => {
    await startWorker({ WORKER_DRAIN_TIMEOUT_SECONDS: '1', WORKER_ABORT_GRACE_SECONDS: '1' });
    await tasks.send(burn, { ms: FOR_EVER_MS });
    await worker.says('burn begins');
    const askedAtMs = performance.now();
    await expect(worker.stop()).resolves.toBe(0);
    expect(performance.now() - askedAtMs).toBeLessThan((1 + 1 + 3) * 1000);
    expect(worker.output).toContain('tests.burn released');
    await expect(left()).resolves.toEqual({ visible: 1, hidden: 0 });
  });
});

describe('a handler in a thread', () => {
  test('can stop on its signal at its time limit', async () => {
    await startWorker({ WORKER_ABORT_GRACE_SECONDS: '30' });
    await tasks.send(stopOnAbort, {});
    await worker.says('tests.stop-on-abort will be tried again');
    expect(linesSaying('signal aborted')).toMatchObject([{ reason: 'TaskTimeoutError', attempt: 1 }]);
    expect(Number(linesSaying('tests.stop-on-abort will be tried again')[0]?.['durationMs'])).toBeLessThan(
      10_000,
    );
  });

  test('can stop on its signal after SIGTERM, before its grace is over', async () => {
    await startWorker({ WORKER_DRAIN_TIMEOUT_SECONDS: '1', WORKER_ABORT_GRACE_SECONDS: '30' });
    await tasks.send(stopOnAbort, {});
    await eventually('a running task', async () => (await stateOfWorker()).slots.free === 9);
    await expect(worker.stop()).resolves.toBe(0);
    expect(linesSaying('signal aborted')).toHaveLength(1);
    await expect(left()).resolves.toEqual({ visible: 1, hidden: 0 });
  });

  test('cannot send a task beyond the depth limit', async () => {
    await startWorker();
    await tasks.send(passOn, {}, { depth: MAX_DEPTH });
    await worker.says('TooDeepError');
    expect(linesSaying('tests.block done')).toEqual([]);
  });

  test('signs the tasks that it sends with the keys of its worker', async () => {
    const key = randomBytes(32);
    await startWorker({ TASK_SIGNING_KEYS: `k1:${key.toString('base64')}` });
    const signatures = signaturesBy(signingBy([{ id: 'k1', key: createSecretKey(key) }]));
    const { sqs, queueUrls } = backends;
    await new TaskClient({ sqs, queueUrls, source: 'tests', signatures }).send(passOn, {});
    await worker.says('tests.block done');
    await tasks.send(passOn, {});
    await worker.says('message is a dead letter: bad-signature');
    expect(linesSaying('tests.block done')).toHaveLength(1);
  });

  test('passes its trace to its log lines and to the tasks that it sends', async () => {
    await startWorker();
    const { taskId } = await tasks.send(passOn, {});
    await worker.says('tests.block done');
    await worker.says('tests.pass-on done');
    const [line] = linesSaying('passing on');
    const [done] = linesSaying('tests.pass-on done');
    const { level, time, message, durationMs, ...fields } = done ?? {};
    expect([level, typeof time, message, typeof durationMs]).toEqual([
      'info',
      'string',
      'tests.pass-on done',
      'number',
    ]);
    expect(fields).toMatchObject({
      service: 'worker',
      queue: 'default',
      task: 'tests.pass-on',
      taskId,
      attempt: 1,
    });
    const { error, ...own } = line ?? {};
    expect(own).toEqual({
      ...fields,
      level: 'warn',
      time: expect.any(String),
      message: 'passing on',
      part: 1,
    });
    expect(error).toMatchObject({ type: 'Error', message: 'none' });
    const order = worker.lines.map(({ message: said }) => said);
    expect(order.indexOf('passing on')).toBeLessThan(order.indexOf('tests.pass-on done'));
    expect(linesSaying('tests.block done')).toMatchObject([{ traceId: fields['traceId'] }]);
  });
});
