import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { retryUntil } from '../time/backoff.ts';
import { Batcher } from './batcher.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { type DeadLetter, deadLetterEntry } from './dead-letter.ts';
import { MAX_VISIBILITY_SECONDS, type Notes, type Outcome } from '../task/outcome.ts';
import { notesOfCopy } from './put-back.ts';
import type { QueueUrls } from './queue-urls.ts';
import type { ReceivedMessage } from './received-message.ts';
import { wholeSeconds } from '../time/rest.ts';
import { BatchEntryError, callInBatch } from './sqs-batch.ts';
import { MAX_MESSAGE_BYTES, QueueSender } from './queue-sender.ts';

const LINGER_MS = 5;
/** An entry that fails is tried again by itself, for as long as its own lease lasts. */
const ONCE = { attempts: 1 };

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
  readonly #queue: string;
  readonly #deletes: Batcher<{ ReceiptHandle: string }, object>;
  readonly #visibilities: Batcher<Visibility, object>;
  readonly #deadLetters: Batcher<DeadLetterEntry, object>;
  readonly #copies: QueueSender;
  readonly #clock: ClockWatch;

  constructor(sqs: SQSClient, queueUrls: QueueUrls, queue: string) {
    const QueueUrl = queueUrls.of(queue);
    this.#clock = ClockWatch.of(sqs);
    this.#queue = queue;
    this.#deletes = new Batcher<{ ReceiptHandle: string }, object>({
      lingerMs: LINGER_MS,
      run: (entries) =>
        callInBatch(
          entries,
          (Entries) => sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })),
          ONCE,
        ),
    });
    this.#visibilities = new Batcher<Visibility, object>({
      lingerMs: LINGER_MS,
      run: (entries) =>
        callInBatch(
          entries,
          (Entries) => sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })),
          ONCE,
        ),
    });
    this.#copies = new QueueSender(sqs, QueueUrl, ONCE);
    const deadLetterUrl = queueUrls.deadLettersOf(queue);
    this.#deadLetters = new Batcher<DeadLetterEntry, object>({
      maxSize: MAX_MESSAGE_BYTES,
      sizeOf: deadLetterBytes,
      run: (entries) =>
        callInBatch(
          entries,
          (Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl: deadLetterUrl, Entries })),
          ONCE,
        ),
    });
  }

  /**
   * Carries an outcome out: deletes a done message, hides one to be tried again, shows a released one, and copies a
   * dead letter to its queue before it is deleted. What fails is tried again until the lease ends.
   *
   * @param untilMs - when the lease ends, by `performance.now()`; a call that fails after it rejects
   */
  async settle(message: ReceivedMessage, outcome: Outcome, workerId: string, untilMs = 0): Promise<void> {
    const finished =
      outcome.kind === 'done' || (await this.settleAllButDelete(message, outcome, workerId, untilMs));
    if (finished) await retryUntil(untilMs, () => this.delete(message), mayRecover);
  }

  /** Settles for a caller whose event source deletes. Resolves to whether the message is to be deleted. */
  async settleAllButDelete(
    message: ReceivedMessage,
    outcome: Outcome,
    workerId: string,
    untilMs = 0,
  ): Promise<boolean> {
    switch (outcome.kind) {
      case 'done':
        return true;
      case 'retry':
      case 'release': {
        const { asCopy, notes, delaySeconds = 0 } = outcome;
        if (asCopy) await retryUntil(untilMs, () => this.#sendCopy(message, delaySeconds, notes), mayRecover);
        else await retryUntil(untilMs, () => this.hide(message, delaySeconds), mayRecover);
        return asCopy ?? false;
      }
      case 'dead-letter':
        await retryUntil(
          untilMs,
          () => this.copyToDeadLetters(message, { ...outcome, workerId }),
          mayRecover,
        );
        return true;
    }
  }

  /** Deletes a message that is done with. */
  delete({ receiptHandle }: ReceivedMessage): Promise<unknown> {
    return this.#deletes.add({ ReceiptHandle: receiptHandle });
  }

  /** Hides a message for so many seconds from now, 0 to 43,200; 0 shows it to every worker at once. */
  hide(message: ReceivedMessage, seconds: number): Promise<unknown> {
    return this.extendLease(message, wholeSeconds(seconds, MAX_VISIBILITY_SECONDS));
  }

  /** Has the lease of a message last for so many whole seconds from now. */
  extendLease({ receiptHandle }: ReceivedMessage, seconds: number): Promise<unknown> {
    return this.#visibilities.add({ ReceiptHandle: receiptHandle, VisibilityTimeout: seconds });
  }

  /** Sends a message again, which is still to be deleted: new to SQS, with notes in place of its own attributes. */
  async #sendCopy(message: ReceivedMessage, delaySeconds: number, notes?: Notes): Promise<void> {
    await this.#copies.send(message.body, delaySeconds, { ...notesOfCopy(message), ...notes });
  }

  /** Copies a message to the dead letter queue with its reason. The message itself is still to be deleted. */
  async copyToDeadLetters(message: ReceivedMessage, deadLetter: Omit<DeadLetter, 'queue'>): Promise<void> {
    const entry = deadLetterEntry(message, { ...deadLetter, queue: this.#queue }, this.#clock.nowMs);
    await this.#deadLetters.add(entry);
  }
}

/** Whether SQS may take the same entry later. */
function mayRecover(error: unknown): boolean {
  return !(error instanceof BatchEntryError && error.senderFault);
}

function deadLetterBytes({ MessageBody, MessageAttributes }: DeadLetterEntry): number {
  return Buffer.byteLength(MessageBody) + Buffer.byteLength(JSON.stringify(MessageAttributes));
}
