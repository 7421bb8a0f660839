import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  type MessageAttributeValue,
  ReceiveMessageCommand,
  type ReceiveMessageCommandInput,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { eventually } from '../../testing/eventually.ts';
import { type Emulator, startSqs } from '../emulators.ts';
import type { SqsCharacter } from '../sqs/sqs-character.ts';

let emulator: Emulator;
let sqs: SQSClient;
let url: string;

/** Starts an SQS with a queue. */
async function start(character: SqsCharacter): Promise<void> {
  emulator = await startSqs(0, '127.0.0.1', character);
  sqs = new SQSClient({
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
  url = await createQueue('queue');
}

async function stop(): Promise<void> {
  sqs.destroy();
  await emulator.stop();
}

async function restart(character: SqsCharacter): Promise<void> {
  await stop();
  await start(character);
}

beforeEach(() => start({ seed: 1, hostile: false }));
afterEach(stop);

async function createQueue(QueueName: string): Promise<string> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  return QueueUrl;
}

const send = (MessageBody: string, QueueUrl = url) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

async function receive(
  input: Partial<ReceiveMessageCommandInput> = {},
  abortSignal?: AbortSignal,
): Promise<Message[]> {
  const command = new ReceiveMessageCommand({ QueueUrl: url, MaxNumberOfMessages: 10, ...input });
  return (await sqs.send(command, abortSignal ? { abortSignal } : {})).Messages ?? [];
}

const hide = ({ ReceiptHandle }: Message = {}, VisibilityTimeout = 0) =>
  sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout }));

async function visible(): Promise<number> {
  const command = { QueueUrl: url, AttributeNames: ['ApproximateNumberOfMessages' as const] };
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand(command));
  return Number(Attributes?.['ApproximateNumberOfMessages']);
}

/** The name of a refusal. */
async function refusal(asking: Promise<unknown>): Promise<unknown> {
  return asking.then(
    () => 'taken',
    // fauxqs prefixes it with the namespace of SQS's older protocol
    ({ name }: Error) => name.replace('AWS.SimpleQueueService.', ''),
  );
}

async function refusalsInBatch(
  asking: Promise<{ Failed?: { Id?: string | undefined; Code?: string | undefined }[] | undefined }>,
): Promise<unknown> {
  return ((await asking).Failed ?? []).map(({ Id, Code }) => `${Id} ${Code}`);
}

describe('a message of the embedded SQS', () => {
  test.each(['🎉', 'a\u{1F469}\u200D\u{1F4BB}b', 'é ☃ 漢 \u{10FFFF}', '\t\n\r'])(
    'may be %j',
    async (text) => {
      await send(text);
      const MessageAttributes = { x: { DataType: 'String', StringValue: `${text}x` } };
      await sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: text, MessageAttributes }));
      expect((await receive()).map(({ Body }) => Body)).toEqual([text, text]);
    },
  );

  test.each(['\u0000', 'a\u0008', '\uFFFF', '\uFFFE', '\uD83C', '\uDF89\uD83C'])(
    'may not be %j',
    async (text) => {
      await expect(refusal(send(text))).resolves.toBe('InvalidMessageContents');
      const Entries = [
        { Id: 'good', MessageBody: 'good' },
        { Id: 'bad', MessageBody: text },
      ];
      const sent = sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      await expect(refusalsInBatch(sent)).resolves.toEqual(['bad InvalidMessageContents']);
      expect((await receive()).map(({ Body }) => Body)).toEqual(['good']);
    },
  );

  test('may not lack a body', async () => {
    await expect(refusal(send(''))).resolves.toBe('MissingParameter');
    const Entries = [
      { Id: 'good', MessageBody: 'good' },
      { Id: 'bad', MessageBody: '' },
    ];
    const sent = sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    await expect(refusal(sent)).resolves.toBe('MissingParameter');
    expect(await visible()).toBe(0);
  });

  const string = (StringValue: string): MessageAttributeValue => ({ DataType: 'String', StringValue });
  test.each([
    [
      'more than ten',
      Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`a${index}`, string('x')])),
    ],
    ['one that is empty', { a: string('') }],
    ['one without a type', { a: { StringValue: 'x', DataType: '' } }],
    ['a number that is none', { a: { StringValue: 'x', DataType: 'Number' } }],
    ['a name that is AWS’s own', { 'AWS.x': string('x') }],
    ['a name with a blank', { 'a b': string('x') }],
    ['a text that is not allowed', { a: string('\u0000') }],
  ])('may not have attributes: %s', async (_what, MessageAttributes) => {
    const message = { MessageBody: 'x', MessageAttributes };
    await expect(refusal(sqs.send(new SendMessageCommand({ QueueUrl: url, ...message })))).resolves.toBe(
      'InvalidParameterValue',
    );
    const Entries = [{ Id: 'bad', ...message }];
    const sent = sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    await expect(refusalsInBatch(sent)).resolves.toEqual(['bad InvalidParameterValue']);
  });
});

