// The states of tracked tasks.
import type { Progress } from './progress.ts';

/**
 * The state of a tracked task. `failed`: its handler rejected it. `dead`: it was given up for any other reason. Both are in
 * their queue's dead letters. The last four states are final.
 */
export type TaskState = 'queued' | 'running' | 'retrying' | 'succeeded' | 'failed' | 'dead' | 'cancelled';

/** All states, in the order in which a task may go through them. */
export const TASK_STATES = [
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'dead',
  'cancelled',
] as const satisfies readonly TaskState[];

const FINAL: ReadonlySet<TaskState> = new Set(['succeeded', 'failed', 'dead', 'cancelled']);

/** Whether a state is final: the task runs again only if its dead letter is put back. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}

/** Why a task did not succeed. */
export interface TaskFailure {
  /** The error's name, at most 128 characters. */
  readonly name: string;
  /** The error's message, at most 1,000 characters. */
  readonly message: string;
  /** Why the task became a dead letter. Absent if it is retried. */
  readonly reason?: string | undefined;
}

/** The names of the errors whose message a handler's author wrote. */
const OF_THE_AUTHOR = new Set(['RejectTask', 'RetryTask', 'PostponeTask']);
const MAX_MESSAGE_CHARACTERS = 500;

/**
 * The message of a failed task for the callers of an API: what its handler gave to RejectTask, RetryTask or PostponeTask,
 * in one line of at most 500 characters. Any other error may name hosts, paths or data: it is for operators, who find it in
 * the log, in the dead letter and in the task store.
 *
 * @param otherwise - the message if the handler gave none
 */
export function messageForCallers(
  failure: Pick<TaskFailure, 'name' | 'message'> | undefined,
  otherwise: string,
): string {
  const isMeant = failure !== undefined && OF_THE_AUTHOR.has(failure.name);
  const message = isMeant ? failure.message.slice(0, MAX_MESSAGE_CHARACTERS * 2) : '';
  const line = message.replaceAll(/[\s\p{C}]+/gu, ' ').trim();
  return (line || otherwise).slice(0, MAX_MESSAGE_CHARACTERS).toWellFormed();
}

/** Why a tracked task waits for its next attempt. */
export interface Waiting {
  /**
   * `retry`: the last attempt failed, or threw RetryTask. `postponed`: it threw PostponeTask. `released`: it was
   * interrupted, for example because its worker had to stop.
   */
  readonly reason: 'retry' | 'postponed' | 'released';
  /** How the last attempt ended. */
  readonly error: TaskFailure;
  /** When the next attempt may begin, ISO 8601. Absent if it may begin at once. */
  readonly until?: string | undefined;
}

/**
 * The status of a tracked task. Times are ISO 8601. Lists leave out `waiting`, `result`, `subject`,
 * `cancelledBy`, `deaths`, `lastDeath` and `putBack`.
 */
export interface TaskStatus {
  readonly taskId: string;
  /** The name of its contract. */
  readonly task: string;
  /** The queue of its contract. */
  readonly queue: string;
  /** The lane that it was sent in. Absent for the default lane. */
  readonly lane?: string | undefined;
  readonly state: TaskState;
  /** The number of attempts. Released attempts do not count, nor those that crashed while other tasks ran beside them. */
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** The earliest start time. */
  readonly notBefore?: string | undefined;
  /** Why it waits for its next attempt. */
  readonly waiting?: Waiting | undefined;
  /** The task whose handler sent it. */
  readonly parentId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly progress?: (Progress & { readonly at: string }) | undefined;
  /** The handler's result, as the contract's result schema gave it. */
  readonly result?: unknown;
  readonly error?: TaskFailure | undefined;
  /** Who cancelled it, at `finishedAt`, if that was said. */
  readonly cancelledBy?: string | undefined;
  /** How often its dead letter was put back. */
  readonly deaths?: number | undefined;
  /** How it ended before its dead letter was last put back. */
  readonly lastDeath?: (TaskFailure & { readonly at: string }) | undefined;
  /** When its dead letter was last put back, and who did it, if that was said. Nobody checks the name. */
  readonly putBack?: { readonly at: string; readonly by: string } | undefined;
  /** The subject that its sender gave it. */
  readonly subject?: string | undefined;
}
