import { GetQueueAttributesCommand, SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import { childOf, startTrace, type TraceContext } from '../telemetry/trace-context.ts';
import { Batcher } from './batcher.ts';
import { encodeEnvelope, sourceSchema, taskIdSchema } from './envelope.ts';
import { InvalidValueError, SendError } from './errors.ts';
import type { QueueUrls } from './queue-urls.ts';
import { BatchEntryError, callInBatch } from './sqs-batch.ts';
import type { TaskContract } from './task.ts';
import { isTransient } from './transient.ts';
import { valueIssues } from './value-issues.ts';

/** SQS's limit for one message and for one batch, in bytes (Amazon SQS message quotas). */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** SQS's longest DelaySeconds. */
export const MAX_DELAY_SECONDS = 900;

/** What a sender may say beyond the payload. */
export interface SendOptions {
  /** The task's id: 1 to 128 letters, digits and `._:-`. Default: a new uuid v7. */
  readonly taskId?: string;
  /** How long SQS keeps the task from workers, in whole seconds, 0 to 900. Default 0. */
  readonly delaySeconds?: number;
  /** The trace that this task belongs to. Default: a new one. */
  readonly trace?: TraceContext | undefined;
}

/** A task that SQS has taken. */
export interface SentTask {
  readonly taskId: string;
}

/** Sends a task: the form that handlers and routes get, without the client around it. */
export type SendTask = <Payload extends z.ZodType, Result extends z.ZodType>(
  contract: TaskContract<Payload, Result>,
  payload: z.input<Payload>,
  options?: SendOptions,
) => Promise<SentTask>;

/** What a task client needs. */
export interface TaskClientOptions {
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** The sending service's name, `^[a-z0-9-]+$`; it stands in every envelope. */
  readonly source: string;
}

interface Entry {
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
}

/**
 * Sends tasks. Sends that are made at about the same time to one queue travel in one request of up to ten messages
 * and 1 MiB; each caller learns of its own message's fate alone.
 */
export class TaskClient {
  readonly #sqs: SQSClient;
  readonly #queueUrls: QueueUrls;
  readonly #source: string;
  readonly #batchers = new Map<string, Batcher<Entry, object>>();

  /** @throws ZodError when `source` is no service name */
  constructor({ sqs, queueUrls, source }: TaskClientOptions) {
    this.#sqs = sqs;
    this.#queueUrls = queueUrls;
    this.#source = sourceSchema.parse(source);
  }

  /**
   * Sends a task and resolves once SQS has taken it.
   *
   * @throws InvalidValueError when payload, task id or delay break their rules; nothing was sent
   * @throws SendError when SQS did not take the task; `transient` says whether the same send may succeed later.
   *   After a time-out SQS may have taken it all the same: send again with the same task id
   */
  readonly send: SendTask = async (contract, payload, options = {}) => {
    const taskId = checkedTaskId(options.taskId ?? uuidv7());
    const delaySeconds = checkedDelay(options.delaySeconds ?? 0);
    const data = checkedPayload(contract, payload);
    const body = encodeEnvelope({
      taskId,
      task: contract.name,
      source: this.#source,
      time: new Date().toISOString(),
      trace: options.trace ? childOf(options.trace) : startTrace(),
      data,
    });
    const bytes = Buffer.byteLength(body);
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new SendError(`${contract.name} is ${bytes} bytes long, SQS takes ${MAX_MESSAGE_BYTES}`, {
        transient: false,
      });
    }
    try {
      await this.#batcherOf(contract.queue).add({
        MessageBody: body,
        ...(delaySeconds > 0 && { DelaySeconds: delaySeconds }),
      });
    } catch (cause) {
      throw sendError(contract, cause);
    }
    return { taskId };
  };

  /** Resolves when the queue of a contract answers; for a health check. */
  async ping({ queue }: TaskContract): Promise<void> {
    await this.#sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: this.#queueUrls.of(queue), AttributeNames: ['QueueArn'] }),
    );
  }

  #batcherOf(queue: string): Batcher<Entry, object> {
    let batcher = this.#batchers.get(queue);
    if (!batcher) {
      batcher = new Batcher<Entry, object>({
        run: (entries) => this.#sendBatch(queue, entries),
        maxSize: MAX_MESSAGE_BYTES,
        sizeOf: ({ MessageBody }) => Buffer.byteLength(MessageBody),
      });
      this.#batchers.set(queue, batcher);
    }
    return batcher;
  }

  #sendBatch(queue: string, entries: readonly Entry[]): Promise<PromiseSettledResult<object>[]> {
    const QueueUrl = this.#queueUrls.of(queue);
    return callInBatch(entries, (Entries) =>
      this.#sqs.send(new SendMessageBatchCommand({ QueueUrl, Entries })),
    );
  }
}

function checkedTaskId(taskId: string): string {
  const parsed = taskIdSchema.safeParse(taskId);
  if (!parsed.success) throw new InvalidValueError('The task id cannot be', valueIssues(parsed.error));
  return taskId;
}

function checkedDelay(delaySeconds: number): number {
  if (Number.isInteger(delaySeconds) && delaySeconds >= 0 && delaySeconds <= MAX_DELAY_SECONDS)
    return delaySeconds;
  throw new InvalidValueError('The delay cannot be', [
    {
      path: 'delaySeconds',
      message: `expected a whole number from 0 to ${MAX_DELAY_SECONDS}, got ${delaySeconds}`,
    },
  ]);
}

function checkedPayload(contract: TaskContract, payload: unknown): unknown {
  const parsed = contract.payload.safeParse(payload);
  if (parsed.success) return parsed.data;
  throw new InvalidValueError(`The payload breaks the contract ${contract.name}`, valueIssues(parsed.error));
}

function sendError(contract: TaskContract, cause: unknown): SendError {
  const transient = cause instanceof BatchEntryError ? !cause.senderFault : isTransient(cause);
  const reason = Error.isError(cause) ? cause.message || cause.name : String(cause);
  return new SendError(`SQS did not take ${contract.name} on the queue ${contract.queue}: ${reason}`, {
    cause,
    transient,
  });
}
