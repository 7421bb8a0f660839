// Lambda's event source for SQS, for tests.
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
} from '@aws-sdk/client-sqs';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { decodeEnvelope, type LambdaConsumer } from 'baton-tasks/tooling';
import type { SQSRecord } from 'aws-lambda';
import type { Backends } from './backends.ts';
import { eventually } from './eventually.ts';

/** The result of one invocation of a function. */
export interface Invocation {
  /** The number of messages that it got. */
  readonly received: number;
  /** The number of them that come back. */
  readonly failed: number;
}

/** Invokes a function as Lambda's event source for SQS does, one invocation at a time, when a test asks for it. */
export class EventSource {
  readonly #backends: Backends;
  readonly #queue: string;
  readonly #consumer: LambdaConsumer;
  #failed: SQSRecord[] = [];

  constructor(backends: Backends, queue: string, consumer: LambdaConsumer) {
    this.#backends = backends;
    this.#queue = queue;
    this.#consumer = consumer;
  }

  /** Receives so many messages, gives them to the function in one invocation, and deletes those that it does not report failed. */
  async invoke(messages: number, remainingMs = 60_000): Promise<Invocation> {
    const records = await this.#receive(messages);
    const context = { getRemainingTimeInMillis: () => remainingMs };
    const { batchItemFailures } = await this.#consumer({ Records: records }, context);
    const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    for (const { messageId, receiptHandle } of records) {
      if (failed.has(messageId)) continue;
      await this.#backends.sqs.send(
        new DeleteMessageCommand({ QueueUrl: this.#url, ReceiptHandle: receiptHandle }),
      );
    }
    this.#failed = records.filter(({ messageId }) => failed.has(messageId));
    return { received: records.length, failed: failed.size };
  }

  /** Makes the messages that failed in the last invocation visible at once, even if they or their tasks have a delay. */
  async redeliverFailed(): Promise<void> {
    for (const { receiptHandle, body } of this.#failed.splice(0)) {
      await this.#forgetRest(decodeEnvelope(body).taskId);
      const change = { QueueUrl: this.#url, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 };
      // A message that was given back is visible already, perhaps as a copy
      await this.#backends.sqs
        .send(new ChangeMessageVisibilityCommand(change))
        .catch(unless('MessageNotInflight'));
    }
  }

  /** Lets the next attempt at a tracked task start at once. */
  async #forgetRest(taskId: string): Promise<void> {
    const { documents, tasksTable: TableName } = this.#backends;
    const update = {
      UpdateExpression: 'REMOVE nextAttemptAt',
      ConditionExpression: 'attribute_exists(taskId)',
    };
    await documents
      .send(new UpdateCommand({ TableName, Key: { taskId }, ...update }))
      .catch(unless('ConditionalCheckFailedException'));
  }

  /** The messages in the queue's dead-letter queue. */
  async deadLetters(): Promise<Message[]> {
    const { Messages = [] } = await this.#backends.sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#backends.queueUrls.deadLettersOf(this.#queue),
        MaxNumberOfMessages: 10,
        MessageAttributeNames: ['All'],
      }),
    );
    return Messages;
  }

  get #url(): string {
    return this.#backends.queueUrls.of(this.#queue);
  }

  async #receive(count: number): Promise<SQSRecord[]> {
    const records: SQSRecord[] = [];
    return eventually(`${count} messages in ${this.#queue}`, async () => {
      const { Messages = [] } = await this.#backends.sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: this.#url,
          MaxNumberOfMessages: Math.min(10, count - records.length),
          MessageSystemAttributeNames: ['All'],
        }),
      );
      records.push(...Messages.map((message) => this.#record(message)));
      return records.length >= count && records;
    });
  }

  #record({ MessageId = '', ReceiptHandle = '', Body = '', Attributes = {} }: Message): SQSRecord {
    return {
      messageId: MessageId,
      receiptHandle: ReceiptHandle,
      body: Body,
      attributes: Attributes as unknown as SQSRecord['attributes'],
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: `arn:aws:sqs:us-east-1:000000000000:baton-${this.#backends.stage}-${this.#queue}`,
      awsRegion: 'us-east-1',
    };
  }
}

/** Ignores errors with that name, and throws all others. */
function unless(name: string): (error: Error) => void {
  return (error) => {
    if (error.name !== name) throw error;
  };
}
