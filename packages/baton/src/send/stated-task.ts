// Tells whether the state that the row of a task shows was written by somebody who may write it.
import { MismatchError } from '../task/errors.ts';
import type { KeptTask } from './task-records.ts';

/** The members of a row that belong to its state. */
type StatedTask = Pick<KeptTask, 'taskId' | 'state' | 'startedAt' | 'finishedAt' | 'error'> & {
  readonly leaseUntilMs?: number | undefined;
};

/**
 * Why the state of a task may not be believed; undefined if it may. The role of a sender may write any state, but nothing
 * that a worker writes with it: the lease of a running task, and what an end has.
 */
export function faultOfState(task: StatedTask): MismatchError | undefined {
  const { taskId, state, startedAt, finishedAt, error, leaseUntilMs } = task;
  const ended = finishedAt !== undefined;
  const isWhole = {
    queued: !ended && leaseUntilMs === undefined,
    retrying: !ended && leaseUntilMs === undefined,
    running: !ended,
    succeeded: ended && startedAt !== undefined && error === undefined,
    failed: ended && error !== undefined,
    dead: ended && error !== undefined,
    cancelled: ended,
  };
  // A later version may know other states
  if (isWhole[state] ?? true) return undefined;
  return new MismatchError(taskId, `expected a state that a worker wrote, got a row that is only ${state}`);
}
