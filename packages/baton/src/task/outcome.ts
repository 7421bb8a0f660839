import { type InvalidValueError } from './invalid-value.ts';
import { MalformedEnvelopeError, PostponeTask, RejectTask, TaskTimeoutError } from './errors.ts';
import { asError } from './plain-error.ts';
import { isRest, wholeSeconds } from '../time/rest.ts';
import { retryDelaySeconds } from './retry-policy.ts';
import type { TaskContract } from './task.ts';

/** The longest that SQS hides a message, in seconds (12 h). */
export const MAX_VISIBILITY_SECONDS = 43_200;
/** How long a message may live before something is done about it: SQS forgets it after the 7 days of the house's queues. */
export const OLD_MESSAGE_SECONDS = 5 * 86_400;

/**
 * Why a message was set aside. `crashed`: its workers died again and again while it ran. `flow-lost`: it is part of a
 * chain or group of which the task store has lost the rest.
 */
export type DeadLetterReason =
  | 'attempts-exhausted'
  | 'rejected'
  | 'timed-out'
  | 'crashed'
  | 'flow-lost'
  | 'malformed'
  | 'invalid-payload'
  | 'unknown-task';

/** What a copy says of the message that it continues: attributes by their names, such as `baton.unknown-seconds`. */
export type Notes = Readonly<Record<string, string>>;

/** A message that is to be set aside. */
export interface DeadLetterOutcome {
  readonly kind: 'dead-letter';
  readonly reason: DeadLetterReason;
  readonly error: Error;
  /** How its task ended, if that is tracked. */
  readonly end?: { readonly attempts: number; readonly at: string } | undefined;
}

/** What is to become of a message after an attempt. Decided in this file, carried out by `Settler`. */
export type Outcome =
  | { readonly kind: 'done'; readonly result: unknown }
  | {
      readonly kind: 'retry';
      readonly delaySeconds: number;
      readonly error: Error;
      /** As of a release. */
      readonly asCopy?: boolean;
      readonly notes?: Notes;
    }
  | DeadLetterOutcome
  | {
      readonly kind: 'release';
      readonly error: Error;
      /** How long the message rests, without this counting as an attempt. Default 0. */
      readonly delaySeconds?: number;
      /** Whether a copy is sent in its place, because SQS would forget the message before its rest is over. */
      readonly asCopy?: boolean;
      /** What the copy tells the worker that receives it. */
      readonly notes?: Notes;
    };

/** The outcome of a body that no attempt could be made with. */
export function outcomeOfBody(error: MalformedEnvelopeError | InvalidValueError): Outcome {
  const reason = error instanceof MalformedEnvelopeError ? 'malformed' : 'invalid-payload';
  return { kind: 'dead-letter', reason, error };
}

/** An attempt that failed. */
export interface FailedAttempt {
  readonly contract: TaskContract;
  readonly attempt: number;
  /** How long ago SQS took the message, in milliseconds. */
  readonly ageMs: number;
  /** The same of the first message that its message continues, in copies. Default: `ageMs`. */
  readonly firstAgeMs?: number;
}

/** The outcome of a handler that threw, whatever it threw: from here on it is an error that nothing can stumble over. */
export function outcomeOfFailure(failed: FailedAttempt, thrown: unknown): Outcome {
  const { contract, attempt, ageMs } = failed;
  const error = asError(thrown);
  if (error instanceof RejectTask) return { kind: 'dead-letter', reason: 'rejected', error };
  if (error instanceof PostponeTask) return outcomeOfPostponement(error, failed);
  const old = ageMs >= OLD_MESSAGE_SECONDS * 1000;
  // SQS would forget it without a word; of a tracked task a copy can go on, whose attempts the store has counted
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

/** The same outcome, with a rest of at most so many seconds. */
export function restingAtMost(outcome: Outcome, seconds: number): Outcome {
  if (outcome.kind !== 'retry' && outcome.kind !== 'release') return outcome;
  return { ...outcome, delaySeconds: wholeSeconds(outcome.delaySeconds ?? 0, seconds) };
}

/** The rest that an error asks for, or that of the policy. A class of the handler's own may hold anything. */
function restSeconds(
  { delaySeconds }: Error & { delaySeconds?: unknown },
  { retry }: TaskContract,
  attempt: number,
): number {
  const asked = isRest(delaySeconds) ? delaySeconds : retryDelaySeconds(retry, attempt);
  return wholeSeconds(asked, MAX_VISIBILITY_SECONDS);
}
