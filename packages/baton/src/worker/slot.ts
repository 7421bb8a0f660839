// A slot of a worker, the request for one, and the outcome of a message that gets none.
import { givenBack } from '../sqs/copy-notes.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { TaskError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';

/** The slots of a worker, as one of them sees them. */
interface SlotOwner {
  takeSoon(queue: string, signal?: AbortSignal): Promise<Slot | undefined>;
  giveBack(queue: string): void;
  taskEnded(queue: string, ranMs: number): void;
}

/** A slot that was taken for a queue: room for one running task. Must be given back once, by one of its methods. */
export class Slot {
  readonly #slots: SlotOwner;
  readonly #queue: string;

  /** @param slots - where it is given back */
  constructor(slots: SlotOwner, queue: string) {
    this.#slots = slots;
    this.#queue = queue;
  }

  /** Gives the slot back if no task has run in it. */
  giveBack(): void {
    this.#slots.giveBack(this.#queue);
  }

  /** Gives the slot back after a task that ran for so many milliseconds. */
  taskEnded(ranMs: number): void {
    this.#slots.taskEnded(this.#queue, ranMs);
  }
}

/** A request for a slot, for a message that was received without one. */
export class SlotRequest {
  readonly #slots: SlotOwner;
  readonly #queue: string;
  readonly #used = Promise.withResolvers<void>();

  constructor(slots: SlotOwner, queue: string) {
    this.#slots = slots;
    this.#queue = queue;
  }

  /** Takes a slot that is free, or becomes free within a second. Resolves to undefined if none does. */
  take(signal: AbortSignal): Promise<Slot | undefined> {
    return this.#slots.takeSoon(this.#queue, signal);
  }

  /** Withdraws the request. Nothing was taken yet. */
  giveBack(): void {}

  /** Resolves once the message's task runs in the slot. */
  get used(): Promise<void> {
    return this.#used.promise;
  }

  /** Records that the message's task runs in the slot. */
  use(): void {
    this.#used.resolve();
  }
}

/** A worker received a message and had no free slot for it. */
export class NoSlotError extends TaskError {
  override readonly name = 'NoSlotError';

  constructor() {
    super('The worker has no free slot for the message');
  }
}

/** Another task runs alone in a worker, because it may have killed an earlier worker. */
export class RunsAloneError extends TaskError {
  override readonly name = 'RunsAloneError';

  constructor() {
    super('Another task runs alone in this worker');
  }
}

/**
 * The outcome of a received message that cannot start now: it becomes visible to all workers at once.
 *
 * It continues in a copy, because SQS counted this receive, which was no attempt. A message that carries attributes of its
 * sender, or that leaves no room for notes, becomes visible itself. That costs an untracked task one attempt if the task
 * store is unavailable at the next receive.
 */
export function outcomeWithoutSlot(message: ReceivedMessage, error: Error = new NoSlotError()): Outcome {
  return givenBack({ kind: 'release', error }, message);
}

/** Whether an outcome is that of a message without a slot. */
export function isWithoutSlot(outcome: { readonly kind: string; readonly error?: Error }): boolean {
  return outcome.kind === 'release' && outcome.error instanceof NoSlotError;
}
