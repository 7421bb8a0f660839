import type { MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { Random } from '../faults/random.ts';

/** The longest visibility timeout of SQS, counted from the receive, and its longest delay, in seconds. */
const MAX_VISIBILITY_SECONDS = 43_200;
const MAX_DELAY_SECONDS = 900;

/** How a broker treats a receipt handle after a later receive of the message. Real brokers differ. */
export type StaleHandles =
  /** AWS: a delete succeeds but deletes nothing, and a change of visibility is refused. */
  | 'ignored'
  /** LocalStack, moto: both take effect. */
  | 'obeyed'
  /** ElasticMQ: both are refused. */
  | 'refused';

/** The attributes of a message, by name. */
export type Attributes = Readonly<Record<string, MessageAttributeValue>>;

/** One delivery of a message. */
export interface Delivery {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly receiveCount: number;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
}

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedAtMs: number;
  receivedAtMs: number;
  handle: string;
  deleted: boolean;
}

/** The error code of an entry that SQS refuses; undefined if SQS accepts it. */
export type Refusal = 'ReceiptHandleIsInvalid' | 'MessageNotInflight' | 'InvalidParameterValue' | undefined;

/** A queue as SQS documents it (leases, receipt handles, at-least-once delivery in any order), and its dead letters. */
export class ModelSqs {
  /** Bodies in the dead-letter queue, in the order of their arrival. */
  readonly deadLetters: string[] = [];
  /** Called when a dead letter arrives. */
  onDeadLetter: (body: string, attributes: Attributes) => void = () => undefined;
  readonly #messages = new Map<string, Stored>();
  readonly #random: Random;
  readonly #staleHandles: StaleHandles;
  readonly #retentionSeconds: number;
  readonly #leaseEndsMs = new Map<string, number>();
  #changed = Promise.withResolvers<void>();

  /** @param retentionSeconds - after this time SQS drops a message that was not deleted */
  constructor(random: Random, staleHandles: StaleHandles, retentionSeconds = Infinity) {
    this.#random = random;
    this.#staleHandles = staleHandles;
    this.#retentionSeconds = retentionSeconds;
  }

  /** Sends a message, invisible for the delay. */
  send(body: string, delaySeconds = 0, attributes: Attributes = {}): Refusal {
    if (delaySeconds > MAX_DELAY_SECONDS) return 'InvalidParameterValue';
    const messageId = `m${this.#messages.size}`;
    const sentAtMs = performance.now();
    const visibleAtMs = sentAtMs + delaySeconds * 1000;
    const times = { sentAtMs, visibleAtMs, firstReceivedAtMs: sentAtMs, receivedAtMs: sentAtMs };
    const state = { receiveCount: 0, handle: '', deleted: false };
    this.#messages.set(messageId, { messageId, body, attributes, ...times, ...state });
    this.#change();
    return undefined;
  }

  /** Adds a dead letter. */
  setAside(body: string, attributes: Attributes): void {
    this.deadLetters.push(body);
    this.onDeadLetter(body, attributes);
  }

