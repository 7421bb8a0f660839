// The state of a task's row. A sender may write any, so it counts only with what a worker writes beside it.
import { MismatchError } from '../task/errors.ts';
import type { KeptTask } from './task-records.ts';

/** The members of a row that belong to its state. */
type RowState = Pick<KeptTask, 'taskId' | 'state' | 'startedAt' | 'finishedAt' | 'error'> & {
  readonly leaseUntilMs?: number | undefined;
};

/**
 * Why the state of a task may not be believed; undefined if it may. The role of a sender may write any state, but nothing
 * that a worker writes with it: the lease of a running task, and what an end has.
 */
export function faultOfState(row: RowState): MismatchError | undefined {
  const { taskId, state, startedAt, finishedAt, error, leaseUntilMs } = row;
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
