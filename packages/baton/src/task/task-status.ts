import type { Progress } from './progress.ts';

/**
 * How far a tracked task has come. `failed` is a task that its handler rejected, `dead` one that was given up for any
 * other reason; both are in their queue's dead letters. The last four are final.
 */
export type TaskState = 'queued' | 'running' | 'retrying' | 'succeeded' | 'failed' | 'dead' | 'cancelled';

/** Every state, in the order that a task may go through them. */
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

/** Whether a task in this state will never run again by itself. */
export function isFinal(state: TaskState): boolean {
  return FINAL.has(state);
}

/** Why a task did not succeed. */
export interface TaskFailure {
  /** The error's name, at most 128 characters. */
  readonly name: string;
  /** The error's message, at most 1,000 characters. */
  readonly message: string;
  /** Why the task was set aside; absent while it will be tried again. */
  readonly reason?: string | undefined;
}

/** Why a tracked task is `queued` or `retrying` though an attempt at it was begun. */
export interface Waiting {
  /**
   * `retry`: its last attempt failed, or threw RetryTask. `postponed`: it threw PostponeTask. `released`: it was
   * interrupted, because its worker had to stop, say.
   */
  readonly reason: 'retry' | 'postponed' | 'released';
  /** What the last attempt ended with. */
  readonly error: TaskFailure;
  /** When the next attempt may begin, ISO 8601; left out when it may begin at once. */
  readonly until?: string | undefined;
}

/** What is known of a tracked task. Times are ISO 8601. */
export interface TaskStatus {
  readonly taskId: string;
  /** The name of its contract. */
  readonly task: string;
  /** The queue of its contract. */
  readonly queue: string;
  /** The lane that it was sent in; absent where that is the default one. */
  readonly lane?: string | undefined;
  readonly state: TaskState;
  /** How often it was begun; releases, deploys and crashes beside other tasks do not count. */
  readonly attempts: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly startedAt?: string | undefined;
  readonly finishedAt?: string | undefined;
  /** Not run before this time. */
  readonly notBefore?: string | undefined;
  /** Why it waits for its next attempt. Lists leave it out. */
  readonly waiting?: Waiting | undefined;
  /** The task whose handler sent it. */
  readonly parentId?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly progress?: (Progress & { readonly at: string }) | undefined;
  /** What the handler returned, as its contract's result schema gave it. */
  readonly result?: unknown;
  readonly error?: TaskFailure | undefined;
  /** How often it was dead, or had failed, and was put back. */
  readonly deaths?: number | undefined;
  /** How it ended before it was put back for the last time. */
  readonly lastDeath?: (TaskFailure & { readonly at: string }) | undefined;
  /** What its sender said that it is about. */
  readonly subject?: string | undefined;
}
