// Runs a queue's messages by invoking a function, in the place of Lambda's event source.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { retryUntil } from '../time/backoff.ts';
import { InvokeCommand, type LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import { BrokenAnswerError } from '../aws/answers.ts';
import type { AttemptHost } from '../run/attempt.ts';
import { Batcher } from '../sqs/batcher.ts';
import { outcomeWithoutSlot } from './slot.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { LambdaQueue } from './config.ts';
import type { Execution, Executor } from './executor.ts';
import { Slots } from './slots.ts';

const LEFT: Execution = { kind: 'left' };
const DONE: Execution = { kind: 'done', result: undefined };
const LINGER_MS = 5;
/** The most that Lambda accepts in one invocation, in bytes of JSON (AWS: "Lambda quotas"), less the list around the records. */
const MAX_BATCH_BYTES = 6_291_556 - 100;

const responseSchema = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish() })
  .nullish();

/** A message of a batch. */
interface Entry {
  readonly message: ReceivedMessage;
  /** Its record in the function's event, as JSON. */
  readonly record: string;
}

/** Configures a `LambdaExecutor`. */
export interface LambdaExecutorOptions {
  readonly lambda: LambdaClient;
  readonly target: LambdaQueue;
  /** The queue's URL. The ARN in the records is made from it. */
  readonly queueUrl: string;
  readonly region: string;
  /** The slots of the queue's messages: as many as all invocations together hold. */
  readonly slots: Slots;
  /** How long a throttled invocation is retried. */
  readonly leaseSeconds: number;
  readonly logger: Logger;
}

/**
 * Runs a queue's messages by invoking a function with batches of them, as Lambda's event source for SQS does, with
 * ReportBatchItemFailures. A message is done if the function does not report it as failed. A failed message, and every
 * message of a failed invocation, is left: it comes back when the function changes its visibility or when the lease expires.
 * Messages are given back if no invocation is free within a second.
 */
export class LambdaExecutor implements Executor {
  readonly kind = 'lambda';
  readonly #options: LambdaExecutorOptions;
  readonly #invocations: Slots;
  readonly #arn: string;
  readonly #batcher: Batcher<Entry, Execution>;

  constructor(options: LambdaExecutorOptions) {
    const { target, queueUrl, region } = options;
    this.#options = options;
    this.#invocations = new Slots(target.maximumConcurrency);
    this.#arn = arnOf(queueUrl, region);
    this.#batcher = new Batcher({
      maxEntries: target.batchSize,
      maxSize: MAX_BATCH_BYTES,
      // With a comma. A message alone always fits, because SQS's limit is 1 MiB and JSON at most doubles it
      sizeOf: ({ record }) => Buffer.byteLength(record) + 1,
      lingerMs: LINGER_MS,
      run: (entries) => this.#runBatch(entries),
    });
  }

  run(message: ReceivedMessage, { signal }: AttemptHost): Promise<Execution> {
    // A function cannot be aborted: its message is left if the worker must stop first
    const entry = { message, record: JSON.stringify(recordOf(message, this.#arn)) };
    return Promise.race([this.#batcher.add(entry), leftOnAbort(signal)]);
  }

  async #runBatch(messages: readonly Entry[]): Promise<PromiseSettledResult<Execution>[]> {
    const { target, slots, logger } = this.#options;
    const { queue, functionName, batchSize } = target;
    const invocation = await this.#invocations.takeSoon(queue);
    if (!invocation) {
      logger.info({ queue, messages: messages.length }, 'no invocation is free: messages given back');
      return messages.map(({ message }) => fulfilled(outcomeWithoutSlot(message)));
    }
    // Takes the slots of a whole batch, so that no message is received that would wait for another invocation
    const spare = batchSize - messages.length;
    slots.takeAnyway(queue, spare);
    const startedAtMs = performance.now();
    try {
      const failed = await this.#invoke(messages, startedAtMs);
      return messages.map(({ message }) => fulfilled(failed.has(message.messageId) ? LEFT : DONE));
    } catch (error) {
      logger.error({ queue, function: functionName, error }, 'invocation failed; its messages come back');
      return messages.map(() => fulfilled(LEFT));
    } finally {
      invocation.taskEnded(performance.now() - startedAtMs);
      slots.giveBack(queue, spare);
    }
  }

  /** Invokes the function. Retries a throttled invocation until a lease is over, as Lambda's own event source does. */
  #invoke(messages: readonly Entry[], startedAtMs: number): Promise<ReadonlySet<string>> {
    const { lambda, target, leaseSeconds } = this.#options;
    return retryUntil(
      startedAtMs + leaseSeconds * 1000,
      () => invoke(lambda, target.functionName, messages),
      (error) => error instanceof TooManyRequestsException,
    );
  }
}

async function leftOnAbort(signal: AbortSignal): Promise<Execution> {
  if (!signal.aborted) await once(signal, 'abort');
  return LEFT;
}

/** Invokes a function. Resolves to the ids of the messages that it reports as failed. @throws Error if all of them failed */
async function invoke(
  lambda: LambdaClient,
  functionName: string,
  messages: readonly Entry[],
): Promise<ReadonlySet<string>> {
  const { ExecutedVersion, FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: `{"Records":[${messages.map(({ record }) => record).join()}]}`,
    }),
  );
  const answer = Payload ? Buffer.from(Payload).toString() : '';
  if (FunctionError) throw new Error(`${functionName} failed: ${answer.slice(0, 1000)}`);
  const response = responseSchema.parse(answer === '' ? null : JSON.parse(answer));
  // From a function, no answer or `{}` means that all messages are done. From a broken proxy or emulator it does not. So a
  // version or a list of failures is required; serverless-offline names no version
  if (!ExecutedVersion && !response?.batchItemFailures)
    throw new BrokenAnswerError('Invoke', 'it has neither a version nor a list of failures');
  const failed = new Set(response?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  const sent = new Set(messages.map(({ message }) => message.messageId));
  const foreign = [...failed].find((id) => !sent.has(id));
  if (foreign !== undefined)
    throw new Error(`${functionName} reported a failed message that it did not get: ${foreign}`);
  return failed;
}

function fulfilled(value: Execution): PromiseFulfilledResult<Execution> {
  return { status: 'fulfilled', value };
}

function recordOf(message: ReceivedMessage, arn: string): SQSRecord {
  const { messageId, receiptHandle, body, receiveCount, sentAtMs, firstReceivedAtMs, attributes } = message;
  const messageAttributes = Object.entries(attributes).map(
    ([name, { DataType = 'String', StringValue, BinaryValue }]) => [
      name,
      {
        dataType: DataType,
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
      },
    ],
  );
  return {
    messageId,
    receiptHandle,
    body,
    attributes: {
      ApproximateReceiveCount: String(receiveCount),
      SentTimestamp: String(sentAtMs),
      SenderId: '',
      ApproximateFirstReceiveTimestamp: String(firstReceivedAtMs),
    },
    messageAttributes: Object.fromEntries(messageAttributes) as SQSRecord['messageAttributes'],
    md5OfBody: createHash('md5').update(body).digest('hex'),
    eventSource: 'aws:sqs',
    eventSourceARN: arn,
    awsRegion: arn.split(':')[3] ?? '',
  };
}

/** Makes a queue's ARN from its URL, which ends in account and name. */
function arnOf(queueUrl: string, region: string): string {
  const [account = '', name = ''] = new URL(queueUrl).pathname.split('/').slice(-2);
  return `arn:aws:sqs:${region}:${account}:${name}`;
}
