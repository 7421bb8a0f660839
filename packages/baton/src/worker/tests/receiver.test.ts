import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { ReceiveMessageCommandInput, SQSClient } from '@aws-sdk/client-sqs';
import { createLogger } from '../../telemetry/logger.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { Room } from '../../process/room.ts';
import { Receiver } from '../receiver.ts';
import { Slots } from '../slots.ts';

type Receive = (input: ReceiveMessageCommandInput) => Promise<{ Messages?: { MessageId: string }[] }>;

let receiver: Receiver | undefined;
afterEach(async () => {
  jest.useRealTimers();
  await receiver?.stop();
});

function start(receive: Receive, { slots = new Slots(3), queues = 1, messages = new Room() } = {}) {
  const inputs: ReceiveMessageCommandInput[] = [];
  const accepted: [string, boolean][] = [];
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
    messages,
    queues,
    waitSeconds: 20,
    leaseSeconds: 30,
    logger: createLogger({ service: 'tests', level: 'silent' }),
    runner: {
      run: async ({ messageId }) => void accepted.push([messageId, true]),
      runIfSlotIsFree: async ({ messageId }) => {
        await slots.take('work');
        accepted.push([messageId, false]);
      },
    },
  });
  receiver.start();
  return { inputs, accepted, slots };
}

