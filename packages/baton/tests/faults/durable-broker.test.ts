import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { type Backends, startBackends } from '../support/backends.ts';
import { DurableBroker } from '../support/durable-broker.ts';
import { eventually } from 'baton-dev/testing/eventually';

let broker: DurableBroker;
let backends: Backends;
let QueueUrl: string;

beforeEach(async () => {
  broker = await DurableBroker.start();
  backends = await startBackends(['default'], { sqsEndpoint: broker.endpoint });
  QueueUrl = backends.queueUrls.of('default');
});
afterEach(async () => {
  await backends.stop();
  await broker.stop();
});

const send = (MessageBody: string) => backends.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody }));

async function receive(hiddenSeconds: number): Promise<Message | undefined> {
  const { Messages = [] } = await backends.sqs.send(
    new ReceiveMessageCommand({
      QueueUrl,
      VisibilityTimeout: hiddenSeconds,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    }),
  );
  return Messages[0];
}

async function restart(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  await broker.kill(signal);
  await broker.startAgain();
}

test('a durable broker listens only at one address of this machine', async () => {
  await expect(fetch(broker.endpoint)).resolves.toBeDefined();
  // A program that listens at every address is also reachable at 127.0.0.2
  await expect(fetch(broker.endpoint.replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow('fetch failed');
});

test('a hostile durable broker delivers no message twice, because a message and its copy would be one row', async () => {
  const hostile = await DurableBroker.start({ SQS_HOSTILE: 'true' });
  const own = await startBackends(['default'], { sqsEndpoint: hostile.endpoint });
  QueueUrl = own.queueUrls.of('default');
  const take = async (WaitTimeSeconds: number) =>
    (await own.sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds }))).Messages ?? [];
  for (let sent = 0; sent < 30; sent += 1)
    await own.sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'x' }));
  for (let received = 0; received < 30; received += 1) expect(await take(2)).toHaveLength(1);
  await expect(take(2)).resolves.toEqual([]);
  await own.stop();
  await hostile.stop();
});

describe.each(['SIGKILL', 'SIGTERM'] as const)('a broker that restarts after %s', (signal) => {
  test('has its queues and its messages, but no deleted messages', async () => {
    await send('deleted');
    const { ReceiptHandle } = (await receive(30)) ?? {};
    await backends.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    await send('kept');
    const attributes = () =>
      backends.sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['RedrivePolicy'] }));
    const before = (await attributes()).Attributes;
    await restart(signal);
    expect((await attributes()).Attributes).toEqual(before);
    expect(before).toHaveProperty('RedrivePolicy');
    expect((await receive(30))?.Body).toBe('kept');
    await expect(receive(30)).resolves.toBeUndefined();
  });

  test('keeps a received message hidden until its lease ends, and its handle still deletes it', async () => {
    await send('held');
    const hiddenAtMs = performance.now();
    await receive(2);
    await restart(signal);
    const again = await eventually('the second delivery', () => receive(30));
    expect(performance.now() - hiddenAtMs).toBeGreaterThan(1900);
    expect(again.Attributes?.ApproximateReceiveCount).toBe('2');
    await restart(signal);
    const { ReceiptHandle } = again;
    await backends.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    const { Attributes } = await backends.sqs.send(
      new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
    );
    expect(Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '0',
    });
  });

  test('delivers a released message, with its receive count', async () => {
    await send('released');
    const { ReceiptHandle } = (await receive(30)) ?? {};
    await backends.sqs.send(
      new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }),
    );
    await restart(signal);
    expect((await receive(30))?.Attributes?.ApproximateReceiveCount).toBe('2');
  });
});
