import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CancelMessageMoveTaskCommand,
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ListMessageMoveTasksCommand,
  type ListMessageMoveTasksResultEntry,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
  StartMessageMoveTaskCommand,
} from '@aws-sdk/client-sqs';
import { eventually } from '../../testing/eventually.ts';
import { type Emulator, startSqs } from '../emulators.ts';

const ARN = 'arn:aws:sqs:us-east-1:000000000000:';
const SourceArn = `${ARN}orders-dlq`;

let emulator: Emulator;
let sqs: SQSClient;
const urls: Record<string, string> = {};

beforeEach(async () => {
  emulator = await startSqs(0, '127.0.0.1', { seed: 1, hostile: false });
  sqs = new SQSClient({
    endpoint: emulator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    useQueueUrlAsEndpoint: false,
    maxAttempts: 1,
  });
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: SourceArn, maxReceiveCount: 1 });
  for (const name of ['orders-dlq', 'orders', 'others']) {
    const Attributes = name === 'orders' ? { RedrivePolicy } : {};
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
    urls[name] = QueueUrl;
  }
});
afterEach(async () => {
  sqs.destroy();
  await emulator.stop();
});

const MessageAttributes = { 'baton.reason': { DataType: 'String', StringValue: 'rejected' } };

/** Sends dead letters as Baton does: directly, with their reason. */
async function sendDeadLetters(count: number): Promise<void> {
  for (let index = 0; index < count; index += 1)
    await sqs.send(
      new SendMessageCommand({
        QueueUrl: urls['orders-dlq'],
        MessageBody: `dead ${index}`,
        MessageAttributes,
      }),
    );
}

const startMove = (input: { DestinationArn?: string; MaxNumberOfMessagesPerSecond?: number } = {}) =>
  sqs.send(new StartMessageMoveTaskCommand({ SourceArn, ...input }));

async function list(MaxResults = 10): Promise<ListMessageMoveTasksResultEntry[]> {
  return (await sqs.send(new ListMessageMoveTasksCommand({ SourceArn, MaxResults }))).Results ?? [];
}

async function moved(status: string): Promise<ListMessageMoveTasksResultEntry> {
  return eventually(`a task that is ${status}`, async () => {
    const [last] = await list(1);
    return last?.Status === status && last;
  });
}

async function receive(name: string): Promise<Message[]> {
  const input = {
    MaxNumberOfMessages: 10,
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  };
  const command = { QueueUrl: urls[name], ...input } as const;
  return (
    (await sqs.send(new ReceiveMessageCommand({ ...command, MessageSystemAttributeNames: ['All'] })))
      .Messages ?? []
  );
}

async function visible(name: string): Promise<number> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: urls[name], AttributeNames: ['ApproximateNumberOfMessages'] }),
  );
  return Number(Attributes?.['ApproximateNumberOfMessages']);
}

const nameOf = (asking: Promise<unknown>) =>
  asking.then(
    () => 'taken',
    // fauxqs prefixes it with the namespace of SQS's older protocol
    ({ name }: Error) => name.replace('AWS.SimpleQueueService.', ''),
  );

