import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Batcher } from './batcher.ts';
import { type DeadLetter, deadLetterEntry } from './dead-letter.ts';
import type { QueueUrls } from './queue-urls.ts';
import type { ReceivedMessage } from './received-message.ts';
import { callInBatch } from './sqs-batch.ts';
import { MAX_MESSAGE_BYTES } from './task-client.ts';

const LINGER_MS = 5;

type DeadLetterEntry = ReturnType<typeof deadLetterEntry>;

interface Visibility {
  readonly ReceiptHandle: string;
  readonly VisibilityTimeout: number;
}

/**
 * Carries outcomes out at one queue. Calls made at about the same time travel together: ten, or what has gathered
 * after 5 ms. Each is retried on its own; one that still fails rejects, and the message comes back when its lease ends.
 */
export class Settler {
  readonly #deletes: Batcher<{ ReceiptHandle: string }, object>;
  readonly #visibilities: Batcher<Visibility, object>;
  readonly #deadLetters: Batcher<DeadLetterEntry, object>;

  constructor(sqs: SQSClient, queueUrls: QueueUrls, queue: string) {
    const QueueUrl = queueUrls.of(queue);
    this.#deletes = new Batcher<{ ReceiptHandle: string }, object>({
      lingerMs: LINGER_MS,
      run: (entries) =>
        callInBatch(entries, (Entries) => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }))),
    });
    this.#visibilities = new Batcher<Visibility, object>({
      lingerMs: LINGER_MS,
      run: (entries) =>
        callInBatch(entries, (Entries) =>
          sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })),
        ),
    });
    const deadLetterUrl = queueUrls.deadLettersOf(queue);
    this.#deadLetters = new Batcher<DeadLetterEntry, object>({
      maxSize: MAX_MESSAGE_BYTES,
      sizeOf: deadLetterBytes,
      run: (entries) =>
        callInBatch(entries, (Entries) =>
          sqs.send(new SendMessageBatchCommand({ QueueUrl: deadLetterUrl, Entries })),
        ),
    });
  }

  /** Deletes a message that is done with. */
  async delete({ receiptHandle }: ReceivedMessage): Promise<void> {
    await this.#deletes.add({ ReceiptHandle: receiptHandle });
  }

  /** Hides a message for so many seconds from now, 0 to 43,200; 0 shows it to every worker at once. */
  async hide({ receiptHandle }: ReceivedMessage, seconds: number): Promise<void> {
    await this.#visibilities.add({ ReceiptHandle: receiptHandle, VisibilityTimeout: seconds });
  }

  /** Copies a message to the dead letter queue with its reason. The message itself is still to be deleted. */
  async copyToDeadLetters(message: ReceivedMessage, deadLetter: DeadLetter): Promise<void> {
    await this.#deadLetters.add(deadLetterEntry(message, deadLetter));
  }
}

function deadLetterBytes({ MessageBody, MessageAttributes }: DeadLetterEntry): number {
  return Buffer.byteLength(MessageBody) + Buffer.byteLength(JSON.stringify(MessageAttributes));
}
