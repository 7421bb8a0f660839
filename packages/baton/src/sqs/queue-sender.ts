// Sends message bodies to one queue, in batches.
import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Batcher } from './batcher.ts';
import { SendError } from '../task/errors.ts';
import { MAX_MESSAGE_BYTES } from '../task/task.ts';
import { reasonOf } from '../telemetry/thrown.ts';
import { wholeSeconds } from '../time/rest.ts';
import { BatchEntryError, type BatchRetries, inBatches, mayRecover } from './sqs-batch.ts';
import { isTransient } from '../aws/answers.ts';

/** SQS's longest DelaySeconds. */
export const MAX_DELAY_SECONDS = 900;

interface Entry {
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttributeValue>>;
}

/** Sends message bodies to one queue. Sends made at about the same time share a request of at most ten bodies and 1 MiB. */
export class QueueSender {
  readonly #batcher: Batcher<Entry, object>;

  constructor(sqs: SQSClient, QueueUrl: string, retries: BatchRetries = {}) {
    this.#batcher = new Batcher<Entry, object>({
      run: inBatches((Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })), retries),
      maxSize: MAX_MESSAGE_BYTES,
      sizeOf: bytesOf,
      mayRecover,
    });
  }

  /**
   * Sends a message body. Resolves once SQS has accepted it.
   *
   * @param delaySeconds - how long SQS hides the message from workers, at most 900
   * @param notes - text attributes by name, at most ten; left out if they do not fit beside the body
   * @param untilMs - no retry is made after this time, by `performance.now()`. Default: no retries
   * @throws BatchEntryError if SQS refused the message, or the error of the whole request
   */
  async send(
    body: string,
    delaySeconds = 0,
    notes?: Readonly<Record<string, string>>,
    untilMs = 0,
  ): Promise<void> {
    const DelaySeconds = wholeSeconds(delaySeconds, MAX_DELAY_SECONDS);
    const bare = { MessageBody: body, ...(DelaySeconds > 0 && { DelaySeconds }) };
    const withNotes = notes && { ...bare, MessageAttributes: attributesOf(notes) };
    const fits = withNotes && bytesOf(withNotes) <= MAX_MESSAGE_BYTES;
    await this.#batcher.add(fits ? withNotes : bare, untilMs);
  }
}

function attributesOf(notes: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
  const entries = Object.entries(notes).map(([name, StringValue]) => [
    name,
    { DataType: 'String', StringValue },
  ]);
  return Object.fromEntries(entries) as Record<string, MessageAttributeValue>;
}

/** The size of an entry. Names and types of attributes count too; their JSON is at least as long. */
function bytesOf({ MessageBody, MessageAttributes }: Entry): number {
  const own = Buffer.byteLength(MessageBody);
  return MessageAttributes ? own + Buffer.byteLength(JSON.stringify(MessageAttributes)) : own;
}

/** The error for a sender whose task SQS did not accept. */
export function sendError(task: string, queue: string, cause: unknown): SendError {
  const transient = cause instanceof BatchEntryError ? !cause.senderFault : isTransient(cause);
  return new SendError(`SQS did not accept ${task} on the queue ${queue}: ${reasonOf(cause)}`, {
    cause,
    transient,
  });
}
