import { expect, test } from '@jest/globals';
import { createLambdaConsumer } from '../../lambda/lambda-consumer.ts';
import { implement } from '../../task/implementation.ts';
import { MemoryBackend } from '../memory-backend.ts';
import { sqsEvent } from '../sqs-event.ts';
import { greet } from './work.ts';

const context = { getRemainingTimeInMillis: () => 30_000 };

test('an event brings its task to the consumer of a function, which reports the failed messages', async () => {
  const backend = new MemoryBackend({
    clock: { nowMs: Date.now() },
    abortGraceSeconds: 1,
    waitForEnd: async () => undefined,
  });
  const seen: unknown[] = [];
  const greeter = implement(greet, (payload, { taskId, attempt }) => {
    seen.push({ ...payload, taskId, attempt });
    if (payload.loud) throw new Error('no');
    return { text: payload.name };
  });
  const consumer = createLambdaConsumer({
    ...backend.processing([greeter]),
    sqs: backend.sqs.client,
    queueUrls: backend.sqs.queueUrls,
  });
  await backend.tasks.send(greet, { name: 'Eve' });
  const event = sqsEvent(greet, { name: 'Ada' }, { taskId: 't-1', receives: 2, subject: 'order-7' });
  await expect(consumer(event, context)).resolves.toEqual({ batchItemFailures: [] });
  expect(seen).toEqual([{ name: 'Ada', loud: false, taskId: 't-1', attempt: 1 }]);
  expect(JSON.parse(event.Records[0]?.body ?? '')).toMatchObject({ type: 'tests.greet', subject: 'order-7' });
  const failing = sqsEvent(greet, { name: 'Ada', loud: true });
  await expect(consumer(failing, context)).resolves.toMatchObject({
    batchItemFailures: [{ itemIdentifier: failing.Records[0]?.messageId }],
  });
});

test('an event with a wrong payload is a compile error', () => {
  // @ts-expect-error -- a name is a text
  expect(sqsEvent(greet, { name: 7 }).Records).toHaveLength(1);
});
