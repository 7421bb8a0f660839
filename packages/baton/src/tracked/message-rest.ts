// How long a message rests whose task gets no attempt now.
import { TaskError, TaskNotDueError } from '../task/errors.ts';
import type { Outcome } from '../task/outcome.ts';
import { equalJitter } from '../time/backoff.ts';
import type { TaskRow } from './task-row.ts';

/** The shortest rest of a message whose task cannot be claimed. */
const SHORTEST_REST_SECONDS = 10;
/** The longest rest of a message whose task gets no attempt, unless its time has not come. */
export const LONGEST_REST_SECONDS = 600;

/** The outcome of a message whose task is not due yet, or has changed since its claim was refused. */
export function outcomeOfWaiting(taskId: string, row: TaskRow | undefined, nowMs: number): Outcome {
  const { task = '', notBefore = '', nextAttemptAt = '' } = row ?? {};
  // Both are ISO 8601 in UTC, so the later one is the greater text
  const due = notBefore > nextAttemptAt ? notBefore : nextAttemptAt;
  const leftMs = Date.parse(due) - nowMs;
  if (leftMs > 0) {
    const error = new TaskNotDueError(task, due);
    return { kind: 'release', error, delaySeconds: Math.ceil(leftMs / 1000) };
  }
  return { kind: 'release', error: new TaskError(`The task ${taskId} has just changed`), delaySeconds: 1 };
}

/**
 * How long a waiting task must still wait for a worker that knows it, in seconds, by its row. The counts in notes are not
 * enough, because a sender can write them.
 */
export function patienceLeft(
  { state, updatedAt, notBefore = updatedAt }: TaskRow,
  patienceSeconds: number,
  nowMs: number,
): number {
  if (state !== 'queued' && state !== 'retrying') return 0;
  const sinceMs = Math.max(Date.parse(updatedAt), Date.parse(notBefore));
  return Math.ceil((sinceMs - nowMs) / 1000 + patienceSeconds);
}

/** How long a message rests while the store does not answer: a quarter of its age, with equal jitter. */
export function restSeconds(ageMs: number): number {
  const quarter = ageMs / 4000;
  const longest = Math.min(LONGEST_REST_SECONDS, Math.max(SHORTEST_REST_SECONDS, quarter));
  return Math.ceil(equalJitter(longest));
}
