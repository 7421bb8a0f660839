import { AttemptsCrashedError, PostponeTask } from '../task/errors.ts';
import { InvalidValueError } from '../task/invalid-value.ts';
import { jsonIssue, toJson } from '../task/json-value.ts';
import type { DeadLetterOutcome, Outcome } from '../task/outcome.ts';
import type { TaskFailure } from '../task/task-status.ts';
import type { Conclusion } from './task-attempts.ts';
import type { TaskRow } from './task-row.ts';

/** The largest result that is kept, in bytes of JSON. */
export const MAX_RESULT_BYTES = 65_536;
const MAX_NAME_CHARACTERS = 128;
const MAX_MESSAGE_CHARACTERS = 1000;

/** How an outcome leaves the row of the attempt that it ends. */
export function conclusionOf(outcome: Outcome): Conclusion {
  switch (outcome.kind) {
    case 'done':
      return { state: 'succeeded', result: jsonOf(outcome.result) || undefined };
    case 'retry':
      return {
        state: 'retrying',
        error: failureOf(outcome.error),
        waiting: { reason: 'retry', error: failureOf(outcome.error) },
        restSeconds: outcome.delaySeconds,
      };
    case 'release':
      return {
        state: 'queued',
        counts: false,
        waiting: {
          reason: outcome.error instanceof PostponeTask ? 'postponed' : 'released',
          error: failureOf(outcome.error),
        },
        restSeconds: outcome.delaySeconds,
      };
    case 'dead-letter':
      return {
        state: outcome.reason === 'rejected' ? 'failed' : 'dead',
        error: failureOf(outcome.error, outcome.reason),
        // The attempt that finds that there are no more is none
        counts: !(outcome.error instanceof AttemptsCrashedError),
      };
  }
}

/** Only a handler that came to its own end has shown that it does not kill its worker. */
export function suspicionAfter(outcome: Outcome): 'cleared' | 'kept' {
  const interrupted = outcome.kind === 'release' && !(outcome.error instanceof PostponeTask);
  const crashed = outcome.kind === 'dead-letter' && outcome.error instanceof AttemptsCrashedError;
  return interrupted || crashed ? 'kept' : 'cleared';
}

/** How a task ended, as its dead letter says it. */
export function endIn({ attempts, finishedAt, updatedAt }: TaskRow): DeadLetterOutcome['end'] {
  return { attempts, at: finishedAt ?? updatedAt };
}

/** Why a task did not succeed, within what a row keeps. */
export function failureOf({ name, message }: Error, reason?: string): TaskFailure {
  return {
    name: name.slice(0, MAX_NAME_CHARACTERS).toWellFormed(),
    message: message.slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed(),
    ...(reason !== undefined && { reason }),
  };
}

/** A result that the store does not take is no result: running the task again would not make it smaller. */
export function withinLimits(outcome: Outcome): Outcome {
  if (outcome.kind !== 'done') return outcome;
  const json = jsonOf(outcome.result);
  const bytes = Buffer.byteLength(json ?? '');
  if (json !== undefined && bytes <= MAX_RESULT_BYTES) return outcome;
  const issue =
    json === undefined
      ? { path: '', message: `it is not JSON: ${jsonIssue(outcome.result)?.message}` }
      : { path: '', message: `expected at most ${MAX_RESULT_BYTES} bytes of JSON, got ${bytes}` };
  return {
    kind: 'dead-letter',
    reason: 'rejected',
    error: new InvalidValueError('The result cannot be kept', [issue]),
  };
}

/** JSON of a value, empty of `undefined`; nothing of what JSON cannot hold. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return toJson(value);
  } catch {
    return undefined;
  }
}
