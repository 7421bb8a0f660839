import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { retryUntil } from '../time/backoff.ts';
import { InvokeCommand, type LambdaClient, TooManyRequestsException } from '@aws-sdk/client-lambda';
import { BrokenAnswerError } from '../aws/answers.ts';
import { Batcher } from '../sqs/batcher.ts';
import { outcomeWithoutSlot } from './slot.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { SQSEvent, SQSRecord } from 'aws-lambda';
import * as z from 'zod';
import type { LambdaQueue } from './config.ts';
import type { Execution, Executor } from './executor.ts';
import { Slots } from './slots.ts';

const LEFT: Execution = { kind: 'left' };
const DONE: Execution = { kind: 'done', result: undefined };
const LINGER_MS = 5;
/** Lambda takes 6 MB an invocation; JSON escapes can make a body longer than it was. */
const MAX_BATCH_BYTES = 3_000_000;

const responseSchema = z
  .object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })).nullish() })
  .nullish();

/** What a Lambda executor needs. */
export interface LambdaExecutorOptions {
  readonly lambda: LambdaClient;
  readonly target: LambdaQueue;
  /** The queue's URL, from which the records' ARN is made. */
  readonly queueUrl: string;
  readonly region: string;
  /** The slots of the queue's messages: as many as fit into all invocations. */
  readonly slots: Slots;
  /** How long a throttled invocation is made again. */
  readonly leaseSeconds: number;
  readonly logger: Logger;
}

/**
 * Runs a queue's messages by invoking a function with batches of them, as Lambda's event source for SQS does, with
 * ReportBatchItemFailures: what the function does not report as failed is done; what failed, and a batch whose
 * invocation failed, is left, and comes back when the function's own change of visibility or the lease ends. What no
 * invocation is free for, at once or in a moment, is given back.
 */
export function lambdaExecutor(options: LambdaExecutorOptions): Executor {
  const { lambda, target, queueUrl, region, slots, leaseSeconds, logger } = options;
  const invocations = new Slots(target.maximumConcurrency);
  const arn = arnOf(queueUrl, region);
  const batcher = new Batcher<ReceivedMessage, Execution>({
    maxEntries: target.batchSize,
    maxSize: MAX_BATCH_BYTES,
    sizeOf: ({ body }) => Buffer.byteLength(body),
    lingerMs: LINGER_MS,
    run: async (messages) => {
      const invocation = await invocations.takeSoon(target.queue);
      if (!invocation) {
        logger.info(
          { queue: target.queue, messages: messages.length },
          'no invocation is free: messages given back',
        );
        return messages.map((message) => fulfilled(outcomeWithoutSlot(message)));
      }
      // It takes the slots of a whole batch: no message is received that would wait for another invocation
      const spare = target.batchSize - messages.length;
      slots.takeAnyway(target.queue, spare);
      const startedAtMs = performance.now();
      try {
        // As Lambda's own event source does with what is throttled
        const failed = await retryUntil(
          startedAtMs + leaseSeconds * 1000,
          () => invoke(lambda, target.functionName, messages, arn),
          (error) => error instanceof TooManyRequestsException,
        );
        return messages.map(({ messageId }) => fulfilled(failed.has(messageId) ? LEFT : DONE));
      } catch (error) {
        logger.error(
          { queue: target.queue, function: target.functionName, error },
          'invocation failed; its messages come back',
        );
        return messages.map(() => fulfilled(LEFT));
      } finally {
        invocation.taskEnded(performance.now() - startedAtMs);
        slots.giveBack(target.queue, spare);
      }
    },
  });
  return {
    kind: 'lambda',
    // The function cannot be told to stop: what it still does when the worker must go is left to it
    run: (message, { signal }) => Promise.race([batcher.add(message), left(signal)]),
  };
}

/** Resolves when the signal aborts. */
async function left(signal: AbortSignal): Promise<Execution> {
  if (!signal.aborted) await once(signal, 'abort');
  return { kind: 'left' };
}

/** The ids of the messages that the function reports as failed. @throws Error when the batch as a whole failed */
async function invoke(
  lambda: LambdaClient,
  functionName: string,
  messages: readonly ReceivedMessage[],
  arn: string,
): Promise<ReadonlySet<string>> {
  const event: SQSEvent = { Records: messages.map((message) => recordOf(message, arn)) };
  const { ExecutedVersion, FunctionError, Payload } = await lambda.send(
    new InvokeCommand({
      FunctionName: functionName,
      InvocationType: 'RequestResponse',
      Payload: JSON.stringify(event),
    }),
  );
  const answer = Payload ? Buffer.from(Payload).toString() : '';
  if (FunctionError) throw new Error(`${functionName} failed: ${answer.slice(0, 1000)}`);
  const response = responseSchema.parse(answer === '' ? null : JSON.parse(answer));
  // What only stands in the place of Lambda may answer nothing or `{}`, which from a function means that all is done.
  // serverless-offline names no version
  if (!ExecutedVersion && !response?.batchItemFailures)
    throw new BrokenAnswerError(
      'Invoke',
      'it names no version of a function that ran, and no list of failures',
    );
  const failed = new Set(response?.batchItemFailures?.map(({ itemIdentifier }) => itemIdentifier));
  const sent = new Set(messages.map(({ messageId }) => messageId));
  const foreign = [...failed].find((id) => !sent.has(id));
  if (foreign !== undefined)
    throw new Error(`${functionName} reported a message it was not given: ${foreign}`);
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

/** A queue's URL ends in account and name. */
function arnOf(queueUrl: string, region: string): string {
  const [account = '', name = ''] = new URL(queueUrl).pathname.split('/').slice(-2);
  return `arn:aws:sqs:${region}:${account}:${name}`;
}