describe('the embedded SQS refuses a number that is not whole or is outside its limits:', () => {
  test.each([
    [NaN, 'SerializationException'],
    [Infinity, 'SerializationException'],
    [1.5, 'SerializationException'],
    [-1, 'InvalidParameterValue'],
    [43_201, 'InvalidParameterValue'],
  ])('%d', async (number, name) => {
    await send('x');
    const [message] = await receive();
    const handle = { QueueUrl: url, ReceiptHandle: message?.ReceiptHandle };
    const asked = [
      sqs.send(new SendMessageCommand({ QueueUrl: url, MessageBody: 'x', DelaySeconds: number })),
      sqs.send(new ChangeMessageVisibilityCommand({ ...handle, VisibilityTimeout: number })),
      receive({ VisibilityTimeout: number }),
      receive({ WaitTimeSeconds: number }),
      receive({ MaxNumberOfMessages: number }),
    ];
    expect(await Promise.all(asked.map(refusal))).toEqual(asked.map(() => name));
  });

  test('in a batch, a number outside the limits fails only its entry, and a value that is no number fails the batch', async () => {
    const batch = (DelaySeconds: number) =>
      sqs.send(
        new SendMessageBatchCommand({
          QueueUrl: url,
          Entries: [
            { Id: 'good', MessageBody: 'x' },
            { Id: 'bad', MessageBody: 'x', DelaySeconds },
          ],
        }),
      );
    await expect(refusalsInBatch(batch(901))).resolves.toEqual(['bad InvalidParameterValue']);
    expect(await visible()).toBe(1);
    await expect(refusal(batch(NaN))).resolves.toBe('SerializationException');
    expect(await visible()).toBe(1);
  });

  test('a message may be hidden for 12 hours after its receive, not after the change', async () => {
    await send('x');
    const [message] = await receive();
    const receivedAtMs = Date.now();
    await eventually('a moment later', () => Date.now() > receivedAtMs);
    await expect(refusal(hide(message, 43_200))).resolves.toBe('InvalidParameterValue');
    await expect(refusal(hide(message, 43_190))).resolves.toBe('taken');
  });
});

describe('a receipt handle', () => {
  test('that is invalid or belongs to another queue is refused, and changes nothing', async () => {
    const other = await createQueue('other');
    await send('x', other);
    const [message] = await receive({ QueueUrl: other });
    for (const ReceiptHandle of ['garbage', `${message?.ReceiptHandle}x`, String(message?.ReceiptHandle)]) {
      const asked = [
        sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle })),
        sqs.send(new ChangeMessageVisibilityCommand({ QueueUrl: url, ReceiptHandle, VisibilityTimeout: 1 })),
      ];
      expect(await Promise.all(asked.map(refusal))).toEqual(asked.map(() => 'ReceiptHandleIsInvalid'));
      const Entries = [{ Id: 'bad', ReceiptHandle }];
      const batches = [
        sqs.send(new DeleteMessageBatchCommand({ QueueUrl: url, Entries })),
        sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: url, Entries })),
      ];
      expect(await Promise.all(batches.map(refusalsInBatch))).toEqual(
        batches.map(() => ['bad ReceiptHandleIsInvalid']),
      );
    }
  });

  test('that is old is accepted, but deletes nothing', async () => {
    await send('x');
    const [first] = await receive({ VisibilityTimeout: 0 });
    const [second] = await receive();
    await expect(
      refusal(sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle: first?.ReceiptHandle }))),
    ).resolves.toBe('taken');
    await hide(second);
    expect(await visible()).toBe(1);
  });
});

