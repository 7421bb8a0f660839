import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ReceiveMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import { createLogger } from '@baton/common/telemetry/logger';
import { eventually } from '@baton/tests/eventually';
import { Receiver } from '../receiver.ts';
import { Slots } from '../slots.ts';

type Receive = (input: ReceiveMessageCommandInput) => Promise<{ Messages?: { MessageId: string }[] }>;

let receiver: Receiver | undefined;
afterEach(() => receiver?.stop());

function start(receive: Receive, slots = new Slots(3)) {
  const inputs: ReceiveMessageCommandInput[] = [];
  const accepted: string[] = [];
  const send = async ({ input }: { input: ReceiveMessageCommandInput }) => {
    inputs.push(input);
    await new Promise((resolve) => setImmediate(resolve));
    return receive(input);
  };
  receiver = new Receiver({
    sqs: { send } as unknown as SQSClient,
    queue: 'work',
    queueUrl: 'http://sqs/0/work',
    slots,
    waitSeconds: 20,
    leaseSeconds: 30,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    accept: async (messages) => {
      for (const { messageId } of messages) {
        await slots.take();
        accepted.push(messageId);
      }
    },
  });
  receiver.start();
  return { inputs, accepted, slots };
}

describe('a receiver', () => {
  test('asks for as many messages as there are free slots, and for none while there is none', async () => {
    const waiting = ['a', 'b', 'c', 'd'];
    const { inputs, accepted, slots } = start(async () => ({
      Messages: waiting.splice(0, 2).map((MessageId) => ({ MessageId })),
    }));
    await eventually('no slot left', () => slots.free === 0 && accepted.length === 3);
    expect(inputs.map(({ MaxNumberOfMessages }) => MaxNumberOfMessages)).toEqual([3, 1]);
    slots.giveBack();
    await eventually('the fourth message', () => accepted.length === 4);
    expect(inputs).toHaveLength(2);
    for (let slot = 0; slot < 3; slot += 1) slots.giveBack();
    await eventually('the next poll', () => inputs.length > 2);
    expect(inputs[2]?.MaxNumberOfMessages).toBe(3);
  });

  test('hides what it receives for the lease, and polls at once first, then for as long as it may', async () => {
    const { inputs } = start(async () => ({}));
    await eventually('two polls', () => inputs.length > 1);
    expect(inputs[0]).toMatchObject({
      QueueUrl: 'http://sqs/0/work',
      VisibilityTimeout: 30,
      WaitTimeSeconds: 0,
    });
    expect(inputs[1]).toMatchObject({ WaitTimeSeconds: 20 });
  });

  test('knows how it goes, and rests while it goes badly', async () => {
    let broken = true;
    const receive = jest.fn<Receive>(async () => {
      if (broken) throw new Error('no broker');
      return {};
    });
    start(receive);
    await eventually('a failure', () => receive.mock.calls.length > 0);
    expect(receiver?.state).toEqual({ queue: 'work', receiving: false, lastReceiveAt: null });
    expect(receive.mock.calls.length).toBeLessThan(20);
    broken = false;
    await eventually('the queue back', () => receiver?.state.receiving);
    expect(receiver?.state.lastReceiveAt).toEqual(expect.any(String));
  });
});
