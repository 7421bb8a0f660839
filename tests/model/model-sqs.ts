import type { Random } from '../faults/random.ts';

/** How a broker treats a receipt handle that a later receive has superseded; real ones disagree. */
export type StaleHandles =
  /** AWS: a delete answers well and deletes nothing, a change of visibility is refused. */
  | 'ignored'
  /** LocalStack, moto: both do to the message what they say. */
  | 'obeyed'
  /** ElasticMQ: both are refused. */
  | 'refused';

/** One handing out of a message. */
export interface Delivery {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly receiveCount: number;
  readonly sentAtMs: number;
  readonly firstReceivedAtMs: number;
}

interface Stored {
  readonly messageId: string;
  readonly body: string;
  readonly sentAtMs: number;
  visibleAtMs: number;
  receiveCount: number;
  firstReceivedAtMs: number;
  handle: string;
  deleted: boolean;
}

/** What SQS says to an entry that it refuses; undefined where it takes it. */
export type Refusal = 'ReceiptHandleIsInvalid' | 'MessageNotInflight' | undefined;

/** A queue as SQS documents it: leases, receipt handles, at-least-once delivery in any order; and its dead letters. */
export class ModelSqs {
  /** Bodies in the dead letter queue, in the order that they came. */
  readonly deadLetters: string[] = [];
  readonly #messages = new Map<string, Stored>();
  readonly #random: Random;
  readonly #staleHandles: StaleHandles;
  readonly #leaseEndsMs = new Map<string, number>();
  #changed = Promise.withResolvers<void>();

  constructor(random: Random, staleHandles: StaleHandles) {
    this.#random = random;
    this.#staleHandles = staleHandles;
  }

  /** Takes a message, and keeps it from workers for so many seconds. */
  send(body: string, delaySeconds = 0): void {
    const messageId = `m${this.#messages.size}`;
    const sentAtMs = Date.now();
    const times = { sentAtMs, visibleAtMs: sentAtMs + delaySeconds * 1000, firstReceivedAtMs: sentAtMs };
    this.#messages.set(messageId, { messageId, body, ...times, receiveCount: 0, handle: '', deleted: false });
    this.#change();
  }

  /** Hands out visible messages, as many as are asked for or fewer, in any order, and hides them. */
  receive(most: number, visibilitySeconds: number): Delivery[] {
    const visible = [...this.#messages.values()].filter(
      ({ deleted, visibleAtMs }) => !deleted && visibleAtMs <= Date.now(),
    );
    const count = Math.min(visible.length, 1 + this.#random.below(most));
    return this.#random
      .shuffled(visible)
      .slice(0, count)
      .map((message) => this.#handOut(message, visibilitySeconds));
  }

  /** Hands out a message that another holds, as SQS's at-least-once delivery may. */
  receiveAgain(visibilitySeconds: number): Delivery[] {
    const held = [...this.#messages.values()].filter(
      ({ deleted, visibleAtMs }) => !deleted && visibleAtMs > Date.now(),
    );
    const message = held[this.#random.below(Math.max(1, held.length))];
    return message ? [this.#handOut(message, visibilitySeconds)] : [];
  }

  /** When a message is next to be seen, or nothing where none is left. */
  get nextVisibleAtMs(): number | undefined {
    const times = [...this.#messages.values()]
      .filter(({ deleted }) => !deleted)
      .map((each) => each.visibleAtMs);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Resolves when a message comes, or becomes visible sooner than it was to. */
  get changed(): Promise<void> {
    return this.#changed.promise;
  }

  /** Hides a message for so long from now; 0 shows it. */
  changeVisibility(handle: string, seconds: number): Refusal {
    const { message, stale } = this.#find(handle);
    if (!message || (stale && this.#staleHandles !== 'obeyed')) return 'ReceiptHandleIsInvalid';
    if (message.deleted || message.visibleAtMs <= Date.now()) return 'MessageNotInflight';
    message.visibleAtMs = Date.now() + seconds * 1000;
    // A lease that is given back early may be given back again: the first answer can be lost
    this.#leaseEndsMs.set(handle, Math.max(this.leaseEndMs(handle), message.visibleAtMs));
    this.#change();
    return undefined;
  }

  /** Deletes a message, unless the handle is stale. */
  delete(handle: string): Refusal {
    const { message, stale } = this.#find(handle);
    if (!message || (stale && this.#staleHandles === 'refused')) return 'ReceiptHandleIsInvalid';
    if (!stale || this.#staleHandles === 'obeyed') message.deleted = true;
    return undefined;
  }

  /** Shows a message again that was deleted, as SQS may when a replica was away. Whether there was one. */
  reappear(): boolean {
    const deleted = [...this.#messages.values()].filter((message) => message.deleted);
    const message = deleted[this.#random.below(Math.max(1, deleted.length))];
    if (!message) return false;
    message.deleted = false;
    message.visibleAtMs = Date.now();
    this.#change();
    return true;
  }

  /** Every message that was ever sent: what it said, and whether it is in the queue. */
  get messages(): { readonly body: string; readonly deleted: boolean }[] {
    return [...this.#messages.values()].map(({ body, deleted }) => ({ body, deleted }));
  }

  /** The body of the message of a receipt handle. */
  bodyOf(handle: string): string {
    return this.#find(handle).message?.body ?? '';
  }

  /** Whether a copy of the message of a receipt handle is in the dead letter queue. */
  isDeadLetter(handle: string): boolean {
    return this.deadLetters.includes(this.bodyOf(handle));
  }

  /** Until when the lease of a receipt handle was given, whether or not another has superseded it. */
  leaseEndMs(handle: string): number {
    return this.#leaseEndsMs.get(handle) ?? 0;
  }

  /** Whether a receipt handle hides a message that is in the queue. */
  hides(handle: string): boolean {
    const { message, stale } = this.#find(handle);
    return message !== undefined && !stale && !message.deleted && message.visibleAtMs > Date.now();
  }

  #handOut(message: Stored, visibilitySeconds: number): Delivery {
    const { messageId, body, sentAtMs } = message;
    if (message.receiveCount === 0) message.firstReceivedAtMs = Date.now();
    message.receiveCount += 1;
    message.handle = `${messageId}#${message.receiveCount}`;
    message.visibleAtMs = Date.now() + visibilitySeconds * 1000;
    this.#leaseEndsMs.set(message.handle, message.visibleAtMs);
    const { receiveCount, firstReceivedAtMs, handle: receiptHandle } = message;
    return { messageId, body, sentAtMs, receiveCount, firstReceivedAtMs, receiptHandle };
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
