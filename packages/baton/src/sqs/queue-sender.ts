import { type MessageAttributeValue, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { Batcher } from './batcher.ts';
import { SendError } from '../task/errors.ts';
import { reasonOf } from '../telemetry/thrown.ts';
import { wholeSeconds } from '../time/rest.ts';
import { BatchEntryError, type BatchRetries, callInBatch } from './sqs-batch.ts';
import { isTransient } from '../aws/answers.ts';

/** SQS's limit for one message and for one batch, in bytes (Amazon SQS message quotas). */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** SQS's longest DelaySeconds. */
export const MAX_DELAY_SECONDS = 900;

interface Entry {
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
  readonly MessageAttributes?: Readonly<Record<string, MessageAttributeValue>>;
}

/** Sends message bodies to one queue; those sent at about the same time travel in one request of ten and 1 MiB. */
export class QueueSender {
  readonly #batcher: Batcher<Entry, object>;

  constructor(sqs: SQSClient, QueueUrl: string, retries: BatchRetries = {}) {
    this.#batcher = new Batcher<Entry, object>({
      run: (entries) =>
        callInBatch(
          entries,
          (Entries) => sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })),
          retries,
        ),
      maxSize: MAX_MESSAGE_BYTES,
      sizeOf: bytesOf,
    });
  }

  /**
   * Sends a body that SQS keeps from workers for so many seconds; more than 900 mean 900, the most that SQS takes. Resolves
   * once SQS has taken it.
   *
   * @param notes - text attributes by their names, at most ten; left out if they are too much beside the body
   * @throws BatchEntryError when SQS refused it, or the error of the whole request
   */
  async send(body: string, delaySeconds = 0, notes?: Readonly<Record<string, string>>): Promise<void> {
    const DelaySeconds = wholeSeconds(delaySeconds, MAX_DELAY_SECONDS);
    const bare = { MessageBody: body, ...(DelaySeconds > 0 && { DelaySeconds }) };
    const noted = notes && { ...bare, MessageAttributes: attributesOf(notes) };
    await this.#batcher.add(noted && bytesOf(noted) <= MAX_MESSAGE_BYTES ? noted : bare);
  }
}

function attributesOf(notes: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
  const entries = Object.entries(notes).map(([name, StringValue]) => [
    name,
    { DataType: 'String', StringValue },
  ]);
  return Object.fromEntries(entries) as Record<string, MessageAttributeValue>;
}

/** Attributes count towards what SQS takes, with their names and types; here they are small, and counted as JSON. */
function bytesOf({ MessageBody, MessageAttributes }: Entry): number {
  const own = Buffer.byteLength(MessageBody);
  return MessageAttributes ? own + Buffer.byteLength(JSON.stringify(MessageAttributes)) : own;
}

/** What to tell a sender whose task SQS did not take. */
export function sendError(task: string, queue: string, cause: unknown): SendError {
  const transient = cause instanceof BatchEntryError ? !cause.senderFault : isTransient(cause);
  return new SendError(`SQS did not take ${task} on the queue ${queue}: ${reasonOf(cause)}`, {
    cause,
    transient,
  });
}
