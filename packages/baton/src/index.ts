// The language of tasks: what contracts and implementations are written in. It needs no AWS, and nothing here connects.

/** Say what may be asked. */
export {
  defineTask,
  taskNameSchema,
  type ScheduledContract,
  type TaskContract,
  type TrackedContract,
} from './task/task.ts';
/** Say when it is tried again, and when it runs by itself. */
export type { RetryPolicy } from './task/retry-policy.ts';
export { nextTick, type Schedule } from './task/schedule.ts';
/** Be told how a task ended. */
export { type TaskEnd, taskEndSchema } from './task/task-end.ts';
/** Do what was asked. */
export {
  implement,
  type Implementation,
  type TaskContext,
  type TaskHandler,
  type TrackedTaskContext,
} from './task/implementation.ts';
/** End an attempt on purpose. */
export { PostponeTask, RejectTask, RetryTask } from './task/errors.ts';
/** Run a step that leaves the system once, and say how far the task is. */
export type { Effect, EffectOptions } from './task/effect.ts';
export type { Progress } from './task/progress.ts';
/** Ask for a task; `createTaskClient` and `createService` in `baton-tasks/service` give the `send` for it. */
export type { ResultOptions, SendOptions, SendTask, SentTask, TaskHandle } from './task/send-task.ts';
/** Ask for several tasks that depend on each other. */
export { chain, group, member } from './task/flow.ts';
/** See how far a task is. */
export {
  isFinal,
  TASK_STATES,
  type TaskFailure,
  type TaskState,
  type TaskStatus,
} from './task/task-status.ts';
/** Know what went wrong: with a request to send, with a result that was waited for, with an attempt. */
export {
  AttemptOverError,
  ClaimLostError,
  EffectUsedTwiceError,
  ResultTimeoutError,
  SendError,
  TaskCancelledError,
  TaskConflictError,
  TaskError,
  TaskFailedError,
  TaskTimeoutError,
} from './task/errors.ts';
export { InvalidValueError } from './task/invalid-value.ts';
