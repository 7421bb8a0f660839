// Receives the messages of one queue and hands them to its runner.
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromReceive, RECEIVED_ATTRIBUTES, type ReceivedMessage } from '../sqs/received-message.ts';
import type { Room } from '../process/room.ts';
import { MAX_MESSAGE_BYTES } from '../task/task.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Backoff } from '../time/backoff.ts';
import type { QueueRunner } from './queue-runner.ts';
import { Slot } from './slot.ts';
import type { Gathering, Slots } from './slots.ts';

/** SQS's limit for one ReceiveMessage. */
const MAX_MESSAGES = 10;
/** The most requests for one queue at one time. */
const MAX_LOOPS = 10;
/** If a long poll answers with nothing sooner than this, it did not wait. */
const QUICK_MS = 100;
/** More such answers in a row mean that the broker is in trouble. A few mean that another worker's message woke it. */
const MAX_QUICK_ANSWERS = 5;

/** Configures a receiver. */
export interface ReceiverOptions {
  readonly sqs: SQSClient;
  readonly queue: string;
  readonly queueUrl: string;
  readonly slots: Slots;
  /** Limits the bytes of messages that are held. Default: no limit. */
  readonly messages?: Room | undefined;
  /** The number of queues that share the slots. */
  readonly queues: number;
  readonly waitSeconds: number;
  readonly leaseSeconds: number;
  readonly logger: Logger;
  /** Runs the messages. */
  readonly runner: Pick<QueueRunner, 'run' | 'runIfSlotIsFree'>;
}