describe('standard queues keep no order:', () => {
  const numbers = Array.from({ length: 30 }, (_, index) => String(index));
  async function orderOf(seed: number): Promise<string[]> {
    await restart({ seed, hostile: false });
    for (const number of numbers) await send(number);
    const seen: string[] = [];
    while (seen.length < numbers.length) seen.push(...(await receive()).map(({ Body = '' }) => Body));
    return seen;
  }

  test('a seed decides the order in which all messages arrive', async () => {
    const order = await orderOf(7);
    expect(order).not.toEqual(numbers);
    expect(order.toSorted()).toEqual(numbers.toSorted());
    await expect(orderOf(7)).resolves.toEqual(order);
    await expect(orderOf(8)).resolves.not.toEqual(order);
  });

  test('but no message waits behind more than some hundred later ones', async () => {
    const Entries = Array.from({ length: 10 }, (_, index) => ({ Id: `x${index}`, MessageBody: 'later' }));
    await send('first');
    for (let batches = 0; batches < 150; batches += 1)
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
    let seen = 0;
    for (let found = false; !found; seen += 10)
      found = (await receive()).some(({ Body }) => Body === 'first');
    expect(seen).toBeLessThan(1000);
  });
});

describe('a long poll', () => {
  const WAIT_SECONDS = 2;
  const poll = (signal?: AbortSignal) => receive({ WaitTimeSeconds: WAIT_SECONDS }, signal);

  test('waits to its end if another poll has taken the message', async () => {
    const beganAtMs = performance.now();
    const polls = [poll(), poll(), poll()];
    await send('x');
    const first = await Promise.race(polls);
    expect(first).toHaveLength(1);
    expect(performance.now() - beganAtMs).toBeLessThan(1000);
    const received = await Promise.all(polls);
    expect(performance.now() - beganAtMs).toBeGreaterThan(WAIT_SECONDS * 1000 - 100);
    expect(received.flat()).toEqual(first);
  });

  test('gets its own message if several polls wait', async () => {
    const polls = [poll(), poll(), poll()];
    const bodies = ['1', '2', '3'];
    for (const body of bodies) {
      await send(body);
      await Promise.race(polls);
    }
    const received = (await Promise.all(polls)).flat();
    expect(received.map(({ Body = '' }) => Body).toSorted()).toEqual(bodies);
  });

  test('takes no message after its caller has closed the connection', async () => {
    for (let times = 0; times < 5; times += 1) {
      const caller = new AbortController();
      const aborted = Array.from({ length: 40 }, () => refusal(poll(caller.signal)));
      const other = poll();
      // Now all polls wait
      await visible();
      caller.abort();
      expect(new Set(await Promise.all(aborted))).toEqual(new Set(['AbortError']));
      await send(`message ${times}`);
      const sentAtMs = performance.now();
      expect((await other).map(({ Body }) => Body)).toEqual([`message ${times}`]);
      expect(performance.now() - sentAtMs).toBeLessThan(400);
    }
  });

  test.each([false, true])('ends if the emulator stops; hostile: %j', async (hostile) => {
    await restart({ seed: 1, hostile });
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const waiting = Promise.allSettled([receive({ WaitTimeSeconds: 20 })]);
    await visible();
    await stop();
    await waiting;
    await expect(eventually('no timer of the poll', () => timers() <= before, 2000)).resolves.toBe(true);
    await start({ seed: 1, hostile: false });
  });
});

describe('a hostile SQS', () => {
  beforeEach(async () => {
    await restart({ seed: 3, hostile: true });
  });

  test('delivers some deleted messages again, but none of another queue', async () => {
    const sent = Array.from({ length: 100 }, (_, index) => String(index));
    await Promise.all(sent.map((body) => send(body)));
    const counts = new Map<string, number>();
    for (let empty = 0; empty < 2;) {
      const messages = await receive({ WaitTimeSeconds: 1 });
      empty = messages.length === 0 ? empty + 1 : 0;
      for (const { Body = '', ReceiptHandle } of messages) {
        counts.set(Body, (counts.get(Body) ?? 0) + 1);
        await sqs.send(new DeleteMessageCommand({ QueueUrl: url, ReceiptHandle }));
      }
    }
    expect([...counts.keys()].toSorted()).toEqual(sent.toSorted());
    const copies = [...counts.values()].filter((count) => count === 2).length;
    expect(copies).toBeGreaterThan(2);
    expect([...counts.values()].filter((count) => count > 2)).toEqual([]);
  });

  test('returns fewer messages than it has', async () => {
    for (let sent = 0; sent < 40; sent += 1) await send('x');
    const lengths: number[] = [];
    for (let receives = 0; receives < 4; receives += 1) lengths.push((await receive()).length);
    expect(Math.min(...lengths)).toBeGreaterThan(0);
    expect(Math.min(...lengths)).toBeLessThan(10);
  });
});
