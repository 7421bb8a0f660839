import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { ReceiveMessageCommand, SendMessageCommand } from '@aws-sdk/client-sqs';
import { ping } from '../../../tests/support/ping.ts';
import { RejectTask, RetryTask } from '../../task/errors.ts';
import { implement, Implementations, type TaskHandler } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../lambda-consumer.ts';
import { TaskClient } from '../../send/task-client.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { SQSRecord } from 'aws-lambda';
import { messageBody } from '../../../tests/support/messages.ts';

const context = { getRemainingTimeInMillis: () => 30_000 };
const healthy = { workerId: 'w-1', version: '1' };

let backends: Backends;
beforeAll(async () => {
  backends = await startBackends(['default']);
});
afterAll(() => backends.stop());

type Handler = TaskHandler<typeof ping.payload, typeof ping.result>;

function consumer(handler: Handler, { concurrency = 10 } = {}) {
  const { sqs, queueUrls } = backends;
  const { send } = new TaskClient({ sqs, queueUrls, source: 'tests' });
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const implementations = new Implementations([
    implement({ ...ping, retry: { maxAttempts: 5, baseSeconds: 1 } }, handler),
  ]);
  return createLambdaConsumer({
    sqs,
    queueUrls,
    send,
    logger,
    implementations,
    worker: { id: 'w-1', version: '1' },
    concurrency,
  });
}

/** Sends messages to the queue and receives them, as the event source of a function does. */
async function received(bodies: readonly string[]): Promise<SQSRecord[]> {
  const QueueUrl = backends.queueUrls.of('default');
  const records: SQSRecord[] = [];
  const sent = new Set<string | undefined>();
  for (const MessageBody of bodies)
    sent.add((await backends.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }))).MessageId);
  while (records.length < bodies.length) {
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageSystemAttributeNames: ['All'],
      }),
    );
    for (const { MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} } of Messages) {
      // Each message once: SQS may deliver it twice, and may deliver messages of other tests
      if (!sent.delete(MessageId)) continue;
      records.push({
        messageId: MessageId,
        receiptHandle: ReceiptHandle,
        body: Body,
        attributes: Attributes as unknown as SQSRecord['attributes'],
        messageAttributes: {},
        md5OfBody: '',
        eventSource: 'aws:sqs',
        eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${backends.stage}-default`,
        awsRegion: 'us-east-1',
      });
    }
  }
  return records;
}

const body = (taskId: string): string => messageBody({ taskId, task: ping.name });

async function receiveFrom(url: string, wait: number) {
  const { Messages = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: wait,
      VisibilityTimeout: 30,
      MessageAttributeNames: ['All'],
    }),
  );
  return Messages;
}

/** Whether these messages become visible long before their leases expire. */
async function areShown(ids: readonly string[]): Promise<boolean> {
  const hidden = new Set<string | undefined>(ids);
  return eventually(`visible messages: ${ids.join(', ')}`, async () => {
    const messages = await receiveFrom(backends.queueUrls.of('default'), 1);
    for (const { MessageId } of messages) hidden.delete(MessageId);
    return hidden.size === 0;
  });
}

describe('a function that consumes a queue', () => {
  test('reports no failures if all messages are done', async () => {
    const Records = await received([body('a'), body('b')]);
    await expect(consumer(() => healthy)({ Records }, context)).resolves.toEqual({ batchItemFailures: [] });
  });

  test('reports only the failed messages of a batch', async () => {
    const Records = await received([body('good'), body('bad'), body('fine')]);
    const bad = Records.find((record) => record.body.includes('"bad"'))?.messageId;
    const handler: Handler = (_payload, { taskId }) => {
      if (taskId === 'bad') throw new Error('no');
      return healthy;
    };
    await expect(consumer(handler)({ Records }, context)).resolves.toEqual({
      batchItemFailures: [{ itemIdentifier: bad }],
    });
  });

  test('gives a failed message the rest that its handler asked for', async () => {
    const Records = await received([body('again')]);
    await consumer(() => {
      throw new RetryTask('at once', { delaySeconds: 0 });
    })({ Records }, context);
    await expect(areShown(Records.map(({ messageId }) => messageId))).resolves.toBe(true);
  });

  test.each([
    ['a task rejected by its handler', () => body('rejected'), 'rejected'],
    ['a body that is not JSON', () => 'hello', 'malformed'],
  ])(
    'copies %s unchanged to the dead-letter queue, with the reason, and reports it as done',
    async (_what, make, reason) => {
      const Records = await received([make()]);
      const reject: Handler = () => {
        throw new RejectTask('never \u0001');
      };
      await expect(consumer(reject)({ Records }, context)).resolves.toEqual({ batchItemFailures: [] });
      const [dead] = await receiveFrom(backends.queueUrls.deadLettersOf('default'), 2);
      expect(dead?.Body).toBe(make());
      expect(dead?.MessageAttributes?.['baton.reason']?.StringValue).toBe(reason);
      expect(dead?.MessageAttributes?.['baton.details']?.StringValue).toContain('"worker":"w-1"');
    },
  );

  test('releases a running message if the time of the invocation ends', async () => {
    const Records = await received([body('slow')]);
    const untilAborted: Handler = (_payload, { signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    const answer = await consumer(untilAborted)({ Records }, { getRemainingTimeInMillis: () => 1050 });
    expect(answer.batchItemFailures).toHaveLength(1);
    await expect(areShown(Records.map(({ messageId }) => messageId))).resolves.toBe(true);
  });

  test('starts no record without enough time, makes it visible again and reports it as failed', async () => {
    const Records = await received([body('first'), body('second'), body('third')]);
    let remainingMs = 30_000;
    const begun: string[] = [];
    const slow: Handler = (_payload, { taskId }) => {
      begun.push(taskId);
      remainingMs = 2400;
      return healthy;
    };
    const answer = await consumer(slow, { concurrency: 1 })(
      { Records },
      { getRemainingTimeInMillis: () => remainingMs },
    );
    expect(begun).toHaveLength(1);
    const [, ...left] = Records.map(({ messageId }) => messageId);
    expect(answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier)).toEqual(left);
    await expect(areShown(left)).resolves.toBe(true);
  });

  test('runs at most as many records at a time as its option allows', async () => {
    const Records = await received(['a', 'b', 'c', 'd', 'e'].map(body));
    let running = 0;
    let most = 0;
    const handler: Handler = async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      return healthy;
    };
    await consumer(handler, { concurrency: 2 })({ Records }, context);
    expect(most).toBe(2);
  });
});

test('a record that may have killed an earlier invocation runs alone in its batch', async () => {
  const records = await received(['t-1', 't-2', 't-3', 't-4'].map(body));
  const [suspect] = records;
  // More receives than its five attempts
  if (suspect) suspect.attributes = { ...suspect.attributes, ApproximateReceiveCount: '6' };
  const running = new Set<string>();
  const company: (readonly [taskId: string, others: number])[] = [];
  const invoke = consumer(
    async (_payload, { taskId }) => {
      company.push([taskId, running.size]);
      running.add(taskId);
      await sleep(20);
      running.delete(taskId);
      return healthy;
    },
    { concurrency: 2 },
  );
  await expect(invoke({ Records: records }, context)).resolves.toEqual({ batchItemFailures: [] });
  const suspectId = (JSON.parse(suspect?.body ?? '') as { id: string }).id;
  expect(company.filter(([taskId]) => taskId === suspectId)).toEqual([[suspectId, 0]]);
  expect(company).toHaveLength(4);
  expect(company.filter(([, others]) => others > 0).length).toBeGreaterThan(0);
});
