import { setTimeout as sleep } from 'node:timers/promises';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  ReceiveMessageCommand,
  type ReceiveMessageCommandOutput,
  type SendMessageBatchCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import type { Fault } from './history.ts';
import { ModelLine } from './model-line.ts';
import type { Attributes, Refusal } from './model-sqs.ts';
import type { ModelWorld } from './model-world.ts';
import { withRightTime } from './right-time.ts';

interface Entry {
  readonly Id?: string | undefined;
  readonly ReceiptHandle?: string | undefined;
  readonly VisibilityTimeout?: number | undefined;
  readonly MessageBody?: string | undefined;
  readonly DelaySeconds?: number | undefined;
  readonly MessageAttributes?: Attributes | undefined;
}

type Command =
  | ReceiveMessageCommand
  | ChangeMessageVisibilityBatchCommand
  | DeleteMessageBatchCommand
  | SendMessageBatchCommand;

/** One process's client of the model broker. */
export class SqsClient {
  readonly #world: ModelWorld;
  readonly #process: string;
  readonly #line: ModelLine;

  /** @param process - the name of the calling process, for the ledger */
  constructor(world: ModelWorld, process: string, timeoutMs: number) {
    this.#world = world;
    this.#process = process;
    this.#line = new ModelLine(world, timeoutMs);
  }

  /** A stand-in for an SDK client. */
  get client(): SQSClient {
    const send = (command: Command, options?: { abortSignal?: AbortSignal }): Promise<unknown> =>
      this.#send(command, options?.abortSignal);
    return withRightTime({ send, destroy: () => undefined } as unknown as SQSClient);
  }

  /** Cuts the connection because the process has crashed. */
  cut(): void {
    this.#line.cut();
  }

  /** Pauses the process until a point in time. */
  pauseUntil(untilMs: number): void {
    this.#line.pauseUntil(untilMs);
  }

  async #send(command: Command, abortSignal?: AbortSignal): Promise<unknown> {
    const { ledger, nextFault } = this.#world;
    const fault = nextFault();
    const answered = ledger.hasCrashed(this.#process)
      ? () => undefined
      : ledger.requested(this.#process, command);
    const answer = this.#line
      .request((met) => this.#carryOut(command, met), fault)
      .finally(answered)
      .then((output) => this.#heard(output));
    const aborted = Promise.withResolvers<never>();
    const abort = (): void => {
      if (fault === 'none' && !this.#line.paused && !ledger.hasCrashed(this.#process))
        ledger.broken(`${this.#process} aborts a poll that would have ended by itself`);
      aborted.reject(new Error('aborted'));
    };
    abortSignal?.addEventListener('abort', abort, { once: true });
    try {
      return await (abortSignal ? Promise.race([answer, aborted.promise]) : answer);
    } finally {
      abortSignal?.removeEventListener('abort', abort);
    }
  }

  #heard(output: unknown): unknown {
    for (const { ReceiptHandle = '' } of (output as ReceiveMessageCommandOutput).Messages ?? [])
      this.#world.ledger.delivered(this.#process, ReceiptHandle);
    return output;
  }

  async #carryOut(command: Command, fault: Fault): Promise<unknown> {
    if (command instanceof ReceiveMessageCommand) return this.#receive(command.input, fault);
    const { Entries = [] } = command.input as { Entries?: readonly Entry[] };
    const carryOut = this.#carrierOf(command);
    const Successful: { Id?: string | undefined }[] = [];
    const Failed: object[] = [];
    for (const entry of Entries) {
      const broken = fault === 'failed entries' && this.#world.random.below(2) === 0;
      const refusal = broken ? 'InternalError' : carryOut(entry);
      if (fault === 'twice') carryOut(entry);
      if (refusal) Failed.push({ Id: entry.Id, Code: refusal, SenderFault: !broken });
      else Successful.push({ Id: entry.Id });
    }
    return { Successful, Failed };
  }

  #carrierOf(command: Exclude<Command, ReceiveMessageCommand>): (entry: Entry) => Refusal {
    const { sqs } = this.#world;
    if (command instanceof DeleteMessageBatchCommand)
      return ({ ReceiptHandle = '' }) => sqs.delete(ReceiptHandle);
    if (command instanceof ChangeMessageVisibilityBatchCommand)
      return ({ ReceiptHandle = '', VisibilityTimeout = 0 }) =>
        sqs.changeVisibility(ReceiptHandle, VisibilityTimeout);
    const aside = command.input.QueueUrl?.endsWith('-dlq');
    return ({ MessageBody = '', DelaySeconds = 0, MessageAttributes = {} }) => {
      if (!aside) return sqs.send(MessageBody, DelaySeconds, MessageAttributes);
      sqs.setAside(MessageBody, MessageAttributes);
      return undefined;
    };
  }

  async #receive(input: ReceiveMessageCommand['input'], fault: Fault): Promise<unknown> {
    const { sqs, ledger } = this.#world;
    const { MaxNumberOfMessages = 1, WaitTimeSeconds = 0, VisibilityTimeout = 30 } = input;
    if (fault === 'failed entries') throw new Error('InternalError');
    const again = fault === 'twice' ? sqs.receiveAgain(VisibilityTimeout) : [];
    for (const { body } of again) ledger.duplicated(body);
    const untilMs = performance.now() + WaitTimeSeconds * 1000;
    let deliveries = again;
    while (deliveries.length === 0) {
      deliveries = sqs.receive(MaxNumberOfMessages, VisibilityTimeout);
      if (deliveries.length > 0 || performance.now() >= untilMs) break;
      await this.#somethingVisible(untilMs);
    }
    const Messages = deliveries.map((delivery) => ({
      MessageId: delivery.messageId,
      ReceiptHandle: delivery.receiptHandle,
      Body: delivery.body,
      MessageAttributes: delivery.attributes,
      Attributes: {
        ApproximateReceiveCount: String(delivery.receiveCount),
        SentTimestamp: String(delivery.sentAtMs),
        ApproximateFirstReceiveTimestamp: String(delivery.firstReceivedAtMs),
      },
    }));
    return Messages.length > 0 ? { Messages } : {};
  }

  async #somethingVisible(untilMs: number): Promise<void> {
    const { sqs } = this.#world;
    const nextMs = Math.min(untilMs, sqs.nextVisibleAtMs ?? untilMs);
    const timer = new AbortController();
    const late = sleep(Math.max(1, nextMs - performance.now()), undefined, { signal: timer.signal }).catch(
      () => undefined,
    );
    await Promise.race([late, sqs.changed]);
    timer.abort();
  }
}
