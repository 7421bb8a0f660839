// Tells whether a message belongs to the row of the task that it names.
import { MismatchError, OutOfTurnError } from '../task/errors.ts';
import { MAX_AHEAD_MS } from '../send/send-checks.ts';
import { queueWithoutLane } from '../task/lane.ts';
import { faultOfState } from '../send/row-state.ts';
import { isFinal } from '../task/task-status.ts';
import { faultOfRow } from '../send/row-shape.ts';
import type { TaskRow } from './task-row.ts';

/** The task that a message says it is. */
export interface NamedTask {
  readonly task: string;
  /** The queue that the message was in, or its lane's. Undefined if its contract is known: that names the queue. */
  readonly queue?: string | undefined;
  /** The version of its contract, for a process that does not know the task. Default 1. */
  readonly version?: number | undefined;
  readonly payloadHash: string;
  /** What it is about. Listeners to its end are told. */
  readonly subject?: string | undefined;
}

/**
 * Why a message is none of the task whose row this is; undefined if it is one.
 *
 * A message may have been put into another lane. A row that an earlier version wrote may have no payload hash and no
 * version.
 */
export function misfitOf(
  row: TaskRow,
  { task, queue, version = 1, payloadHash, subject }: NamedTask,
  nowMs: number,
): Error | undefined {
  const { taskId, afterId, contractVersion = version } = row;
  // Groups and schedules have rows too
  if (row.task === undefined)
    return new MismatchError(taskId, 'expected the id of a task, got that of a group');
  if (row.task !== task) return new MismatchError(taskId, `expected ${row.task}, got ${task}`);
  const fault = faultOfRow(row) ?? faultOfDelay(row, nowMs);
  if (fault !== undefined) return new MismatchError(taskId, `expected a row that Baton wrote, got ${fault}`);
  const forged = faultOfState(row);
  if (forged) return forged;
  const expected = queueWithoutLane(row.queue);
  if (queue !== undefined && queueWithoutLane(queue) !== expected)
    return new MismatchError(taskId, `expected it in the queue ${expected}, got it from ${queue}`);
  if (version > contractVersion)
    return new MismatchError(
      taskId,
      `expected at most version ${contractVersion} of ${task}, got ${version}`,
    );
  // Listeners know by it which of their own things has changed
  if (row.subject !== undefined && row.subject !== subject)
    return new MismatchError(taskId, `expected the subject ${row.subject}, got ${subject ?? 'none'}`);
  if (row.payloadHash === payloadHash) return undefined;
  if (row.payloadHash !== undefined)
    return new MismatchError(taskId, 'its payload differs from the one that was sent');
  return afterId === undefined ? undefined : new OutOfTurnError(taskId, afterId);
}

/** What is wrong with the earliest start of a waiting task: it is later than any that Baton writes. */
function faultOfDelay({ state, notBefore, nextAttemptAt }: TaskRow, nowMs: number): string | undefined {
  if (isFinal(state)) return undefined;
  const late = Object.entries({ notBefore, nextAttemptAt }).find(
    ([, at]) => at !== undefined && Date.parse(at) > nowMs + MAX_AHEAD_MS,
  );
  return late && `${late[0]}: Too late: expected at most ${MAX_AHEAD_MS / 86_400_000} days ahead`;
}
