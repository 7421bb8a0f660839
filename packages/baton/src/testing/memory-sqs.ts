// Queues in memory.
import {
  ChangeMessageVisibilityBatchCommand,
  GetQueueAttributesCommand,
  type MessageAttributeValue,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { decodeEnvelope, type Envelope } from '../sqs/envelope.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { ClockWatch } from '../time/clock-watch.ts';

const PREFIX = 'https://sqs.test/000000000000/test-';

/** The clock of a backend in memory. */
export interface VirtualClock {
  /** In milliseconds since 1970. */
  nowMs: number;
}

/** A message in a queue. */
export interface MemoryMessage {
  readonly messageId: string;
  /** The queue's name, or its lane's, or that of its dead-letter queue. */
  readonly queue: string;
  readonly body: string;
  /** The envelope in the body. */
  readonly envelope: Envelope;
  readonly attributes: Readonly<Record<string, MessageAttributeValue>>;
  readonly sentAtMs: number;
  /** When it is visible. Infinity while it is received. */
  readonly visibleAtMs: number;
}

interface Stored extends MemoryMessage {
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedAtMs: number;
}

/** Queues in memory, with the clock of their backend. Messages that become visible together keep the order of their sends. */
export class MemorySqs {
  readonly queueUrls = new QueueUrls(PREFIX);
  /** A client of SQS with the commands of a task client and a settler. */
  readonly client: SQSClient;
  readonly #clock: VirtualClock;
  readonly #messages = new Map<string, Stored>();
  #sent = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
    const send = async (command: unknown): Promise<object> => this.#answer(command);
    this.client = { send } as unknown as SQSClient;
    new ClockWatch('SQS', { now: () => clock.nowMs, answers: false }).listenTo(this.client);
  }

  /** All messages, in the order of their sends. */
  get messages(): MemoryMessage[] {
    return [...this.#messages.values()];
  }

  /** The message that becomes visible next, among those that `takes` accepts. */
  next(takes: (message: MemoryMessage) => boolean): MemoryMessage | undefined {
    let next: MemoryMessage | undefined;
    for (const message of this.#messages.values())
      if (message.visibleAtMs < (next?.visibleAtMs ?? Infinity) && takes(message)) next = message;
    return next;
  }

  /** Receives a message, and hides it until its visibility changes. */
  receive({ messageId }: MemoryMessage): ReceivedMessage {
    const message = this.#find(messageId);
    if (message.receiveCount === 0) message.firstReceivedAtMs = this.#clock.nowMs;
    message.receiveCount += 1;
    message.visibleAtMs = Infinity;
    const { body, receiveCount, sentAtMs, firstReceivedAtMs, attributes } = message;
    return {
      messageId,
      receiptHandle: messageId,
      body,
      receiveCount,
      sentAtMs,
      firstReceivedAtMs,
      attributes,
    };
  }

  /** Deletes a message. */
  delete({ messageId }: Pick<MemoryMessage, 'messageId'>): void {
    this.#messages.delete(messageId);
  }

  #answer(command: unknown): object {
    if (command instanceof SendMessageBatchCommand) {
      const { QueueUrl = '', Entries = [] } = command.input;
      for (const { MessageBody = '', DelaySeconds = 0, MessageAttributes = {} } of Entries)
        this.#send(QueueUrl.slice(PREFIX.length), MessageBody, DelaySeconds, MessageAttributes);
      return { Successful: Entries.map(({ Id }) => ({ Id })) };
    }
    if (command instanceof ChangeMessageVisibilityBatchCommand) {
      const { Entries = [] } = command.input;
      for (const { ReceiptHandle = '', VisibilityTimeout = 0 } of Entries)
        this.#find(ReceiptHandle).visibleAtMs = this.#clock.nowMs + VisibilityTimeout * 1000;
      return { Successful: Entries.map(({ Id }) => ({ Id })) };
    }
    if (command instanceof GetQueueAttributesCommand) return { Attributes: { QueueArn: 'in memory' } };
    throw new TypeError(
      `The queues in memory have no ${(command as object).constructor.name}: expected a command of a task client`,
    );
  }

  #send(queue: string, body: string, delaySeconds: number, attributes: Stored['attributes']): void {
    this.#sent += 1;
    const { nowMs } = this.#clock;
    const messageId = `message-${this.#sent}`;
    const visibleAtMs = nowMs + delaySeconds * 1000;
    const times = { sentAtMs: nowMs, firstReceivedAtMs: nowMs, visibleAtMs };
    const what = { queue, body, envelope: decodeEnvelope(body), attributes };
    this.#messages.set(messageId, { messageId, ...what, receiveCount: 0, ...times });
  }

  #find(messageId: string): Stored {
    const message = this.#messages.get(messageId);
    if (message) return message;
    throw new TypeError(`The queues in memory have no message ${messageId}`);
  }
}