describe('StartMessageMoveTask', () => {
  test('moves dead letters to the given queue, as new messages with their attributes', async () => {
    await sendDeadLetters(3);
    const { TaskHandle } = await startMove({ DestinationArn: `${ARN}orders` });
    expect(TaskHandle).toEqual(expect.any(String));
    await expect(moved('COMPLETED')).resolves.toMatchObject({
      SourceArn,
      DestinationArn: `${ARN}orders`,
      ApproximateNumberOfMessagesMoved: 3,
      ApproximateNumberOfMessagesToMove: 3,
      StartedTimestamp: expect.any(Number) as unknown,
    });
    const messages = await receive('orders');
    expect(messages.map(({ Body = '' }) => Body).toSorted()).toEqual(['dead 0', 'dead 1', 'dead 2']);
    for (const message of messages) {
      expect(message.MessageAttributes).toEqual(MessageAttributes);
      expect(message.Attributes?.ApproximateReceiveCount).toBe('1');
    }
    expect(await visible('orders-dlq')).toBe(0);
  });

  test('without a target moves messages that SQS itself has set aside back to their queue', async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl: urls['orders'], MessageBody: 'poison' }));
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: urls['orders'], VisibilityTimeout: 0 }));
    expect(await receive('orders')).toEqual([]);
    await startMove();
    await moved('COMPLETED');
    expect((await receive('orders')).map(({ Body }) => Body)).toEqual(['poison']);
  });

  test('names the original queue of a message that SQS itself has set aside', async () => {
    await sqs.send(new SendMessageCommand({ QueueUrl: urls['orders'], MessageBody: 'poison' }));
    await sqs.send(new ReceiveMessageCommand({ QueueUrl: urls['orders'], VisibilityTimeout: 0 }));
    await receive('orders');
    const [message] = await receive('orders-dlq');
    expect(message?.Attributes).toMatchObject({ DeadLetterQueueSourceArn: `${ARN}orders` });
  });

  test('without a target fails and moves nothing if the dead letters were sent directly', async () => {
    await sendDeadLetters(2);
    await startMove();
    await expect(moved('FAILED')).resolves.toMatchObject({
      FailureReason: 'CouldNotDetermineMessageSource',
      ApproximateNumberOfMessagesMoved: 0,
    });
    expect(await visible('orders-dlq')).toBe(2);
  });

  test('moves at most the given number of messages per second', async () => {
    await sendDeadLetters(20);
    const beganAtMs = performance.now();
    await startMove({ DestinationArn: `${ARN}orders`, MaxNumberOfMessagesPerSecond: 20 });
    await moved('COMPLETED');
    expect(performance.now() - beganAtMs).toBeGreaterThan(900);
  });

  test('does not move messages that arrive later', async () => {
    await sendDeadLetters(5);
    await startMove({ DestinationArn: `${ARN}orders`, MaxNumberOfMessagesPerSecond: 20 });
    await sendDeadLetters(1);
    await moved('COMPLETED');
    expect(await visible('orders-dlq')).toBe(1);
  });

  test.each([
    ['a queue that is no dead-letter queue', { SourceArn: `${ARN}others` }, 'InvalidParameterValue'],
    ['a queue that is not there', { SourceArn: `${ARN}nowhere` }, 'ResourceNotFoundException'],
    ['to a missing queue', { SourceArn, DestinationArn: `${ARN}nowhere` }, 'ResourceNotFoundException'],
    ['to itself', { SourceArn, DestinationArn: SourceArn }, 'InvalidParameterValue'],
    ['faster than 500 a second', { SourceArn, MaxNumberOfMessagesPerSecond: 501 }, 'InvalidParameterValue'],
    ['not at all', { SourceArn, MaxNumberOfMessagesPerSecond: 0 }, 'InvalidParameterValue'],
  ])('refuses to move %s', async (_what, input, name) => {
    await expect(nameOf(sqs.send(new StartMessageMoveTaskCommand(input)))).resolves.toBe(name);
  });

  test('refuses to move to a FIFO queue', async () => {
    const Attributes = { FifoQueue: 'true' };
    await sqs.send(new CreateQueueCommand({ QueueName: 'orders.fifo', Attributes }));
    await expect(nameOf(startMove({ DestinationArn: `${ARN}orders.fifo` }))).resolves.toBe(
      'UnsupportedOperation',
    );
  });

  test('has one active task for each queue', async () => {
    await sendDeadLetters(5);
    await startMove({ DestinationArn: `${ARN}orders`, MaxNumberOfMessagesPerSecond: 1 });
    await expect(nameOf(startMove({ DestinationArn: `${ARN}others` }))).resolves.toBe(
      'InvalidParameterValue',
    );
  });
});

describe('CancelMessageMoveTask', () => {
  test('stops a task, and does not undo its moves', async () => {
    await sendDeadLetters(10);
    const { TaskHandle } = await startMove({
      DestinationArn: `${ARN}orders`,
      MaxNumberOfMessagesPerSecond: 20,
    });
    await eventually('a moved message', async () => (await visible('orders')) > 0);
    const cancelled = await sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle }));
    const done = Number(cancelled.ApproximateNumberOfMessagesMoved);
    expect(done).toBeGreaterThan(0);
    expect(await visible('orders')).toBe(done);
    expect(await visible('orders-dlq')).toBe(10 - done);
    await expect(list()).resolves.toMatchObject([
      { Status: 'CANCELLED', ApproximateNumberOfMessagesMoved: done },
    ]);
    await expect(nameOf(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle })))).resolves.toBe(
      'UnsupportedOperation',
    );
    await startMove({ DestinationArn: `${ARN}orders` });
    await moved('COMPLETED');
    expect(await visible('orders')).toBe(10);
  });

  test('refuses an unknown task', async () => {
    await expect(nameOf(sqs.send(new CancelMessageMoveTaskCommand({ TaskHandle: 'none' })))).resolves.toBe(
      'ResourceNotFoundException',
    );
  });
});

test('ListMessageMoveTasks lists the newest tasks, by default one, with handles only of running ones', async () => {
  for (const DestinationArn of [`${ARN}orders`, `${ARN}others`]) {
    await sendDeadLetters(1);
    await startMove({ DestinationArn });
    await moved('COMPLETED');
  }
  await sendDeadLetters(5);
  const { TaskHandle } = await startMove({ DestinationArn: `${ARN}orders`, MaxNumberOfMessagesPerSecond: 1 });
  const { Results = [] } = await sqs.send(new ListMessageMoveTasksCommand({ SourceArn }));
  expect(Results).toMatchObject([{ TaskHandle, Status: 'RUNNING', MaxNumberOfMessagesPerSecond: 1 }]);
  const all = await list();
  expect(all.map((task) => [task.Status, task.DestinationArn])).toEqual([
    ['RUNNING', `${ARN}orders`],
    ['COMPLETED', `${ARN}others`],
    ['COMPLETED', `${ARN}orders`],
  ]);
  expect(all.slice(1).map((task) => task.TaskHandle)).toEqual([undefined, undefined]);
});
