import { setImmediate as nextTurn } from 'node:timers/promises';
import { ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { fromReceive, RECEIVED_ATTRIBUTES, type ReceivedMessage } from '../sqs/received-message.ts';
import type { Logger } from '../telemetry/logger.ts';
import { Backoff } from '../time/backoff.ts';
import type { QueueRunner } from './queue-runner.ts';
import { Slot } from './slot.ts';
import type { Gathering, Slots } from './slots.ts';

/** SQS's limit for one ReceiveMessage. */
const MAX_MESSAGES = 10;
/** Receives of one queue at one time, while it gives as much as it is asked for. */
const MAX_LANES = 10;
/** An empty answer that comes sooner than this to a poll that waits is no wait. */
const QUICK_MS = 100;
/** So many of them in a row are a broker in trouble, not one that was woken by somebody else's message. */
const MAX_QUICK_ANSWERS = 5;

/** What a receiver needs. */
export interface ReceiverOptions {
  readonly sqs: SQSClient;
  readonly queue: string;
  readonly queueUrl: string;
  readonly slots: Slots;
  /** How many queues share the slots. */
  readonly queues: number;
  readonly waitSeconds: number;
  readonly leaseSeconds: number;
  readonly logger: Logger;
  /** Runs the messages. */
  readonly runner: Pick<QueueRunner, 'run' | 'runIfSlotIsFree'>;
}

/**
 * Receives the messages of one queue. While the queue gives messages, slots are taken before messages are asked for. While
 * it gives all that it is asked for, slots for the next receive gather during each one, and several receives go side by side
 * if each comes back full.
 *
 * While the queue gives none, one long poll waits for it that holds no slot, so that an idle queue keeps no busy one
 * waiting. What it brings takes its slot then, or is given back if there is none; after that the queue has to have a slot
 * before it asks again, so a full worker asks once.
 */
export class Receiver {
  readonly #options: ReceiverOptions;
  readonly #stop = new AbortController();
  readonly #abort = new AbortController();
  readonly #backoff = new Backoff();
  readonly #lanes = new Set<Promise<void>>();
  #lastReceiveAt: Date | undefined;
  #quickAnswers = 0;
  /** Whether the last receive gave all that it asked for. */
  #hasMore = false;
  /** Slots that it has for its next receive. */
  #gathered = 0;
  /** What it waits for before that. */
  #waiting: Gathering | undefined;

  constructor(options: ReceiverOptions) {
    this.#options = options;
  }

  /** Starts receiving. */
  start(): void {
    if (this.#lanes.size === 0) this.#open(this.#run());
  }

  /** Asks for no more messages. Resolves once the polls under way have ended, which takes as long as they wait. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#waiting?.take();
    while (this.#lanes.size > 0) await Promise.all(this.#lanes);
  }

  /** Ends the polls under way. A message that SQS was just handing out comes back only when its lease ends. */
  abort(): void {
    this.#abort.abort();
  }

  /** How it goes with this queue. */
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

  #open(lane: Promise<void>): void {
    const tracked = lane.finally(() => this.#lanes.delete(tracked));
    this.#lanes.add(tracked);
  }

  async #run(): Promise<void> {
    let gives = true;
    while (!this.#stopping) gives = gives ? await this.#drain() : await this.#wait();
    this.#options.slots.giveBack(this.#options.queue, this.#gathered);
  }

  /** Takes slots and asks for as many messages, without waiting for any. Resolves to whether there were some. */
  async #drain(): Promise<boolean> {
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

  /** As many slots as one receive can fill, as soon as there are some; none if the receiver stops. */
  async #slotsForReceive(): Promise<number> {
    const { slots, queue } = this.#options;
    const taken = this.#gathered;
    this.#gathered = 0;
    const atOnce = taken + slots.takeFree(queue, MAX_MESSAGES - taken);
    if (atOnce > 0) return atOnce;
    const gathering = slots.gather(queue, MAX_MESSAGES);
    this.#waiting = gathering;
    await gathering.first;
    // Tasks that end together make room for one receive, not for one each
    await nextTurn();
    return gathering.take();
  }

  /** Another receive beside the first, for as long as slots are free and each receive comes back full. */
  async #help(): Promise<void> {
    const { slots, queue } = this.#options;
    for (let full = true; full && !this.#stopping;) {
      const taken = slots.takeFree(queue, MAX_MESSAGES);
      full = taken > 0 && (await this.#receiveInto(taken)) > 0;
    }
  }

  /** Receives into slots that are taken, and gives back those that stay empty. Resolves to how many did not. */
  async #receiveInto(taken: number): Promise<number> {
    const { slots, queue, runner } = this.#options;
    const startedAtMs = performance.now();
    const messages = this.#stopping ? [] : await this.#receive(taken, 0);
    slots.giveBack(queue, taken - messages.length);
    for (const message of messages) void runner.run(message, startedAtMs, new Slot(slots, queue));
    if (messages.length === MAX_MESSAGES && slots.freeFor(queue) > 0 && this.#lanes.size < MAX_LANES)
      this.#open(this.#help());
    return messages.length;
  }

  /** Waits for a message without a slot; asks for this queue's share of the free ones, or for one where there are none. */
  async #wait(): Promise<boolean> {
    const { slots, queue, queues, waitSeconds, runner } = this.#options;
    const share = Math.max(1, Math.min(MAX_MESSAGES, Math.floor(slots.freeFor(queue) / queues)));
    const startedAtMs = performance.now();
    const messages = await this.#receive(share, waitSeconds);
    if (messages.length === 0) {
      await this.#mindQuickAnswers(performance.now() - startedAtMs);
      return false;
    }
    this.#quickAnswers = 0;
    await Promise.all(messages.map((message) => runner.runIfSlotIsFree(message, startedAtMs)));
    return true;
  }

  async #mindQuickAnswers(tookMs: number): Promise<void> {
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
        // One that does not wait ends by itself; without options it goes the client's cached way
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
