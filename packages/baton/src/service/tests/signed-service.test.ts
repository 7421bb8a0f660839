// A service with keys: what it sends, its function consumes.
import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ReceiveMessageCommand, type Message } from '@aws-sdk/client-sqs';
import type { SQSEvent } from 'aws-lambda';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { implement } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { sqsEvent } from '../../testing/sqs-event.ts';
import { createConsumer, createTrackedConsumer } from '../consumer.ts';
import { createService } from '../service.ts';
import { createTaskClient } from '../task-client.ts';
import * as z from 'zod';

const shared = {
  queue: 'default',
  payload: z.object({ amount: z.int() }),
  result: z.object({}),
  retry: { maxAttempts: 2, baseSeconds: 1 },
  timeoutSeconds: 5,
} as const;
const charge = defineTask({ ...shared, name: 'payments.charge' });
const settle = defineTask({ ...shared, name: 'payments.settle', tracked: true });
const context = { getRemainingTimeInMillis: () => 30_000 };
const before = { ...process.env };

let backends: Backends;
const ran: unknown[] = [];
beforeAll(async () => {
  backends = await startBackends(['default']);
  // As its container and its function have them; the clients of AWS read the environment themselves
  Object.assign(process.env, backends.environment, {
    LOG_LEVEL: 'silent',
    TASK_SIGNING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  });
});
afterAll(async () => {
  process.env = { ...before };
  await backends.stop();
});

const service = () => createService({ name: 'payments', version: '1', port: 8004, tracks: true });
const run = ({ amount }: { amount: number }) => {
  ran.push(amount);
  return {};
};

/** Receives messages of a queue, each once. */
async function receive(queue: string, count: number): Promise<Message[]> {
  const received = new Map<string, Message>();
  while (received.size < count) {
    const { Messages = [] } = await backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: backends.queueUrls.of(queue),
        MaxNumberOfMessages: 10,
        WaitTimeSeconds: 1,
        MessageAttributeNames: ['All'],
      }),
    );
    for (const message of Messages) received.set(message.Body ?? '', message);
  }
  return [...received.values()];
}

/** The event with which Lambda gives a message to a function. */
function eventOf({ Body = '', ReceiptHandle = '' }: Message): SQSEvent {
  const [record] = sqsEvent(charge, { amount: 0 }).Records;
  if (!record) throw new Error('expected a record');
  return { Records: [{ ...record, body: Body, receiptHandle: ReceiptHandle }] };
}

test('its functions run what it and its programs send, tracked or not, and dead-letter what others send', async () => {
  const { tasks, tasksTable } = service();
  const program = createTaskClient({
    source: 'script',
    queueUrlPrefix: backends.environment['QUEUE_URL_PREFIX'] ?? '',
    tasksTable,
  });
  const plain = createConsumer(service(), [implement(charge, run)]);
  const tracked = createTrackedConsumer(service(), [implement(settle, run)]);
  await tasks.send(charge, { amount: 1 });
  await program.send(settle, { amount: 2 }, { taskId: randomUUID() });
  // An attacker, or a service without keys
  await backends.tasks.send(charge, { amount: 666 });
  for (const message of await receive('default', 3)) {
    const consume = message.Body?.includes(settle.name) === true ? tracked : plain;
    await expect(consume(eventOf(message), context)).resolves.toEqual({ batchItemFailures: [] });
  }
  expect(new Set(ran)).toEqual(new Set([1, 2]));
  const [letter] = await receive('default-dlq', 1);
  expect(letter?.MessageAttributes?.['baton.reason']?.StringValue).toBe('bad-signature');
  expect(letter?.Body).toContain('666');
});
