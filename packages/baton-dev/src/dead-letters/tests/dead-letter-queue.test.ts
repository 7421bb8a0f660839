import { expect, test } from '@jest/globals';
import type { Message, SQSClient } from '@aws-sdk/client-sqs';
import { DeadLetterQueue } from '../dead-letter-queue.ts';

interface Input {
  readonly QueueUrl: string;
  readonly Entries?: { readonly Id: string; readonly MessageAttributes?: object }[];
}

/** Redrives one dead letter on an SQS that refuses the kinds of requests in `refuses`. */
async function putBack(refuses: readonly string[], letter: Message = {}) {
  const calls: string[] = [];
  const sent: { readonly to: string; readonly attributes: object }[] = [];
  let left = [{ MessageId: 'm-1', ReceiptHandle: 'r-1', Body: 'no task', ...letter }];
  const send = async (command: { constructor: { name: string }; input: Input }) => {
    const call = command.constructor.name.replace('Command', '');
    calls.push(call);
    if (call === 'ReceiveMessage') return { Messages: left.splice(0) };
    const { Entries = [], QueueUrl } = command.input;
    if (call === 'SendMessageBatch')
      sent.push(
        ...Entries.map(({ MessageAttributes = {} }) => ({ to: QueueUrl, attributes: MessageAttributes })),
      );
    if (!refuses.includes(call)) return { Successful: Entries };
    return { Failed: Entries.map(({ Id }) => ({ Id, Code: 'AccessDenied', SenderFault: true })) };
  };
  const sqs = { send } as unknown as SQSClient;
  const urlOf = async (name: string) => name;
  const rest = async (ms: number) => void calls.push(ms > 2000 ? 'rest' : 'short rest');
  const queue = new DeadLetterQueue({ sqs, queue: 'orders', url: 'orders-dlq', urlOf, rest });
  const results: unknown[] = [];
  for await (const letters of queue.letters()) results.push(...(await queue.putBack(letters)));
  await queue.release();
  left = [];
  return { calls, results, sent };
}

test('a dead letter is sent before it is deleted, and only once it is sure which letters were there before', async () => {
  const { calls, results } = await putBack([]);
  expect(results).toMatchObject([{ became: 'back' }]);
  const [first, ...others] = calls;
  expect([first, others]).toEqual([
    'ReceiveMessage',
    ['rest', 'SendMessageBatch', 'DeleteMessageBatch', 'ReceiveMessage'],
  ]);
});

test('a dead letter whose send fails is not deleted, and becomes visible again', async () => {
  const { calls, results } = await putBack(['SendMessageBatch']);
  expect(results).toMatchObject([{ became: 'kept', why: 'AccessDenied' }]);
  expect(calls).not.toContain('DeleteMessageBatch');
  expect(calls.at(-1)).toBe('ChangeMessageVisibilityBatch');
});

test('a dead letter that was sent but cannot be deleted is reported as existing twice', async () => {
  const { results } = await putBack(['DeleteMessageBatch']);
  expect(results).toMatchObject([{ became: 'twice', why: 'AccessDenied' }]);
});

test('a dead letter that SQS itself moved is sent without the attributes that count its attempts, receives, age and delay', async () => {
  const text = (StringValue: string) => ({ DataType: 'String', StringValue });
  const counting = ['earlier-attempts', 'earlier-receives', 'first-id', 'unknown-times', 'not-before'];
  const notes = [...counting, 'first-sent-at', 'sent-at'].map((name) => [`baton.${name}`, text('2')]);
  const kept = { tenant: text('acme'), 'baton.dead-at': text('then'), 'baton.unconcluded': text('c-1') };
  const letter = {
    MessageAttributes: { ...Object.fromEntries(notes), ...kept } as Message['MessageAttributes'],
  };
  const { sent } = await putBack([], letter);
  expect(sent).toEqual([{ to: 'orders', attributes: kept }]);
});

test.each([
  ['baton-dev-orders_high', 'orders_high'],
  ['baton-dev_orders_x-orders_low', 'orders_low'],
  ['baton-dev-orders', 'orders'],
  ['baton-dev_orders_x-orders', 'orders'],
])('a dead letter that SQS itself moved from %s is sent to %s', async (source, to) => {
  const arn = `arn:aws:sqs:eu-central-1:123456789012:${source}`;
  const { sent } = await putBack([], { Attributes: { DeadLetterQueueSourceArn: arn } });
  expect(sent).toMatchObject([{ to }]);
});

test.each([
  '/../baton-dev-notifications',
  'high/../../x',
  'HIGH',
  'high_low',
  ' high',
  'x'.repeat(21),
  '',
  7,
  null,
])('a dead letter that names the lane %j is sent to the queue itself, and to no other', async (lane) => {
  const details = { DataType: 'String', StringValue: JSON.stringify({ lane }) };
  const { sent } = await putBack([], { MessageAttributes: { 'baton.details': details } });
  expect(sent).toMatchObject([{ to: 'orders' }]);
});

test('a dead letter that names a lane is sent to that', async () => {
  const details = { DataType: 'String', StringValue: JSON.stringify({ lane: 'high-a1' }) };
  const { sent } = await putBack([], { MessageAttributes: { 'baton.details': details } });
  expect(sent).toMatchObject([{ to: 'orders_high-a1' }]);
});
