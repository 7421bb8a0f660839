import { describe, expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { Outcome } from '../../task/outcome.ts';
import { QueueUrls } from '../queue-urls.ts';
import { Settler } from '../settler.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

const trace = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), flags: '01' };
const body = messageBody({ task: 'tests.work', trace });
const message = receivedMessage({ body, receiveCount: 3, sentAtMs: 0, firstReceivedAtMs: 0 });
const error = new Error('bad \u0000 \uFFFF character');

interface Call {
  readonly name: string;
  readonly input: { readonly QueueUrl: string; readonly Entries: readonly Record<string, unknown>[] };
}

/** A settler, and the calls that it made. SQS accepts all of them. */
function settlerAndCalls(queue = 'work'): [Settler, Call[]] {
  const calls: Call[] = [];
  const send = async (command: { constructor: { name: string }; input: Call['input'] }) => {
    calls.push({ name: command.constructor.name, input: command.input });
    return { Successful: command.input.Entries };
  };
  return [new Settler({ send } as unknown as SQSClient, new QueueUrls('http://sqs/0/'), queue), calls];
}

const DELETE = ['DeleteMessageBatchCommand', 'http://sqs/0/work', { ReceiptHandle: 'r-1' }];
const hide = (seconds: number) => [
  'ChangeMessageVisibilityBatchCommand',
  'http://sqs/0/work',
  { ReceiptHandle: 'r-1', VisibilityTimeout: seconds },
];
const COPY = ['SendMessageBatchCommand', 'http://sqs/0/work-dlq', { MessageBody: body }];

