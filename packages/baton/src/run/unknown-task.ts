import { countNoted, notesWithoutThisReceive, UNKNOWN_TIMES } from '../sqs/copy-notes.ts';
import type { Envelope } from '../sqs/envelope.ts';
import { UnknownTaskError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';
import { MAX_DELAY_SECONDS } from '../sqs/queue-sender.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';

/** So often it is shown again at once; then each rest is a quarter longer than the one before, from 1 s to 15 minutes. */
const TIMES_AT_ONCE = 5;
const GROWTH = 1.25;

/**
 * The outcome of a message whose task, or whose version of it, this process does not know.
 *
 * During a deploy another worker may know it, so it is shown to others at once; it rests when several have not known it.
 * Once its rests come to `patienceSeconds` in all it is a dead letter. It goes on in copies, because each receive of
 * one message counts as an attempt of an untracked task, and SQS sets a message aside without a reason after 30.
 *
 * @param patienceSeconds - 0 makes it a dead letter at once
 */
export function outcomeOfUnknown(
  { task, version }: Envelope,
  message: ReceivedMessage,
  patienceSeconds: number,
): Outcome {
  const error = new UnknownTaskError(task, version);
  const times = countNoted(message.attributes[UNKNOWN_TIMES]?.StringValue);
  if (restedSeconds(times, patienceSeconds) >= patienceSeconds)
    return { kind: 'dead-letter', reason: 'unknown-task', error };
  const notes = { ...notesWithoutThisReceive(message), [UNKNOWN_TIMES]: String(times + 1) };
  return { kind: 'release', error, delaySeconds: restSeconds(times), asCopy: true, notes };
}

/**
 * The outcome of a message whose patience is over, and whose task cannot be given up now: it runs elsewhere, or the task
 * store is away. Its copy waits without patience of its own: its task is given up as soon as that can be.
 */
export function stillUnknown(outcome: Outcome, message: ReceivedMessage): Outcome {
  if (outcome.kind !== 'release') return outcome;
  return { ...outcome, asCopy: true, notes: { ...notesWithoutThisReceive(message), ...outcome.notes } };
}

/** Whether an outcome leaves a message to processes that know its task. */
export function leavesToOthers(outcome: { readonly kind: string; readonly error?: Error }): boolean {
  return outcome.kind === 'release' && outcome.error instanceof UnknownTaskError;
}

/** How long a message rests that was put back so often before. */
function restSeconds(times: number): number {
  if (times < TIMES_AT_ONCE) return 0;
  return Math.ceil(Math.min(MAX_DELAY_SECONDS, GROWTH ** (times - TIMES_AT_ONCE)));
}

/** How long it has rested in all, at most so long. */
function restedSeconds(times: number, mostSeconds: number): number {
  let seconds = 0;
  for (let time = 0; time < times && seconds < mostSeconds; time += 1) seconds += restSeconds(time);
  return seconds;
}
