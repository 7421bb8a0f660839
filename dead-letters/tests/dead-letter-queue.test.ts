import { expect, test } from '@jest/globals';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { DeadLetterQueue } from '../dead-letter-queue.ts';

/** A queue whose one letter is put back by an SQS that refuses requests of the kinds in `refuses`. */
async function putBack(refuses: readonly string[]) {
  const calls: string[] = [];
  let left = [{ MessageId: 'm-1', ReceiptHandle: 'r-1', Body: 'no task' }];
  const send = async (command: { constructor: { name: string }; input: { Entries?: { Id: string }[] } }) => {
    const call = command.constructor.name.replace('Command', '');
    calls.push(call);
    if (call === 'ReceiveMessage') return { Messages: left.splice(0) };
    const { Entries = [] } = command.input;
    if (!refuses.includes(call)) return { Successful: Entries };
    return { Failed: Entries.map(({ Id }) => ({ Id, Code: 'AccessDenied', SenderFault: true })) };
  };
  const sqs = { send } as unknown as SQSClient;
  const urlOf = async (name: string) => name;
  const queue = new DeadLetterQueue({ sqs, queue: 'orders', url: 'orders-dlq', urlOf });
  const results: unknown[] = [];
  for await (const letters of queue.letters()) results.push(...(await queue.putBack(letters)));
  await queue.release();
  left = [];
  return { calls, results };
}

test('a letter is sent before it is deleted', async () => {
  const { calls, results } = await putBack([]);
  expect(results).toMatchObject([{ became: 'back' }]);
  expect(calls).toEqual(['ReceiveMessage', 'SendMessageBatch', 'DeleteMessageBatch', 'ReceiveMessage']);
});

test('a letter that is not taken is not deleted, and is shown again', async () => {
  const { calls, results } = await putBack(['SendMessageBatch']);
  expect(results).toMatchObject([{ became: 'kept', why: 'AccessDenied' }]);
  expect(calls).not.toContain('DeleteMessageBatch');
  expect(calls.at(-1)).toBe('ChangeMessageVisibilityBatch');
});

test('a letter that is back and cannot be deleted is said to be there twice', async () => {
  const { results } = await putBack(['DeleteMessageBatch']);
  expect(results).toMatchObject([{ became: 'twice', why: 'AccessDenied' }]);
});