describe('a settler', () => {
  test.each<[Outcome, unknown[][]]>([
    [{ kind: 'done', result: {} }, [DELETE]],
    [{ kind: 'retry', delaySeconds: 42, error }, [hide(42)]],
    [{ kind: 'release', error }, [hide(0)]],
    [{ kind: 'dead-letter', reason: 'rejected', error }, [COPY, DELETE]],
  ])('carries out the outcome $kind', async (outcome, expected) => {
    const [settler, calls] = settlerAndCalls();
    await settler.settle(message, outcome, 'w-1');
    expect(calls.map(({ name, input }) => [name, input.QueueUrl, input.Entries[0]])).toMatchObject(expected);
    expect(calls).toHaveLength(expected.length);
  });

  test('sends dead letters together that fit into one request, by the bytes that SQS counts', async () => {
    const [settler, calls] = settlerAndCalls();
    const blob = { DataType: 'Binary', BinaryValue: new Uint8Array(400_000) };
    const large = { ...message, attributes: { blob } };
    const outcome = { kind: 'dead-letter', reason: 'rejected', error } as const;
    await Promise.all([large, large].map((each) => settler.settleAllButDelete(each, outcome, 'w-1')));
    expect(calls.map(({ input }) => input.Entries.length)).toEqual([2]);
  });

  test.each([
    [5000, 900],
    [7, 7],
  ])(
    'sends a copy for a rest of %d s, delayed by %d s, before it deletes the old message',
    async (rests, delay) => {
      const [settler, calls] = settlerAndCalls();
      await settler.settle(message, { kind: 'release', error, delaySeconds: rests, asCopy: true }, 'w-1');
      expect(calls.map(({ name, input }) => [name, input.QueueUrl, input.Entries[0]])).toMatchObject([
        ['SendMessageBatchCommand', 'http://sqs/0/work', { MessageBody: body, DelaySeconds: delay }],
        DELETE,
      ]);
    },
  );

  test('does not delete a message of an event source, which does that', async () => {
    const [settler, calls] = settlerAndCalls();
    await expect(settler.settleAllButDelete(message, { kind: 'done', result: {} }, 'w-1')).resolves.toBe(
      true,
    );
    const rejected: Outcome = { kind: 'dead-letter', reason: 'rejected', error };
    await expect(settler.settleAllButDelete(message, rejected, 'w-1')).resolves.toBe(true);
    expect(calls.map(({ name }) => name)).toEqual(['SendMessageBatchCommand']);
  });

  test('writes all details of a dead letter, in characters that SQS accepts', async () => {
    const [settler, calls] = settlerAndCalls();
    await settler.settle(message, { kind: 'dead-letter', reason: 'rejected', error }, 'w-1');
    const attributes = calls[0]?.input.Entries[0]?.['MessageAttributes'] as Record<
      string,
      { StringValue: string }
    >;
    expect(attributes['baton.reason']?.StringValue).toBe('rejected');
    expect(attributes['traceparent']?.StringValue).toBe(`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    const details = attributes['baton.details']?.StringValue ?? '';
    expect(details).toMatch(/^[\t\n\r\u0020-\uD7FF\uE000-\uFFFD]*$/);
    expect(JSON.parse(details)).toEqual({
      error: 'Error',
      message: expect.stringMatching(/^bad .* character$/) as unknown,
      task: 'tests.work',
      taskId: 't-1',
      attempts: 3,
      sentAt: '1970-01-01T00:00:00.000Z',
      firstReceivedAt: '1970-01-01T00:00:00.000Z',
      deadAt: expect.any(String) as unknown,
      worker: 'w-1',
    });
  });

  test("keeps the sender's attributes on a dead letter, as many as SQS accepts", async () => {
    const [settler, calls] = settlerAndCalls();
    const names = Array.from({ length: 10 }, (_, index) => `own-${index}`);
    const own = Object.fromEntries(names.map((name) => [name, { DataType: 'String', StringValue: 'x' }]));
    await settler.settle(
      { ...message, attributes: own },
      { kind: 'dead-letter', reason: 'rejected', error },
      'w-1',
    );
    const kept = Object.keys(calls[0]?.input.Entries[0]?.['MessageAttributes'] as object);
    expect(kept).toEqual(['baton.reason', 'baton.details', 'traceparent', ...names.slice(0, 7)]);
  });

  test('dead-letters a message that has no space for attributes', async () => {
    const [settler, calls] = settlerAndCalls();
    const large = { ...message, body: 'x'.repeat(1_048_576 - 50) };
    await settler.settle(large, { kind: 'dead-letter', reason: 'malformed', error }, 'w-1');
    expect(Object.keys(calls[0]?.input.Entries[0]?.['MessageAttributes'] as object)).toEqual([
      'baton.reason',
    ]);
    expect(calls).toHaveLength(2);
  });

  test('sends copies to their lane, and dead letters with its name to the shared dead-letter queue', async () => {
    const [settler, calls] = settlerAndCalls('work_high');
    await settler.settle(message, { kind: 'retry', delaySeconds: 1, error, asCopy: true }, 'w-1');
    await settler.settle(message, { kind: 'dead-letter', reason: 'rejected', error }, 'w-1');
    const sent = calls.filter(({ name }) => name === 'SendMessageBatchCommand');
    expect(sent.map(({ input }) => input.QueueUrl)).toEqual([
      'http://sqs/0/work_high',
      'http://sqs/0/work-dlq',
    ]);
    const attributes = sent[1]?.input.Entries[0]?.['MessageAttributes'] as Record<
      string,
      { StringValue: string }
    >;
    expect(JSON.parse(attributes['baton.details']?.StringValue ?? '')).toMatchObject({ lane: 'high' });
  });

  test('sends the body that an outcome names, as of a tick that was signed', async () => {
    const [settler, calls] = settlerAndCalls();
    const named = { error, body: `{"signature":"k-1:x",${body.slice(1)}` } as const;
    await settler.settle(message, { kind: 'release', delaySeconds: 1, asCopy: true, ...named }, 'w-1');
    await settler.settle(message, { kind: 'dead-letter', reason: 'rejected', ...named }, 'w-1');
    const sent = calls.filter(({ name }) => name === 'SendMessageBatchCommand');
    expect(sent.map(({ input }) => input.Entries[0]?.['MessageBody'])).toEqual([named.body, named.body]);
  });

  test('joins the outcomes of the same moment', async () => {
    const [settler, calls] = settlerAndCalls();
    await Promise.all(
      Array.from({ length: 12 }, () => settler.settle(message, { kind: 'done', result: {} }, 'w-1')),
    );
    expect(calls.map(({ input }) => input.Entries.length)).toEqual([10, 2]);
  });
});