/** A queue that delivers its messages in order. A short poll of the empty queue gets an answer at once. */
function queueOf(...messages: string[]): Receive {
  return async ({ MaxNumberOfMessages = 1, WaitTimeSeconds = 0 }) => {
    const given = messages.splice(0, MaxNumberOfMessages).map((MessageId) => ({ MessageId }));
    if (given.length === 0 && WaitTimeSeconds > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return { Messages: given };
  };
}

describe('a receiver', () => {
  test('takes free slots before it receives messages, and receives none without a slot', async () => {
    const { inputs, accepted, slots } = start(queueOf('a', 'b', 'c', 'd'));
    await eventually('no slot left', () => accepted.length === 3);
    expect(
      inputs.map(({ MaxNumberOfMessages, WaitTimeSeconds }) => [MaxNumberOfMessages, WaitTimeSeconds]),
    ).toEqual([[3, 0]]);
    expect(accepted.every(([, hasSlot]) => hasSlot)).toBe(true);
    slots.giveBack('work');
    await eventually('the fourth message', () => accepted.length === 4);
    expect(inputs).toHaveLength(2);
    slots.giveBack('work', 3);
  });

  test('makes one receive for all slots that become free in one turn of the event loop', async () => {
    const { inputs, accepted, slots } = start(queueOf('a', 'b', 'c', 'd', 'e', 'f'));
    await eventually('no slot left', () => accepted.length === 3);
    for (let task = 0; task < 3; task += 1) {
      slots.giveBack('work');
      // As between two timers that are due: all code that waits for the first one continues
      for (let step = 0; step < 20; step += 1) await Promise.resolve();
    }
    await eventually('the other messages', () => accepted.length === 6);
    expect(inputs.map(({ MaxNumberOfMessages }) => MaxNumberOfMessages)).toEqual([3, 3]);
    slots.giveBack('work', 3);
  });

  test('holds no slot during a long poll, and receives at most its share of the free slots', async () => {
    const { inputs, slots } = start(queueOf(), { slots: new Slots(10), queues: 3 });
    await eventually('a long poll', () => inputs.length > 1);
    expect(inputs[0]).toMatchObject({
      QueueUrl: 'http://sqs/0/work',
      VisibilityTimeout: 30,
      WaitTimeSeconds: 0,
    });
    expect(inputs[1]).toMatchObject({ WaitTimeSeconds: 20, MaxNumberOfMessages: 3 });
    expect(slots.free).toBe(10);
  });

  test('makes several receives at once while each one returns as many messages as it asked for', async () => {
    let underWay = 0;
    let most = 0;
    const { inputs, accepted } = start(
      async ({ MaxNumberOfMessages = 0 }) => {
        underWay += 1;
        most = Math.max(most, underWay);
        await new Promise((resolve) => setTimeout(resolve, 5));
        underWay -= 1;
        return {
          Messages: Array.from({ length: MaxNumberOfMessages }, (_, index) => ({ MessageId: String(index) })),
        };
      },
      { slots: new Slots(100) },
    );
    await eventually('all slots taken', () => accepted.length === 100);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(10);
    expect(inputs).toHaveLength(10);
  });

  test('of a full worker receives only once from a full queue, so other workers get what it gave back', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'setImmediate', 'nextTick', 'queueMicrotask'] });
    const slots = new Slots(1);
    const waiting = Promise.withResolvers<void>();
    const given: string[] = [];
    const inputs: ReceiveMessageCommandInput[] = [];
    const send = async ({ input }: { input: ReceiveMessageCommandInput }) => {
      inputs.push(input);
      // The worker becomes full while its long poll waits
      if (input.WaitTimeSeconds) await waiting.promise;
      return inputs.length === 1 ? {} : { Messages: [{ MessageId: String(inputs.length) }] };
    };
    receiver = new Receiver({
      sqs: { send } as unknown as SQSClient,
      queue: 'work',
      queueUrl: 'http://sqs/0/work',
      slots,
      queues: 2,
      waitSeconds: 20,
      leaseSeconds: 30,
      logger: createLogger({ service: 'tests', level: 'silent' }),
      runner: {
        run: async () => undefined,
        runIfSlotIsFree: async ({ messageId }) => {
          if (!(await slots.takeSoon('work'))) given.push(messageId);
        },
      },
    });
    receiver.start();
    await eventually('a long poll', () => inputs.length === 2);
    await slots.take('another');
    slots.taskEnded('another', 60_000);
    await slots.take('another');
    waiting.resolve();
    await eventually('a message given back', () => given.length === 1);
    await jest.advanceTimersByTimeAsync(10_000);
    expect(inputs).toHaveLength(2);
    slots.giveBack('another');
    await eventually('a receive with a slot', () => inputs.length === 3);
    expect(inputs[2]).toMatchObject({ WaitTimeSeconds: 0, MaxNumberOfMessages: 1 });
    expect(given).toEqual(['2']);
  });

  test('rests between receives if the broker answers at once without messages', async () => {
    const { inputs } = start(async () => ({}));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(inputs.length).toBeLessThan(15);
  });

  test('reports whether it receives, and backs off while receives fail', async () => {
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

  test('keeps its turn while it receives, so a lighter queue does not get all slots that become free', async () => {
    // Real timers of a busy machine are late by more than a task takes
    jest.useFakeTimers({ doNotFake: ['nextTick'] });
    const slots = new Slots(4, new Map(Object.entries({ work: 8, light: 1 })));
    const TASK_MS = 4;
    let light = 0;
    const done = new AbortController();
    const run = (queue: string): void => void setTimeout(() => slots.taskEnded(queue, TASK_MS), TASK_MS);
    const takeLight = async (): Promise<void> => {
      while (await slots.take('light', done.signal)) {
        light += 1;
        run('light');
      }
    };
    let heavy = 0;
    const { accepted } = start(
      async ({ MaxNumberOfMessages = 0 }) => {
        // A receive takes as long as a task, so half of all slots become free meanwhile
        await new Promise((resolve) => setTimeout(resolve, TASK_MS));
        const given = Array.from({ length: MaxNumberOfMessages }, () => ({ MessageId: 'x' }));
        for (const _ of given) run('work');
        heavy += given.length;
        return { Messages: given };
      },
      { slots },
    );
    void takeLight();
    while (accepted.length < 1000) await jest.advanceTimersByTimeAsync(1);
    done.abort();
    expect(heavy / light).toBeGreaterThan(2.5);
  });

  test('of an idle queue does not delay a busy queue, with one slot and five queues', async () => {
    const slots = new Slots(1);
    const idle = new AbortController();
    let done = 0;
    const receivers = ['busy', 'idle-1', 'idle-2', 'idle-3', 'idle-4'].map((queue) => {
      const send = async ({ input }: { input: ReceiveMessageCommandInput }) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (queue === 'busy') return { Messages: [{ MessageId: String(done) }] };
        if (input.WaitTimeSeconds)
          await new Promise((resolve) => idle.signal.addEventListener('abort', resolve));
        return {};
      };
      return new Receiver({
        sqs: { send } as unknown as SQSClient,
        queue,
        queueUrl: `http://sqs/0/${queue}`,
        slots,
        queues: 5,
        waitSeconds: 20,
        leaseSeconds: 30,
        logger: createLogger({ service: 'tests', level: 'silent' }),
        runner: {
          run: async (_message, _askedAtMs, slot) => {
            done += 1;
            slot.giveBack();
          },
          runIfSlotIsFree: async () => {
            await slots.take(queue);
            done += 1;
            slots.giveBack(queue);
          },
        },
      });
    });
    for (const each of receivers) each.start();
    await eventually('a hundred tasks of the busy queue', () => done > 100, 5000);
    expect(slots.free).toBeLessThanOrEqual(1);
    idle.abort();
    await Promise.all(receivers.map((each) => each.stop()));
  });

  test('asks for no more messages than there is memory for, each as large as SQS takes', async () => {
    const MEGABYTE = 1_048_576;
    const messages = new Room(2 * MEGABYTE);
    const { inputs, accepted } = start(queueOf('a', 'b', 'c', 'd', 'e'), { slots: new Slots(20), messages });
    await eventually('five messages', () => accepted.length === 5);
    const asked = inputs.filter(({ WaitTimeSeconds }) => WaitTimeSeconds === 0);
    expect(Math.max(...asked.map(({ MaxNumberOfMessages = 0 }) => MaxNumberOfMessages))).toBe(2);
  });

  test('asks for no message while other messages take all the memory, and gives its slots back at its stop', async () => {
    const messages = new Room(1000);
    messages.takeAnyway(1000);
    const { inputs, accepted, slots } = start(queueOf('a'), { messages });
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(inputs).toEqual([]);
    messages.giveBack(1000);
    await eventually('the message', () => accepted.length === 1);
    messages.takeAnyway(1000);
    await receiver?.stop();
    expect(slots.free).toBe(2);
  });
});
