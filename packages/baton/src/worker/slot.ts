import { givenBack } from '../sqs/copy-notes.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';
import { TaskError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';

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
