// Outcomes: what happens to a message after an attempt. Decided here, carried out by the settler.
import type { DeadLetterReason } from './dead-letter-reason.ts';
import { type InvalidValueError } from './invalid-value.ts';
import { MalformedEnvelopeError, PostponeTask, RejectTask, TaskTimeoutError } from './errors.ts';
import { asError } from './plain-error.ts';
import { isRest, wholeSeconds } from '../time/rest.ts';
import { retryDelaySeconds } from './retry-policy.ts';
import type { TaskContract } from './task.ts';

/** The longest that SQS hides a message, in seconds (12 h). */
export const MAX_VISIBILITY_SECONDS = 43_200;
/** The age at which a message needs a copy or an end, in seconds (5 days): Baton's queues keep messages for 7 days. */
export const OLD_MESSAGE_SECONDS = 5 * 86_400;

/** What a copy notes about the message that it continues: attributes by their names, such as `baton.unknown-times`. */
export type Notes = Readonly<Record<string, string>>;

/** The message becomes a dead letter. */
export interface DeadLetterOutcome {
  readonly kind: 'dead-letter';
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** How its task ended, if the task is tracked. */
  readonly end?: { readonly attempts: number; readonly at: string } | undefined;
}

/** What happens to a message after an attempt. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'retry';
      readonly delaySeconds: number;
      readonly error: Error;
      /** Whether a copy is sent in place of the message, because SQS would delete the message before its rest is over. */
      readonly asCopy?: boolean;
      readonly notes?: Notes;
    }
  | DeadLetterOutcome
  | {
      readonly kind: 'release';
      readonly error: Error;
      /** How long the message rests, in seconds. The attempt does not count. Default 0. */
      readonly delaySeconds?: number;
      /** Whether a copy is sent in place of the message, because SQS would delete the message before its rest is over. */
      readonly asCopy?: boolean;
      /** What the copy notes. */
      readonly notes?: Notes;
    };

/** The outcome of a message whose body cannot be used. */
export function outcomeOfBody(error: MalformedEnvelopeError | InvalidValueError): Outcome {
  const reason = error instanceof MalformedEnvelopeError ? 'malformed' : 'invalid-payload';
  return { kind: 'dead-letter', reason, error };
}

/** An attempt that failed. */
export interface FailedAttempt {
  readonly contract: TaskContract;
  readonly attempt: number;
  /** How long ago SQS accepted the message, in milliseconds. */
  readonly ageMs: number;
  /** How long ago SQS accepted the first message, if this one is a copy. Default: `ageMs`. */
  readonly firstAgeMs?: number;
}

/** The outcome of a handler that threw. Accepts any thrown value, and puts a safe error into the outcome. */
export function outcomeOfFailure(failed: FailedAttempt, thrown: unknown): Outcome {
  const { contract, attempt, ageMs } = failed;
  const error = asError(thrown);
  if (error instanceof RejectTask) return { kind: 'dead-letter', reason: 'rejected', error };
  if (error instanceof PostponeTask) return outcomeOfPostponement(error, failed);
  const old = ageMs >= OLD_MESSAGE_SECONDS * 1000;
  // SQS would soon delete the message silently. A copy can continue a tracked task, because the store counts its attempts
  if (attempt >= contract.retry.maxAttempts || (old && !contract.tracked)) {
    const reason = error instanceof TaskTimeoutError ? 'timed-out' : 'attempts-exhausted';
    return { kind: 'dead-letter', reason, error };
  }
  return { kind: 'retry', delaySeconds: restSeconds(error, contract, attempt), error, asCopy: old };
}

function outcomeOfPostponement(error: PostponeTask, failed: FailedAttempt): Outcome {
  const { contract, attempt, ageMs, firstAgeMs = ageMs } = failed;
  if (firstAgeMs >= OLD_MESSAGE_SECONDS * 1000)
    return { kind: 'dead-letter', reason: 'attempts-exhausted', error };
  return { kind: 'release', error, delaySeconds: restSeconds(error, contract, attempt) };
}

/** Limits the rest of an outcome to so many seconds. */
export function restingAtMost(outcome: Outcome, seconds: number): Outcome {
  if (outcome.kind !== 'retry' && outcome.kind !== 'release') return outcome;
  return { ...outcome, delaySeconds: wholeSeconds(outcome.delaySeconds ?? 0, seconds) };
}

/** The rest that an error asks for, else that of the retry policy. An error of the handler's own class may hold anything. */
function restSeconds(
  { delaySeconds }: Error & { delaySeconds?: unknown },
  { retry }: TaskContract,
  attempt: number,
): number {
  const asked = isRest(delaySeconds) ? delaySeconds : retryDelaySeconds(retry, attempt);
  return wholeSeconds(asked, MAX_VISIBILITY_SECONDS);
}
