import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromReceive, RECEIVED_ATTRIBUTES, type ReceivedMessage } from '@baton/common/queue/received-message';
import type { Logger } from '@baton/common/telemetry/logger';
import { Backoff } from './backoff.ts';
import type { Slots } from './slots.ts';

const MAX_MESSAGES = 10;

/** What a receiver needs. */
export interface ReceiverOptions {
  readonly sqs: SQSClient;
  readonly queue: string;
  readonly queueUrl: string;
  readonly slots: Slots;
  readonly waitSeconds: number;
  readonly leaseSeconds: number;
  readonly logger: Logger;
  /**
   * Takes over the received messages, whose leases began at `receivedAtMs` (by `performance.now()`); resolves once
   * each of them has found a slot.
   */
  readonly accept: (messages: readonly ReceivedMessage[], receivedAtMs: number) => Promise<void>;
}

/**
 * Receives the messages of one queue: asks for as many as there are free slots, and for none while there is none.
 * A poll holds no slot, so that an idle queue keeps no busy one waiting.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #stop = new AbortController();
  readonly #backoff = new Backoff();
  #running: Promise<void> | undefined;
  #lastReceiveAt: Date | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Starts receiving. */
  start(): void {
    this.#running ??= this.#run();
  }

  /** Asks for no more messages. Resolves once the poll under way has ended, which takes as long as it waits. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** How it goes with this queue. */
  get state() {
    return {
      queue: this.#options.queue,
      receiving: this.#lastReceiveAt !== undefined && !this.#backoff.troubled,
      lastReceiveAt: this.#lastReceiveAt?.toISOString() ?? null,
    };
  }

  async #run(): Promise<void> {
    const { slots, accept } = this.#options;
    while (!this.#stop.signal.aborted) {
      await slots.whenFree();
      if (this.#stop.signal.aborted) return;
      const askedAtMs = performance.now();
      const messages = await this.#receive(Math.min(MAX_MESSAGES, Math.max(1, slots.free)));
      // A lease begins when SQS hands the message out: not before the poll began, not after it ended
      if (messages.length > 0) await accept(messages, Math.max(askedAtMs, performance.now() - 1000));
    }
  }

  async #receive(maxMessages: number): Promise<ReceivedMessage[]> {
    const { sqs, queue, queueUrl, waitSeconds, leaseSeconds, logger } = this.#options;
    try {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: maxMessages,
          // The first poll says at once whether the queue can be received from
          WaitTimeSeconds: this.#lastReceiveAt ? waitSeconds : 0,
          VisibilityTimeout: leaseSeconds,
          MessageSystemAttributeNames: [...RECEIVED_ATTRIBUTES],
        }),
      );
      if (this.#backoff.troubled) logger.info(`receiving from ${queue} again`);
      this.#backoff.reset();
      this.#lastReceiveAt = new Date();
      return Messages.map(fromReceive);
    } catch (error) {
      if (!this.#backoff.troubled)
        logger.error({ queueUrl, error }, `cannot receive from ${queue}: ${describe(error)}`);
      await this.#backoff.rest(this.#stop.signal);
      return [];
    }
  }
}

function describe(error: unknown): string {
  if (!Error.isError(error)) return String(error);
  return error.name === 'QueueDoesNotExist' ? 'the queue does not exist' : error.message || error.name;
}
