import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { Batcher } from './batcher.ts';
import { type DeadLetter, deadLetterEntry } from './dead-letter.ts';
import type { Outcome } from './outcome.ts';
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

  /**
   * Carries an outcome out: deletes a done message, hides one to be tried again, shows a released one, and copies a
   * dead letter to its queue before it is deleted. Rejects where SQS could not be brought to do it.
   */
  async settle(message: ReceivedMessage, outcome: Outcome, workerId: string): Promise<void> {
    const finished = await this.settleAllButDelete(message, outcome, workerId);
    if (finished) await this.delete(message);
  }

  /** Settles for a caller whose event source deletes. Resolves to whether the message is to be deleted. */
  async settleAllButDelete(message: ReceivedMessage, outcome: Outcome, workerId: string): Promise<boolean> {
    switch (outcome.kind) {
      case 'done':
        return true;
      case 'retry':
        await this.hide(message, outcome.delaySeconds);
        return false;
      case 'release':
        await this.hide(message, 0);
        return false;
      case 'dead-letter':
        await this.copyToDeadLetters(message, { ...outcome, workerId });
        return true;
    }
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
