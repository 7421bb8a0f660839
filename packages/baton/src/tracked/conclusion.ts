// How an outcome changes the row of its task.
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

/** The change that an outcome makes to the row of its task. */
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
        // No handler ran: the attempt only found that the task has crashed too often
        counts: !(outcome.error instanceof AttemptsCrashedError),
      };
  }
}

/** Whether an outcome clears the suspicion that a task kills its workers. Only a handler that ended by itself clears it. */
export function suspicionAfter(outcome: Outcome): 'cleared' | 'kept' {
  const interrupted = outcome.kind === 'release' && !(outcome.error instanceof PostponeTask);
  const crashed = outcome.kind === 'dead-letter' && outcome.error instanceof AttemptsCrashedError;
  return interrupted || crashed ? 'kept' : 'cleared';
}

/** The end of a task, as its dead letter carries it. */
export function endIn({ attempts, finishedAt, updatedAt }: TaskRow): DeadLetterOutcome['end'] {
  return { attempts, at: finishedAt ?? updatedAt };
}

/** The failure of a task, cut to the limits of a row. */
export function failureOf({ name, message }: Error, reason?: string): TaskFailure {
  return {
    name: name.slice(0, MAX_NAME_CHARACTERS).toWellFormed(),
    message: message.slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed(),
    ...(reason !== undefined && { reason }),
  };
}

/** Turns a result that cannot be kept into a dead letter, because another attempt would return the same. */
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

/** The JSON of a value: empty for `undefined`, undefined if JSON cannot carry it. */
export function jsonOf(value: unknown): string | undefined {
  try {
    return toJson(value);
  } catch {
    return undefined;
  }
}
