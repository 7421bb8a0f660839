// The outcomes of messages whose task this process does not know.
import { countNoted, notesWithoutThisReceive, UNKNOWN_TIMES } from '../sqs/copy-notes.ts';
import type { Envelope } from '../sqs/envelope.ts';
import { UnknownTaskError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';
import { MAX_DELAY_SECONDS } from '../sqs/queue-sender.ts';
import type { ReceivedMessage } from '../sqs/received-message.ts';

/** How many times the message is released without a rest. Then each rest is a quarter longer, from 1 s to 15 minutes. */
const TIMES_AT_ONCE = 5;
const GROWTH = 1.25;

/**
 * The outcome of a message whose task, or whose version of it, this process does not know.
 *
 * During a deploy another worker may know the task, so the message is released at once. It rests after several workers have
 * not known it. Once its rests add up to `patienceSeconds`, it becomes a dead letter. It continues in copies, because these
 * receives are no attempts, and SQS dead-letters a message without a reason after 30 receives.
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
 * The outcome of a message that should become a dead letter, although its task cannot end now: another worker runs it, or
 * the task store is unavailable. Its copy keeps the count of releases, so the next receive tries to end the task again.
 */
export function stillUnknown(outcome: Outcome, message: ReceivedMessage): Outcome {
  if (outcome.kind !== 'release') return outcome;
  return { ...outcome, asCopy: true, notes: { ...notesWithoutThisReceive(message), ...outcome.notes } };
}

/** Whether an outcome releases a message because this process does not know its task. */
export function isReleaseOfUnknown(outcome: { readonly kind: string; readonly error?: Error }): boolean {
  return outcome.kind === 'release' && outcome.error instanceof UnknownTaskError;
}

/** The rest of a message that was released so many times before, in seconds. */
function restSeconds(times: number): number {
  if (times < TIMES_AT_ONCE) return 0;
  return Math.ceil(Math.min(MAX_DELAY_SECONDS, GROWTH ** (times - TIMES_AT_ONCE)));
}

/** The sum of the rests of a message that was released so many times, in seconds. Stops counting at `mostSeconds`. */
function restedSeconds(times: number, mostSeconds: number): number {
  let seconds = 0;
  for (let time = 0; time < times && seconds < mostSeconds; time += 1) seconds += restSeconds(time);
  return seconds;
}
