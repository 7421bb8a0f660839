// Messages without an order.
import type { StoredMessage, VisibleMessages } from './fauxqs-internals.ts';

/** A receive chooses among so many of the oldest messages, so that no message waits behind thousands of later ones. */
const WINDOW = 100;
const MIN_COMPACTED = 1000;

/** The visible messages of a standard queue, in no order: each taken is a random one of the oldest 100. */
export class UnorderedMessages implements VisibleMessages {
  readonly #below: (limit: number) => number;
  #messages: (StoredMessage | undefined)[] = [];
  /** The index of the oldest message; those before it were taken. */
  #head = 0;

  /** @param below - gives a whole number from 0 to its argument - 1 */
  constructor(below: (limit: number) => number) {
    this.#below = below;
  }

  get length(): number {
    return this.#messages.length - this.#head;
  }

  push(message: StoredMessage): void {
    this.#messages.push(message);
  }

  /** Takes one of the oldest. */
  shift(): StoredMessage | undefined {
    if (this.length === 0) return undefined;
    const chosen = this.#head + this.#below(Math.min(WINDOW, this.length));
    const message = this.#messages[chosen];
    this.#messages[chosen] = this.#messages[this.#head];
    // It could not be collected otherwise
    this.#messages[this.#head] = undefined;
    this.#head += 1;
    if (this.#head > MIN_COMPACTED && this.#head * 2 > this.#messages.length) {
      this.#messages = this.#messages.slice(this.#head);
      this.#head = 0;
    }
    return message;
  }

  [Symbol.iterator](): Iterator<StoredMessage> {
    return this.#messages.slice(this.#head).values() as Iterator<StoredMessage>;
  }
}
