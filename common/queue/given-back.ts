import { carriesOnlyNotes, notesWithoutThisReceive } from './copy-notes.ts';
import { TaskError } from './errors.ts';
import type { Outcome } from './outcome.ts';
import { MAX_MESSAGE_BYTES } from './queue-sender.ts';
import type { ReceivedMessage } from './received-message.ts';

/** What the notes of a copy take of a message's size, at most. */
const NOTES_BYTES = 1000;

/** A worker received a message and had no slot for it. */
export class NoSlotError extends TaskError {
  override readonly name = 'NoSlotError';

  constructor() {
    super('The worker has no free slot for the message');
  }
}

/**
 * The outcome of a message that a worker has no slot for: it is shown to all workers at once.
 *
 * It goes on in a copy, because SQS has counted this receive, which was no attempt. A message that carries attributes of
 * its sender, or that leaves no room for notes, is shown again itself: that costs an untracked task one attempt.
 */
export function outcomeWithoutSlot(message: ReceivedMessage): Outcome {
  const error = new NoSlotError();
  const fits = Buffer.byteLength(message.body) <= MAX_MESSAGE_BYTES - NOTES_BYTES;
  if (!fits || !carriesOnlyNotes(message)) return { kind: 'release', error };
  return { kind: 'release', error, anew: true, notes: notesWithoutThisReceive(message) };
}

/** Whether an outcome is that of a message that a worker had no slot for. */
export function isWithoutSlot(outcome: { readonly kind: string; readonly error?: Error }): boolean {
  return outcome.kind === 'release' && outcome.error instanceof NoSlotError;
}
