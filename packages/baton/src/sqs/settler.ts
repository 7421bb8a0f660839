// Carries outcomes out at SQS: deletes a message, hides it, or sends its copy or dead letter.
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { MAX_VISIBILITY_SECONDS, type Outcome } from '../task/outcome.ts';
import { MAX_MESSAGE_BYTES } from '../task/task.ts';
import { ClockWatch } from '../time/clock-watch.ts';
import { wholeSeconds } from '../time/rest.ts';
import { Batcher } from './batcher.ts';
import { deadLetterBytes, deadLetterEntry } from './dead-letter.ts';
import { putBackNotes } from './put-back.ts';
import { QueueSender } from './queue-sender.ts';
import type { QueueUrls } from './queue-urls.ts';
import type { ReceivedMessage } from './received-message.ts';
import { inBatches, mayRecover, type SqsBatchCall } from './sqs-batch.ts';

const LINGER_MS = 5;
/** Without retries, because the batcher retries each entry until the lease of its message expires. */
const ONCE = { attempts: 1 };

type DeadLetterEntry = ReturnType<typeof deadLetterEntry>;

interface Receipt {
  readonly ReceiptHandle: string;
}

interface Visibility extends Receipt {
  readonly VisibilityTimeout: number;
}

/**
 * Carries outcomes out at one queue. Calls within 5 ms share a request, at most ten of them. Each is retried on its own
 * until its lease expires. If it still fails, it rejects, and the message comes back.
 */
export class Settler {
  readonly #queue: string;
  readonly #deletes: Batcher<Receipt, object>;
  readonly #visibilities: Batcher<Visibility, object>;
  readonly #deadLetters: Batcher<DeadLetterEntry, object>;
  readonly #copies: QueueSender;
  readonly #clock: ClockWatch;

  constructor(sqs: SQSClient, queueUrls: QueueUrls, queue: string) {
    const QueueUrl = queueUrls.of(queue);
    const deadLetterUrl = queueUrls.deadLettersOf(queue);
    const deleteBatch: SqsBatchCall<Receipt, object> = (Entries) =>
      sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
    const hideBatch: SqsBatchCall<Visibility, object> = (Entries) =>
      sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries }));
    const deadLetterBatch: SqsBatchCall<DeadLetterEntry, object> = (Entries) =>
      sqs.send(new SendMessageBatchCommand({ QueueUrl: deadLetterUrl, Entries }));
    this.#clock = ClockWatch.of(sqs);
    this.#queue = queue;
    this.#deletes = new Batcher({ lingerMs: LINGER_MS, run: inBatches(deleteBatch, ONCE), mayRecover });
    this.#visibilities = new Batcher({ lingerMs: LINGER_MS, run: inBatches(hideBatch, ONCE), mayRecover });
    this.#copies = new QueueSender(sqs, QueueUrl, ONCE);
    this.#deadLetters = new Batcher({
      maxSize: MAX_MESSAGE_BYTES,
      sizeOf: deadLetterBytes,
      run: inBatches(deadLetterBatch, ONCE),
      mayRecover,
    });
  }

  /**
   * Carries an outcome out. Deletes the message of a task that is done, hides one that is retried or released for its
   * rest, and sends a dead letter or copy before it deletes the message. Retries failed calls until the lease expires.
   *
   * @param untilMs - when the lease expires, by `performance.now()`. Default: each call is made once
   * @throws the last error of a call that failed until then
   */
  async settle(message: ReceivedMessage, outcome: Outcome, workerId: string, untilMs = 0): Promise<void> {
    const finished =
      outcome.kind === 'done' || (await this.settleAllButDelete(message, outcome, workerId, untilMs));
    if (finished) await this.#deletes.add({ ReceiptHandle: message.receiptHandle }, untilMs);
  }

  /**
   * Carries an outcome out for a caller whose event source deletes messages. Resolves to whether the event source must
   * delete the message. Parameters and errors are those of `settle`.
   */
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
        const { asCopy = false, notes, delaySeconds = 0, body = message.body } = outcome;
        if (asCopy) {
          const copyNotes = { ...putBackNotes(message), ...notes };
          await this.#copies.send(body, delaySeconds, copyNotes, untilMs);
        } else await this.hide(message, delaySeconds, untilMs);
        return asCopy;
      }
      case 'dead-letter': {
        const { body = message.body } = outcome;
        const deadLetter = { ...outcome, workerId, queue: this.#queue };
        const entry = deadLetterEntry({ ...message, body }, deadLetter, this.#clock.nowMs);
        await this.#deadLetters.add(entry, untilMs);
        return true;
      }
    }
  }

  /** Hides a message for 0 to 43,200 seconds from now; 0 makes it visible to every worker. Retries like `settle`. */
  hide({ receiptHandle }: ReceivedMessage, seconds: number, untilMs = 0): Promise<unknown> {
    const VisibilityTimeout = wholeSeconds(seconds, MAX_VISIBILITY_SECONDS);
    return this.#visibilities.add({ ReceiptHandle: receiptHandle, VisibilityTimeout }, untilMs);
  }

  /** Extends the lease of a message to so many whole seconds from now. Does not retry. */
  extendLease({ receiptHandle }: ReceivedMessage, seconds: number): Promise<unknown> {
    return this.#visibilities.add({ ReceiptHandle: receiptHandle, VisibilityTimeout: seconds });
  }
}