  /** Receives and hides visible messages, at most `most`, in any order. */
  receive(most: number, visibilitySeconds: number): Delivery[] {
    const visible = this.#kept.filter(({ visibleAtMs }) => visibleAtMs <= performance.now());
    const count = Math.min(visible.length, 1 + this.#random.below(most));
    return this.#random
      .shuffled(visible)
      .slice(0, count)
      .map((message) => this.#handOut(message, visibilitySeconds));
  }

  /** Receives a message that another worker holds, as at-least-once delivery allows. */
  receiveAgain(visibilitySeconds: number): Delivery[] {
    const held = this.#kept.filter(({ visibleAtMs }) => visibleAtMs > performance.now());
    const message = held[this.#random.below(Math.max(1, held.length))];
    return message ? [this.#handOut(message, visibilitySeconds)] : [];
  }

  /** When the next message becomes visible; undefined if the queue is empty. */
  get nextVisibleAtMs(): number | undefined {
    const times = this.#kept.map((each) => each.visibleAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Resolves when a message arrives or its visibility changes. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Hides a message for this long from now. 0 makes it visible. */
  changeVisibility(handle: string, seconds: number): Refusal {
    const { message, stale } = this.#find(handle);
    if (!message || (stale && this.#staleHandles !== 'obeyed')) return 'ReceiptHandleIsInvalid';
    if (message.deleted || message.visibleAtMs <= performance.now()) return 'MessageNotInflight';
    if (performance.now() + seconds * 1000 > message.receivedAtMs + MAX_VISIBILITY_SECONDS * 1000)
      return 'InvalidParameterValue';
    message.visibleAtMs = performance.now() + seconds * 1000;
    // A worker may release a lease twice, because the first response may be lost
    this.#leaseEndsMs.set(handle, Math.max(this.leaseEndMs(handle), message.visibleAtMs));
    this.#change();
    return undefined;
  }

  /** Deletes a message. A stale handle may not delete it. */
  delete(handle: string): Refusal {
    const { message, stale } = this.#find(handle);
    if (!message || (stale && this.#staleHandles === 'refused')) return 'ReceiptHandleIsInvalid';
    if (!stale || this.#staleHandles === 'obeyed') message.deleted = true;
    return undefined;
  }

  /** Makes a deleted message visible again, as SQS may if a replica was away. Returns whether there was one. */
  reappear(): boolean {
    const deleted = [...this.#messages.values()].filter((message) => message.deleted);
    const message = deleted[this.#random.below(Math.max(1, deleted.length))];
    if (!message) return false;
    message.deleted = false;
    message.visibleAtMs = performance.now();
    this.#change();
    return true;
  }

  /** All messages ever sent: their bodies, and whether they were deleted. */
  get messages(): { readonly body: string; readonly deleted: boolean }[] {
    return [...this.#messages.values()].map(({ body, deleted }) => ({ body, deleted }));
  }

  /** The bodies of messages that SQS dropped at the end of their retention. */
  get forgotten(): string[] {
    return [...this.#messages.values()]
      .filter((message) => !message.deleted && !this.#isKept(message))
      .map(({ body }) => body);
  }

  /** The body of the message of a receipt handle. */
  bodyOf(handle: string): string {
    return this.#find(handle).message?.body ?? '';
  }

  /** Whether the message of a receipt handle has a copy in the dead-letter queue. */
  isDeadLetter(handle: string): boolean {
    return this.deadLetters.includes(this.bodyOf(handle));
  }

  /** Whether the message of a receipt handle was sent again as a copy. */
  isCopied(handle: string): boolean {
    const body = this.bodyOf(handle);
    return [...this.#messages.values()].filter((message) => message.body === body).length > 1;
  }

  /** Whether the queue has another message with the same body: a second copy, or a copy beside its original. */
  hasTwin(handle: string): boolean {
    const { message } = this.#find(handle);
    return this.#kept.some((other) => other !== message && other.body === message?.body);
  }

  /** The end of a receipt handle's lease, even if a later receive has superseded the handle. */
  leaseEndMs(handle: string): number {
    return this.#leaseEndsMs.get(handle) ?? 0;
  }

  /** Whether a receipt handle currently hides a message. */
  hides(handle: string): boolean {
    const { message, stale } = this.#find(handle);
    return message !== undefined && !stale && !message.deleted && message.visibleAtMs > performance.now();
  }

  #handOut(message: Stored, visibilitySeconds: number): Delivery {
    const { messageId, body, attributes, sentAtMs } = message;
    if (message.receiveCount === 0) message.firstReceivedAtMs = performance.now();
    message.receiveCount += 1;
    message.receivedAtMs = performance.now();
    message.handle = `${messageId}#${message.receiveCount}`;
    message.visibleAtMs = performance.now() + visibilitySeconds * 1000;
    this.#leaseEndsMs.set(message.handle, message.visibleAtMs);
    const { receiveCount, firstReceivedAtMs, handle: receiptHandle } = message;
    return { messageId, body, attributes, sentAtMs, receiveCount, firstReceivedAtMs, receiptHandle };
  }

  get #kept(): Stored[] {
    return [...this.#messages.values()].filter((message) => !message.deleted && this.#isKept(message));
  }

  #isKept({ sentAtMs }: Stored): boolean {
    return performance.now() < sentAtMs + this.#retentionSeconds * 1000;
  }

  #find(handle: string): { message: Stored | undefined; stale: boolean } {
    const message = this.#messages.get(handle.slice(0, handle.indexOf('#')));
    return { message, stale: message?.handle !== handle };
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers<void>();
  }
}
