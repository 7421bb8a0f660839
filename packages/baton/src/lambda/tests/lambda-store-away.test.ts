import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import { type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { implement, Implementations } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../lambda-consumer.ts';
import { TaskClient } from '../../send/task-client.ts';
import { StoreTracker } from '../../tracked/store-tracker.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import type { SQSRecord } from 'aws-lambda';
import { work } from '../../tracked/tests/tracked-work.ts';

let backends: Backends;
beforeAll(async () => {
  backends = await startBackends(['default']);
});
afterAll(() => backends.stop());

const seen = new Set<string | undefined>();

/** Receives the next new message. SQS may deliver a message twice. */
async function newMessage(): Promise<Message | undefined> {
  const { Messages: [message] = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: backends.queueUrls.of('default'),
      WaitTimeSeconds: 5,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    }),
  );
  if (!message || !seen.has(message.MessageId)) return message;
  return newMessage();
}

/** Receives a message as the event source of a function does. */
async function received(): Promise<SQSRecord> {
  const message = await newMessage();
  seen.add(message?.MessageId);
  const entries = Object.entries(message?.MessageAttributes ?? {}).map(([name, { StringValue }]) => [
    name,
    { dataType: 'String', stringValue: StringValue },
  ]);
  return {
    messageId: message?.MessageId ?? '',
    receiptHandle: message?.ReceiptHandle ?? '',
    body: message?.Body ?? '',
    attributes: message?.Attributes as unknown as SQSRecord['attributes'],
    messageAttributes: Object.fromEntries(entries) as SQSRecord['messageAttributes'],
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${backends.stage}-default`,
    awsRegion: 'us-east-1',
  };
}

test('a function whose task store goes away holds the outcome until its invocation ends, and the next one takes over at once', async () => {
  const { sqs, queueUrls, documents, tasksTable: table } = backends;
  const store = new TaskStore({ documents, table });
  const tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const run = jest.fn((_payload: unknown, _context: unknown) => ({ length: 4 }));
  const consumer = createLambdaConsumer({
    sqs,
    queueUrls,
    send: tasks.send,
    logger,
    tracker: new StoreTracker({ store, forward: tasks.forward, leaseSeconds: 30, logger }),
    implementations: new Implementations([
      implement({ ...work, retry: { maxAttempts: 1, baseSeconds: 1 } }, run),
    ]),
    worker: { id: 'w-1', version: '1' },
  });
  const { taskId } = await tasks.send(work, { text: 'four' });
  let away: { mockRestore(): void } | undefined;
  run.mockImplementationOnce(() => {
    away = jest.spyOn(documents, 'send').mockRejectedValue(new Error('no store') as never);
    return { length: 4 };
  });
  const endsAtMs = performance.now() + 3500;
  const first = { getRemainingTimeInMillis: () => endsAtMs - performance.now() };
  const answer = consumer({ Records: [await received()] }, first).finally(() => away?.mockRestore());
  // Its message has continued in a copy
  await expect(answer).resolves.toEqual({ batchItemFailures: [] });
  expect(performance.now()).toBeLessThan(endsAtMs);
  await expect(store.read(taskId)).resolves.toMatchObject({ state: 'running', attempts: 1 });

  const second = { getRemainingTimeInMillis: () => 30_000 };
  const copy = await received();
  expect(copy.messageAttributes['baton.unconcluded']?.stringValue).toMatch(/^[\w-]{36}$/);
  await expect(consumer({ Records: [copy] }, second)).resolves.toEqual({ batchItemFailures: [] });
  await expect(store.read(taskId)).resolves.toMatchObject({ state: 'succeeded', attempts: 1 });
}, 20_000);