/**
 * Receives the messages of one queue.
 *
 * While the queue has messages, the receiver takes slots first and then requests as many messages. If a request gets all of
 * them, slots for the next one gather during it. If each request gets ten messages, several run at the same time.
 *
 * While the queue is empty, one long poll waits without a slot, so that an idle queue takes none from a busy one. Its
 * messages take their slots when they arrive, or are given back if none is free. After that the receiver takes a slot
 * before the next request, so a full worker polls only once.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  readonly #backoff = new Backoff();
  /** The loops that receive now. */
  readonly #loops = new Set<Promise<void>>();
  #lastReceiveAt: Date | undefined;
  #quickAnswers = 0;
  /** Whether the last request got as many messages as it asked for. */
  #hasMore = false;
  /** Slots that it holds for its next request. */
  #gathered = 0;
  /** The slots that it waits for. */
  #waiting: Gathering | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Starts receiving. */
  start(): void {
    if (this.#loops.size === 0) this.#keep(this.#run());
  }

  /** Stops receiving. Resolves once the polls under way have ended, which takes as long as they wait. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting?.take();
    while (this.#loops.size > 0) await Promise.all(this.#loops);
  }

  /** Aborts the polls under way. A message that SQS was just handing out comes back only when its lease expires. */
  abort(): void {
    this.#abort.abort();
  }

  /** The part of the queue's state that concerns receiving. */
  get state() {
    return {
      queue: this.#options.queue,
      receiving: this.#lastReceiveAt !== undefined && !this.#backoff.troubled,
      lastReceiveAt: this.#lastReceiveAt?.toISOString() ?? null,
    };
  }

  get #stopping(): boolean {
    return this.#stop.signal.aborted;
  }

  #keep(loop: Promise<void>): void {
    const kept = loop.finally(() => this.#loops.delete(kept));
    this.#loops.add(kept);
  }

  async #run(): Promise<void> {
    let hasMessages = true;
    while (!this.#stopping) hasMessages = hasMessages ? await this.#receiveNow() : await this.#poll();
    this.#options.slots.giveBack(this.#options.queue, this.#gathered);
  }

  /** Takes slots and requests as many messages, without waiting for them. Resolves to whether there were any. */
  async #receiveNow(): Promise<boolean> {
    const { slots, queue } = this.#options;
    const taken = await this.#slotsForReceive();
    if (taken === 0) return false;
    const gathering = this.#hasMore ? slots.gather(queue, MAX_MESSAGES) : undefined;
    const received = await this.#receiveInto(taken);
    this.#hasMore = received === taken;
    this.#gathered = gathering?.take() ?? 0;
    if (received > 0) return true;
    slots.giveBack(queue, this.#gathered);
    this.#gathered = 0;
    return false;
  }

  /** Takes slots for one request, as soon as some are free. Resolves to 0 if the receiver stops. */
  async #slotsForReceive(): Promise<number> {
    const { slots, queue } = this.#options;
    const taken = this.#gathered;
    this.#gathered = 0;
    const atOnce = taken + slots.takeFree(queue, MAX_MESSAGES - taken);
    if (atOnce > 0) return atOnce;
    const gathering = slots.gather(queue, MAX_MESSAGES);
    this.#waiting = gathering;
    await gathering.first;
    // Slots of tasks that end together serve one request, not one each
    await nextTurn();
    return gathering.take();
  }

  /** Receives beside the first loop, while slots are free and each request gets messages. */
  async #receiveBeside(): Promise<void> {
    const { slots, queue } = this.#options;
    for (let full = true; full && !this.#stopping;) {
      const taken = slots.takeFree(queue, MAX_MESSAGES);
      full = taken > 0 && (await this.#receiveInto(taken)) > 0;
    }
  }

  /** Receives at most as many messages as slots were taken, and runs them. Gives unused slots back. Resolves to their number. */
  async #receiveInto(taken: number): Promise<number> {
    const { slots, queue, runner, messages: room } = this.#options;
    const reserved = room ? await this.#reserve(room, taken) : taken;
    const startedAtMs = performance.now();
    const messages = this.#stopping || reserved === 0 ? [] : await this.#receive(reserved, 0);
    slots.giveBack(queue, taken - messages.length);
    for (const message of messages) void runner.run(message, startedAtMs, new Slot(slots, queue));
    // Each message has taken its own bytes by now
    room?.giveBack(reserved * MAX_MESSAGE_BYTES);
    if (messages.length === MAX_MESSAGES && slots.freeFor(queue) > 0 && this.#loops.size < MAX_LOOPS)
      this.#keep(this.#receiveBeside());
    return messages.length;
  }

  /**
   * Reserves memory for as many messages as may be received now, at most `most`. Their sizes are known only afterwards, so
   * each counts as the largest that SQS takes. Waits if there is no memory for one. Resolves to 0 if the receiver stops.
   */
  async #reserve(room: Room, most: number): Promise<number> {
    const fitting = Math.min(most, Math.floor(room.freeBytes / MAX_MESSAGE_BYTES));
    if (fitting > 0 && room.take(fitting * MAX_MESSAGE_BYTES)) return fitting;
    return (await room.takeLater(MAX_MESSAGE_BYTES, this.#stop.signal)) ? 1 : 0;
  }

  /** Waits for messages without a slot: requests as many as this queue's share of the free slots, or one if none is free. */
  async #poll(): Promise<boolean> {
    const { slots, queue, queues, waitSeconds, runner } = this.#options;
    const share = Math.max(1, Math.min(MAX_MESSAGES, Math.floor(slots.freeFor(queue) / queues)));
    const startedAtMs = performance.now();
    const messages = await this.#receive(share, waitSeconds);
    if (messages.length === 0) {
      await this.#pauseAfterQuickAnswers(performance.now() - startedAtMs);
      return false;
    }
    this.#quickAnswers = 0;
    await Promise.all(messages.map((message) => runner.runIfSlotIsFree(message, startedAtMs)));
    return true;
  }

  async #pauseAfterQuickAnswers(tookMs: number): Promise<void> {
    const quick = tookMs < QUICK_MS && this.#options.waitSeconds > 0 && !this.#backoff.troubled;
    this.#quickAnswers = quick ? this.#quickAnswers + 1 : 0;
    if (this.#quickAnswers > MAX_QUICK_ANSWERS) await this.#backoff.pause(this.#stop.signal);
  }

  async #receive(maxMessages: number, waitSeconds: number): Promise<ReceivedMessage[]> {
    const { sqs, queue, queueUrl, leaseSeconds, logger } = this.#options;
    try {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: maxMessages,
          WaitTimeSeconds: waitSeconds,
          VisibilityTimeout: leaseSeconds,
          MessageSystemAttributeNames: [...RECEIVED_ATTRIBUTES],
          MessageAttributeNames: ['All'],
        }),
        // A request that does not wait needs no abort. Without options it uses the client's cached middleware
        ...(waitSeconds > 0 ? [{ abortSignal: this.#abort.signal }] : []),
      );
      const messages = Messages.slice(0, maxMessages).map(fromReceive);
      if (this.#backoff.troubled) logger.info(`receiving from ${queue} again`);
      this.#backoff.reset();
      this.#lastReceiveAt = new Date();
      return messages;
    } catch (error) {
      if (this.#abort.signal.aborted) return [];
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
