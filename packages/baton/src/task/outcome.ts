// The outcomes of messages, and the outcome of an attempt that failed. The settler carries outcomes out.
import type { DeadLetterReason } from './dead-letter-reason.ts';
import { type InvalidValueError } from './invalid-value.ts';
import {
  MalformedEnvelopeError,
  MessageTooLargeError,
  PostponeTask,
  RejectTask,
  TaskTimeoutError,
} from './errors.ts';
import { asError } from './plain-error.ts';
import { isRest, wholeSeconds } from '../time/rest.ts';
import { retryDelaySeconds } from './retry-policy.ts';
import type { TaskContract } from './task.ts';

/** The longest that SQS hides a message, in seconds (12 h). */
export const MAX_VISIBILITY_SECONDS = 43_200;
/** The age at which a message needs a copy or an end, in seconds (5 days): Baton's queues keep messages for 7 days. */
export const OLD_MESSAGE_SECONDS = 5 * 86_400;

/** The notes of a copy: message attributes by their names, such as `baton.unknown-times`. See copy-notes.ts. */
export type Notes = Readonly<Record<string, string>>;

/** The message becomes a dead letter. */
export interface DeadLetterOutcome {
  readonly kind: 'dead-letter';
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** How its task ended, if the task is tracked. */
  readonly end?: { readonly attempts: number; readonly at: string } | undefined;
  /** The body of the dead letter. Default: the message's. */
  readonly body?: string;
}

/**
 * What happens to a message: after an attempt, or because its task gets none. A step that decides it returns it, and
 * `processMessage` passes it on.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'retry';
      readonly delaySeconds: number;
      readonly error: Error;
      /** Whether the message continues in a copy. */
      readonly asCopy?: boolean;
      /** The notes of the copy. */
      readonly notes?: Notes;
      /** The body of the copy. Default: the message's. */
      readonly body?: string;
    }
  | DeadLetterOutcome
  | {
      readonly kind: 'release';
      readonly error: Error;
      /** How long the message rests, in seconds. The attempt does not count. Default 0. */
      readonly delaySeconds?: number;
      /** Whether the message continues in a copy. */
      readonly asCopy?: boolean;
      /** The notes of the copy. */
      readonly notes?: Notes;
      /** The body of the copy. Default: the message's. */
      readonly body?: string;
    };

/** The outcome of a message whose body cannot be used. */
export function outcomeOfBody(
  error: MalformedEnvelopeError | MessageTooLargeError | InvalidValueError,
): DeadLetterOutcome {
  if (error instanceof MessageTooLargeError) return { kind: 'dead-letter', reason: 'too-large', error };
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

/** The outcome of an attempt whose handler threw. Accepts any thrown value, and makes a safe error of it. */
export function outcomeOfFailure(failed: FailedAttempt, thrown: unknown): Outcome {
  const { contract, attempt, ageMs } = failed;
  const error = asError(thrown);
  if (error instanceof RejectTask) return { kind: 'dead-letter', reason: 'rejected', error };
  if (error instanceof PostponeTask) return outcomeOfPostponement(error, failed);
  const old = ageMs >= OLD_MESSAGE_SECONDS * 1000;
  // SQS would soon delete an old message silently. Only a tracked task continues in a copy: the store counts its attempts
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

/** Shortens the rest of an outcome to at most so many seconds. */
export function restingAtMost(outcome: Outcome, seconds: number): Outcome {
  if (outcome.kind !== 'retry' && outcome.kind !== 'release') return outcome;
  return { ...outcome, delaySeconds: wholeSeconds(outcome.delaySeconds ?? 0, seconds) };
}

/** The rest that an error asks for, otherwise that of the retry policy. Any error may have a member `delaySeconds`. */
function restSeconds(
  { delaySeconds }: Error & { delaySeconds?: unknown },
  { retry }: TaskContract,
  attempt: number,
): number {
  const asked = isRest(delaySeconds) ? delaySeconds : retryDelaySeconds(retry, attempt);
  return wholeSeconds(asked, MAX_VISIBILITY_SECONDS);
}
