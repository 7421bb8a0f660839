import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { GetQueueAttributesCommand, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { ping } from '../../../../tests/support/ping.ts';
import { TaskClient } from '../../../send/task-client.ts';
import { type Backends, startBackends } from '../../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { freePort, Program } from 'baton-dev/testing/program';

const WORKER = 'packages/baton/tests/support/worker-main.ts';

let backends: Backends;
let worker: Program;
let health: string;

/** Starts the worker as its container does. No service runs. */
async function startWorker(environment: Record<string, string> = {}): Promise<[Program, string]> {
  const port = String(await freePort());
  const own = { WORKER_QUEUES: 'default', WORKER_WAIT_SECONDS: '1', HEALTH_PORT: port };
  const program = new Program(WORKER, { ...backends.environment, ...own, ...environment });
  await program.says('worker started');
  return [program, `http://127.0.0.1:${port}`];
}

beforeAll(async () => {
  backends = await startBackends(['default']);
  [worker, health] = await startWorker({ WORKER_ID: 'w-1', REVISION: '0123abc' });
});
afterAll(async () => {
  await worker.stop();
  await backends.stop();
});

async function left(queue: string): Promise<number> {
  const { Attributes = {} } = await backends.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: backends.queueUrls.of(queue), AttributeNames: ['All'] }),
  );
  return (
    Number(Attributes.ApproximateNumberOfMessages) + Number(Attributes.ApproximateNumberOfMessagesNotVisible)
  );
}

describe('the worker, while all services are stopped,', () => {
  test('runs a task and deletes its message', async () => {
    const tasks = new TaskClient({ sqs: backends.sqs, queueUrls: backends.queueUrls, source: 'tests' });
    const { taskId } = await tasks.send(ping, {});
    const line = await eventually('the log line of the task', () =>
      worker.lines.find((each) => each['taskId'] === taskId),
    );
    expect(line).toMatchObject({
      message: 'tests.ping done',
      service: 'worker',
      worker: 'w-1',
      queue: 'default',
      task: 'tests.ping',
      attempt: 1,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
    });
    await eventually('an empty queue', async () => (await left('default')) === 0);
  });

  test('dead-letters a message that is not a task, with the reason and its unchanged body', async () => {
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
    await eventually('an empty queue', async () => (await left('default')) === 0);
  });

  test('shows its health and its state', async () => {
    await eventually('readiness', async () => (await fetch(`${health}/health/ready`)).ok);
    expect((await fetch(`${health}/health/live`)).status).toBe(200);
    const state = await (await fetch(`${health}/health/state`)).json();
    expect(state).toMatchObject({
      worker: 'w-1',
      revision: '0123abc',
      slots: { total: 10, free: 10 },
      queues: [{ queue: 'default', receiving: true }],
    });
  });

  test('ends with status 0 at SIGTERM', async () => {
    const [program] = await startWorker();
    await expect(program.stop()).resolves.toBe(0);
    expect(program.output).toContain('worker stopped');
  });

  test.each([
    ['its queue does not exist', { WORKER_QUEUES: 'reports' }, 'reports', 'the queue does not exist'],
    ['its broker is away', { AWS_ENDPOINT_URL_SQS: 'http://127.0.0.1:9' }, 'default', 'ECONNREFUSED'],
  ])(
    'is not ready, logs the reason once, and can still be stopped if %s',
    async (_what, environment, queue, why) => {
      const [program, at] = await startWorker(environment);
      await program.says(`cannot receive from ${queue}: `);
      expect(program.output).toContain(why);
      const ready = await fetch(`${at}/health/ready`);
      expect(ready.status).toBe(503);
      await expect(ready.json()).resolves.toEqual({ status: 'unavailable' });
      await expect(program.stop()).resolves.toBe(0);
      expect(program.output.split(`cannot receive from ${queue}:`)).toHaveLength(2);
    },
  );
});

describe('the start of the worker', () => {
  test.each([
    [
      'variables are invalid, and the message names all of them',
      { WORKER_QUEUES: 'a b', WORKER_CONCURRENCY: '0', QUEUE_URL_PREFIX: '' },
      [
        'WORKER_QUEUES held "a b": expected all, none, or queue names',
        'WORKER_CONCURRENCY held "0": expected a whole number from 1 to 1000',
        'QUEUE_URL_PREFIX is not set',
      ],
    ],
    [
      'it cannot run the tasks of a queue',
      { WORKER_QUEUES: 'letters' },
      ['WORKER_QUEUES', 'for which this worker has no implementation: expected default, reports'],
    ],
  ])('is refused with a message without a stack if %s', async (_what, environment, says) => {
    const program = new Program(WORKER, { ...backends.environment, ...environment });
    await expect(program.ended()).resolves.toBe(1);
    expect(says.filter((words) => !program.output.includes(words))).toEqual([]);
    expect(program.output).not.toContain('    at ');
  });
});
