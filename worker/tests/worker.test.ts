import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { healthCheck } from '@baton/common/contracts/health';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';

let backends: Backends;

/** Starts a worker without services, as its container does, or another main file. */
async function startWorker(file = 'worker/main.ts'): Promise<[Program, string]> {
  const port = String(await freePort());
  const own = { WORKER_QUEUES: 'default', WORKER_WAIT_SECONDS: '1', WORKER_ID: 'w-1', HEALTH_PORT: port };
  const program = new Program(file, { ...backends.environment, ...own });
  await program.says('worker started');
  return [program, `http://127.0.0.1:${port}`];
}

async function expectEmptyQueue(): Promise<void> {
  const left = () => countMessages(backends, backends.queueUrls.of('default'));
  await eventually('an empty queue', async () => Object.values(await left()).every((each) => each === 0));
}

beforeAll(async () => {
  backends = await startBackends(['worker']);
});
afterAll(() => backends.stop());

describe('the worker, with every service stopped,', () => {
  let worker: Program;
  let health: string;
  beforeAll(async () => {
    [worker, health] = await startWorker();
  });
  afterAll(() => worker.stop());

  test('runs a task and deletes its message', async () => {
    const { taskId } = await backends.tasks.send(healthCheck, {});
    const line = await eventually('the log line of the task', () =>
      worker.lines.find((each) => each['taskId'] === taskId),
    );
    expect(line).toMatchObject({ message: 'health.check done', worker: 'w-1', queue: 'default', attempt: 1 });
    await expectEmptyQueue();
  });

  test('moves a message that is no task to the dead-letter queue, with the reason', async () => {
    await backends.sqs.send(
      new SendMessageCommand({ QueueUrl: backends.queueUrls.of('default'), MessageBody: 'rubbish' }),
    );
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: backends.queueUrls.deadLettersOf('default'),
        WaitTimeSeconds: 5,
        MessageAttributeNames: ['All'],
      }),
    );
    expect(Messages[0]).toMatchObject({
      Body: 'rubbish',
      MessageAttributes: { 'baton.reason': { StringValue: 'malformed' } },
    });
    await expectEmptyQueue();
  });

  test('reports its state', async () => {
    await eventually('readiness', async () => (await fetch(`${health}/health/ready`)).ok);
    const state = await (await fetch(`${health}/health/state`)).json();
    expect(state).toMatchObject({ worker: 'w-1', queues: [{ queue: 'default', receiving: true }] });
  });

  test('does not start if its variables are wrong, and names each of them', async () => {
    const wrong = { WORKER_CONCURRENCY: '0', QUEUE_URL_PREFIX: '' };
    const program = new Program('worker/main.ts', { ...backends.environment, ...wrong });
    await expect(program.ended()).resolves.toBe(1);
    expect(program.output).toContain('WORKER_CONCURRENCY held "0": expected a whole number from 1 to 1000');
    expect(program.output).toContain('QUEUE_URL_PREFIX is not set');
  });

  // Last, because the tests before it use this process
  test('ends with status 0 at SIGTERM', async () => {
    await expect(worker.stop()).resolves.toBe(0);
    expect(worker.output).toContain('worker stopped');
  });
});

test('the worker has the same tasks in its threads', async () => {
  const [worker] = await startWorker('worker/tests/all-in-threads.ts');
  const { taskId } = await backends.tasks.send(healthCheck, {});
  const line = await eventually('the log line of the task', () =>
    worker.lines.find((each) => each['taskId'] === taskId),
  );
  expect(line).toMatchObject({ message: 'health.check done' });
  await worker.stop();
});
