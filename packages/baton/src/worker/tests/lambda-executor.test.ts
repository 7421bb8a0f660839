import { describe, expect, jest, test } from '@jest/globals';
import { type InvokeCommand, type LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import { createLogger } from '../../telemetry/logger.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { SQSEvent } from 'aws-lambda';
import { LambdaExecutor } from '../lambda-executor.ts';
import { Slots } from '../slots.ts';
import { receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

const target = { queue: 'work', functionName: 'worker-function', batchSize: 2, maximumConcurrency: 1 };
const host = { signal: new AbortController().signal, outlivedBy: () => undefined };

function message(messageId: string) {
  const body = `body of ${messageId}`;
  return receivedMessage({ messageId, receiptHandle: `r-${messageId}`, body, receiveCount: 2, sentAtMs: 5 });
}

/** An executor whose function returns the result of `answer`. */
function executorOf(
  answer: (event: SQSEvent) => unknown,
  ExecutedVersion: string | undefined = '$LATEST',
  limits = {},
) {
  const events: SQSEvent[] = [];
  const payloads: number[] = [];
  const limited = { ...target, ...limits };
  const slots = new Slots(limited.batchSize * limited.maximumConcurrency);
  const send = jest.fn(async ({ input }: InvokeCommand) => {
    payloads.push(Buffer.byteLength(input.Payload as unknown as string));
    const event = JSON.parse(input.Payload as unknown as string) as SQSEvent;
    events.push(event);
    const answered = await answer(event);
    if (answered instanceof Error)
      return {
        ExecutedVersion,
        FunctionError: 'Unhandled',
        Payload: Buffer.from(answered.message),
      };
    return {
      ExecutedVersion,
      Payload: Buffer.from(typeof answered === 'string' ? answered : JSON.stringify(answered ?? null)),
    };
  });
  const executor = new LambdaExecutor({
    lambda: { send } as unknown as LambdaClient,
    target: limited,
    region: 'us-east-1',
    slots,
    leaseSeconds: 30,
    queueUrl: 'http://127.0.0.1:4566/000000000000/baton-dev-work',
    logger: createLogger({ service: 'tests', level: 'silent' }),
  });
  return {
    events,
    payloads,
    executor,
    slots,
    run: (...ids: string[]) =>
      Promise.all(ids.map((id) => executor.run(message(id), host).then(({ kind }) => kind))),
  };
}

describe('the lambda executor', () => {
  test('invokes the function with batches of the batch size, as the event source of AWS does', async () => {
    const { events, run } = executorOf(() => null);
    await expect(run('a', 'b', 'c')).resolves.toEqual(['done', 'done', 'done']);
    expect(events.map(({ Records }) => Records.length)).toEqual([2, 1]);
    expect(events[0]?.Records[0]).toMatchObject({
      messageId: 'a',
      receiptHandle: 'r-a',
      body: 'body of a',
      attributes: { ApproximateReceiveCount: '2', SentTimestamp: '5' },
      eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:baton-dev-work',
    });
  });

  test.each([
    ['nothing at all', '', ['done', 'done']],
    ['null', null, ['done', 'done']],
    ['no failures', { batchItemFailures: [] }, ['done', 'done']],
    ['no list of failures', { batchItemFailures: null }, ['done', 'done']],
    ['one failure', { batchItemFailures: [{ itemIdentifier: 'b' }] }, ['done', 'left']],
    ['an id that is not in the batch', { batchItemFailures: [{ itemIdentifier: 'z' }] }, ['left', 'left']],
    ['an empty id', { batchItemFailures: [{ itemIdentifier: '' }] }, ['left', 'left']],
    ['a text that is not JSON', '{"batch', ['left', 'left']],
    ['another shape', { batchItemFailures: 'b' }, ['left', 'left']],
    ['an error', new Error('{"errorMessage":"no"}'), ['left', 'left']],
  ])('treats the answer "%s" as AWS does', async (_what, answer, executions) => {
    await expect(executorOf(() => answer).run('a', 'b')).resolves.toEqual(executions);
  });

  test.each(['', '{}', 'null', '{"batchItemFailures":null}'])(
    'leaves all messages if the answer %j names no version that ran, so it is not from Lambda',
    async (answer) => {
      await expect(executorOf(() => answer, '').run('a', 'b')).resolves.toEqual(['left', 'left']);
    },
  );

  test('accepts a list of failures without a version, as serverless-offline answers', async () => {
    const answer = { batchItemFailures: [{ itemIdentifier: 'b' }] };
    await expect(executorOf(() => answer, '').run('a', 'b')).resolves.toEqual(['done', 'left']);
  });

  test('leaves the messages if the invocation fails', async () => {
    const { run } = executorOf(() => Promise.reject(new Error('no function')));
    await expect(run('a')).resolves.toEqual(['left']);
  });

  test('makes at most maximumConcurrency invocations at a time', async () => {
    let running = 0;
    let most = 0;
    const { run } = executorOf(async () => {
      most = Math.max(most, (running += 1));
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    });
    await run('a', 'b', 'c', 'd', 'e');
    expect(most).toBe(1);
  });

  test('gives a message back if no invocation is free within a second', async () => {
    const end = Promise.withResolvers<void>();
    const { events, run } = executorOf(() => end.promise);
    const running = run('a', 'b');
    await expect(run('c')).resolves.toEqual(['release']);
    end.resolve();
    await expect(running).resolves.toEqual(['done', 'done']);
    expect(events).toHaveLength(1);
  });

  test('holds the slots of a whole batch while an invocation runs, so that no message waits for the next', async () => {
    const end = Promise.withResolvers<void>();
    const { events, run, slots } = executorOf(() => end.promise);
    slots.takeFree(target.queue, 1);
    const running = run('a');
    await eventually('an invocation', () => events.length === 1);
    expect(slots.free).toBe(0);
    end.resolve();
    await running;
    slots.giveBack(target.queue);
    expect(slots.free).toBe(2);
  });

  test('retries a throttled invocation', async () => {
    let calls = 0;
    const { run } = executorOf(() => {
      calls += 1;
      if (calls < 3) throw new TooManyRequestsException({ message: 'slower', $metadata: {} });
      return null;
    });
    await expect(run('a')).resolves.toEqual(['done']);
    expect(calls).toBe(3);
  });

  test('leaves a message to a function that hangs if the worker must stop', async () => {
    const { executor } = executorOf(() => new Promise(() => undefined));
    const stop = new AbortController();
    const execution = executor.run(message('a'), { signal: stop.signal, outlivedBy: () => undefined });
    stop.abort();
    await expect(execution).resolves.toEqual({ kind: 'left' });
  });

  /** SQS's limit for a message, with its attributes. */
  const MEGABYTE = 1_048_576;

  test.each([
    ['attributes', { attributes: textAttributes({ a: 'x'.repeat(MEGABYTE - 100) }) }],
    ['quotes in bodies', { body: '"'.repeat(MEGABYTE) }],
    ['quotes in attributes', { attributes: textAttributes({ a: '"'.repeat(MEGABYTE - 100) }) }],
    ['bytes', { attributes: { a: { DataType: 'Binary', BinaryValue: Buffer.alloc(MEGABYTE - 100) } } }],
    ['letters of three bytes', { body: '\u20AC'.repeat(MEGABYTE / 3) }],
  ])(
    'invokes the function with at most what Lambda accepts, of messages with a megabyte of %s',
    async (_, large) => {
      const { executor, payloads, events } = executorOf(() => null, '$LATEST', {
        batchSize: 10,
        maximumConcurrency: 10,
      });
      const ids = Array.from({ length: 10 }, (_each, index) => String(index));
      const received = ids.map((messageId) =>
        receivedMessage({ messageId, receiptHandle: messageId, ...large }),
      );
      const executions = await Promise.all(received.map((each) => executor.run(each, host)));
      expect(new Set(executions.map(({ kind }) => kind))).toEqual(new Set(['done']));
      expect(Math.max(...payloads)).toBeLessThanOrEqual(6_291_556);
      expect(events.flatMap(({ Records }) => Records.map(({ messageId }) => messageId)).toSorted()).toEqual(
        ids,
      );
    },
  );
});
