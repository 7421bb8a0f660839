// The dead letters of a worker with keys, put back by the command.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Message, ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { createTaskClient } from 'baton-tasks/service';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';
import { healthCheck } from '@baton/common/contracts/health';

const [k1, k2] = ['k1', 'k2'].map((id) => `${id}:${randomBytes(32).toString('base64')}`);
const before = { ...process.env };

let backends: Backends;
const programs: Program[] = [];
beforeAll(async () => {
  backends = await startBackends(['worker']);
  // A sender whose key the worker does not have yet
  Object.assign(process.env, backends.environment, { LOG_LEVEL: 'silent', TASK_SIGNING_KEYS: k2 });
});
afterAll(async () => {
  await Promise.all(programs.map((program) => program.stop()));
  process.env = { ...before };
  await backends.stop();
});

async function startWorker(keys: string): Promise<Program> {
  const program = new Program('worker/main.ts', {
    ...backends.environment,
    WORKER_QUEUES: 'default',
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
    TASK_SIGNING_KEYS: keys,
  });
  programs.push(program);
  await program.says('worker started');
  return program;
}

const deadLetters = () => backends.queueUrls.deadLettersOf('default');
async function countOfLetters(): Promise<number> {
  const { visible, hidden } = await countMessages(backends, deadLetters());
  return visible + hidden;
}

/** Receives dead letters, and leaves them visible. */
async function letters(count: number): Promise<Message[]> {
  const found = new Map<string, Message>();
  while (found.size < count) {
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: deadLetters(),
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        VisibilityTimeout: 0,
        MessageAttributeNames: ['All'],
      }),
    );
    for (const message of Messages) found.set(message.MessageId ?? '', message);
  }
  return [...found.values()];
}

test('a signed dead letter that is put back runs once its worker has the key, and forged ones are refused again', async () => {
  const sender = createTaskClient({
    source: 'script',
    queueUrlPrefix: backends.environment['QUEUE_URL_PREFIX'] ?? '',
  });
  const lacking = await startWorker(k1 ?? '');
  const { taskId } = await sender.send(healthCheck, {});
  await eventually('the letter of a sender whose key is missing', async () => (await countOfLetters()) === 1);
  const [signed] = await letters(1);
  const body = signed?.Body ?? '';
  expect(body).toContain('"signature":"k2:');
  // Forged: without a signature, and with another message's
  const unsigned = await backends.tasks.send(healthCheck, {});
  const changed = body.replace(taskId, 'forged-id');
  await backends.sqs.send(
    new SendMessageCommand({
      QueueUrl: deadLetters(),
      MessageBody: changed,
      MessageAttributes: signed?.MessageAttributes,
    }),
  );
  await eventually('three letters', async () => (await countOfLetters()) === 3);
  await lacking.stop();

  const worker = await startWorker([k1, k2].join());
  const command = new Program('packages/baton-dev/src/dead-letters/main.ts', backends.environment, [
    'default',
    '--put-back',
  ]);
  await expect(command.ended()).resolves.toBe(0);
  expect(command.output).toContain('3 dead letters of default put back');
  await eventually('the signed task', () =>
    worker.lines.some((line) => line['taskId'] === taskId && line['message'] === 'health.check done'),
  );
  await eventually('the forged letters', async () => (await countOfLetters()) === 2);
  const again = await letters(2);
  expect(new Set(again.map(({ Body }) => JSON.parse(Body ?? '').id as string))).toEqual(
    new Set([unsigned.taskId, 'forged-id']),
  );
  const reasons = again.map(({ MessageAttributes }) => MessageAttributes?.['baton.reason']?.StringValue);
  expect(reasons).toEqual(['bad-signature', 'bad-signature']);
  const done = worker.lines.filter(({ message }) => message === 'health.check done');
  expect(done.map((line) => line['taskId'])).toEqual([taskId]);
});
