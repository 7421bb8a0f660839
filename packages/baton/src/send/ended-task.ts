// Tells whether the end that the row of a task shows was written by somebody who may end tasks.
import { MismatchError } from '../task/errors.ts';
import type { KeptTask } from './task-records.ts';

/** The members of a row that its end changes. */
type EndedTask = Pick<KeptTask, 'taskId' | 'state' | 'startedAt' | 'finishedAt' | 'error'>;

/**
 * Why the end of a task may not be believed; undefined if it may, or if the task has not ended. The role of a sender may
 * write any state, but none of the attributes that an end has.
 */
export function faultOfEnd({ taskId, state, startedAt, finishedAt, error }: EndedTask): Error | undefined {
  const isWhole = {
    queued: true,
    retrying: true,
    running: true,
    succeeded: finishedAt !== undefined && startedAt !== undefined && error === undefined,
    failed: finishedAt !== undefined && error !== undefined,
    dead: finishedAt !== undefined && error !== undefined,
    cancelled: finishedAt !== undefined,
  };
  // A later version may know other states
  if (isWhole[state] ?? true) return undefined;
  return new MismatchError(taskId, `expected the end that a worker wrote, got a row that is only ${state}`);
}
