// The dead letters of a queue.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import { attributesPutBack, callInBatch, ClockWatch, MAX_MESSAGE_BYTES, reasonOf } from 'baton-tasks/tooling';
import { CLOCK_RESOLUTION_MS, type Letter, letterOf } from './letter.ts';

/** The most messages in one request of SQS. */
const BATCH = 10;
/** How long a letter stays hidden while it is looked at, in seconds. It becomes visible again if this process dies. */
const HELD_SECONDS = 120;
/** A long poll asks all servers of SQS, so an empty answer means that the queue has no more letters. */
const WAIT_SECONDS = 1;
/**
 * How long after the first letters were read one may be put back. What becomes a dead letter again after that is surely a
 * newcomer, although the time of the first read is known to a second only, and may be early or late by that.
 */
const FIRST_PUT_BACK_MS = 2 * CLOCK_RESOLUTION_MS + 100;

/** The result of putting a letter back. */
export interface PutBack {
  readonly letter: Letter;
  /** `back`; `kept` because SQS did not accept it; or `twice` because it is back but could not be deleted here. */
  readonly became: 'back' | 'kept' | 'twice';
  /** Why it was kept, or is there twice. */
  readonly why?: string;
}

/** Configures access to a dead-letter queue and to the queues that its letters came from. */
export interface DeadLetterQueueOptions {
  readonly sqs: SQSClient;
  /** The name of the queue that it belongs to, such as `payments`. */
  readonly queue: string;
  readonly url: string;
  /** The URL of that queue, or of one of its lanes. */
  readonly urlOf: (queue: string) => Promise<string>;
  /** Who puts letters back. */
  readonly by?: string;
  /** Waits. Default: a timer. */
  readonly rest?: (ms: number) => Promise<unknown>;
}

/** The dead letters of one queue: lists them and puts them back. */
export class DeadLetterQueue {
  readonly #options: DeadLetterQueueOptions;
  /** The receipt handle of each letter that is hidden, by its message id. */
  readonly #held = new Map<string, string>();
  /** When the first letters were read, by the monotonic clock. */
  #readSinceMs: number | undefined;

  constructor(options: DeadLetterQueueOptions) {
    this.#options = options;
  }

  /** Reads the letters, ten at a time, each once. Call `release` for the letters that are not put back. */
  async *letters(): AsyncGenerator<Letter[]> {
    const { sqs, url, queue } = this.#options;
    const clock = ClockWatch.of(sqs);
    const seen = new Set<string>();
    let sinceMs: number | undefined;
    for (;;) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: url,
          MaxNumberOfMessages: BATCH,
          WaitTimeSeconds: WAIT_SECONDS,
          VisibilityTimeout: HELD_SECONDS,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['SentTimestamp', 'DeadLetterQueueSourceArn'],
        }),
      );
      if (Messages.length === 0) return;
      const beganMs = (sinceMs ??= clock.nowMs);
      this.#readSinceMs ??= performance.now();
      const letters = Messages.map((message) => letterOf(message, queue, beganMs));
      for (const letter of letters) this.#held.set(letter.messageId, letter.receiptHandle);
      const fresh = letters.filter(({ messageId }) => !seen.has(messageId));
      // The first letters are visible again: there are more than can be read while they are hidden
      if (fresh.length === 0) return;
      for (const { messageId } of fresh) seen.add(messageId);
      yield fresh;
    }
  }

  /**
   * Sends letters to the queue that they came from, with their attributes but without counts, then deletes them here. Waits
   * first, if letters have been read for less than two seconds.
   */
  async putBack(letters: readonly Letter[]): Promise<PutBack[]> {
    const results: PutBack[] = [];
    if (letters.length > 0) await this.#sureOfNewcomers();
    for (const batch of batchesOf(letters)) results.push(...(await this.#putBackTogether(batch)));
    return results;
  }

  /** Makes the letters that were read and not put back visible again. */
  async release(): Promise<void> {
    const { sqs, url: QueueUrl } = this.#options;
    const entries = [...this.#held.values()].map((ReceiptHandle) => ({
      ReceiptHandle,
      VisibilityTimeout: 0,
    }));
    this.#held.clear();
    // A letter for which this fails becomes visible later
    for (let from = 0; from < entries.length; from += BATCH)
      await callInBatch(entries.slice(from, from + BATCH), (Entries) =>
        sqs.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl, Entries })),
      );
  }

  async #sureOfNewcomers(): Promise<void> {
    const { rest = sleep } = this.#options;
    const leftMs = (this.#readSinceMs ?? -Infinity) + FIRST_PUT_BACK_MS - performance.now();
    if (leftMs > 0) await rest(leftMs);
  }

  async #putBackTogether(letters: readonly Letter[]): Promise<PutBack[]> {
    const sent = await this.#send(letters);
    const back = letters.filter((_, index) => sent[index] === undefined);
    const deleted = await this.#delete(back);
    for (const { messageId } of back) this.#held.delete(messageId);
    return letters.map((letter, index) => {
      const notSent = sent[index];
      if (notSent !== undefined) return { letter, became: 'kept', why: notSent };
      const notDeleted = deleted[back.indexOf(letter)];
      return notDeleted === undefined
        ? { letter, became: 'back' }
        : { letter, became: 'twice', why: notDeleted };
    });
  }

  /** Sends letters. Resolves to why each was not sent, or undefined. */
  async #send(letters: readonly Letter[]): Promise<(string | undefined)[]> {
    const { sqs, urlOf, by } = this.#options;
    const queue = letters[0]?.queue ?? this.#options.queue;
    try {
      const QueueUrl = await urlOf(queue);
      const entries = letters.map(({ body, attributes }) => ({
        MessageBody: body,
        MessageAttributes: { ...attributesPutBack(attributes, by) },
      }));
      const send = (Entries: ((typeof entries)[number] & { Id: string })[]) =>
        sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
      return (await callInBatch(entries, send)).map(failureOf);
    } catch (error) {
      return letters.map(() => reasonOf(error));
    }
  }

  async #delete(letters: readonly Letter[]): Promise<(string | undefined)[]> {
    if (letters.length === 0) return [];
    const { sqs, url: QueueUrl } = this.#options;
    const entries = letters.map(({ receiptHandle }) => ({ ReceiptHandle: receiptHandle }));
    const results = await callInBatch(entries, (Entries) =>
      sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries })),
    );
    return results.map(failureOf);
  }
}

/** Splits letters into batches: of one queue, at most ten, and no more bytes than one request of SQS may have. */
function batchesOf(letters: readonly Letter[]): Letter[][] {
  const batches: Letter[][] = [];
  let bytes = 0;
  for (const letter of letters) {
    const own = Buffer.byteLength(letter.body) + Buffer.byteLength(JSON.stringify(letter.attributes));
    const batch = batches.at(-1);
    const fits =
      batch && batch.length < BATCH && batch[0]?.queue === letter.queue && bytes + own <= MAX_MESSAGE_BYTES;
    if (fits) batch.push(letter);
    else batches.push([letter]);
    bytes = fits ? bytes + own : own;
  }
  return batches;
}

function failureOf(result: PromiseSettledResult<unknown>): string | undefined {
  return result.status === 'rejected' ? reasonOf(result.reason) : undefined;
}
