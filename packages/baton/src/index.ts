// The entry `baton-tasks`: contracts, implementations, flows and errors. It needs no AWS, and connects to nothing.

/** Define the tasks that may be asked for. */
export {
  defineTask,
  taskNameSchema,
  type ScheduledContract,
  type TaskContract,
  type TrackedContract,
} from './task/task.ts';
/** Say when a task is retried, and when it runs without a sender. */
export type { RetryPolicy } from './task/retry-policy.ts';
export { nextTick, type Schedule } from './task/schedule.ts';
/** Listen to the ends of tasks. */
export { type TaskEnd, taskEndSchema } from './task/task-end.ts';
/** Implement a task. */
export {
  implement,
  type Implementation,
  type TaskContext,
  type TaskHandler,
  type TrackedTaskContext,
} from './task/implementation.ts';
/** End an attempt on purpose. */
export { PostponeTask, RejectTask, RetryTask } from './task/errors.ts';
/** Run a step that leaves the system once, and report progress. */
export type { Effect, EffectOptions } from './task/effect.ts';
export type { Progress } from './task/progress.ts';
/** Ask for a task; `createTaskClient` and `createService` in `baton-tasks/service` give the `send` for it. */
export type {
  CancelOptions,
  ResultOptions,
  SendOptions,
  SendTask,
  SentTask,
  TaskHandle,
} from './task/send-task.ts';
/** Start several tasks that depend on each other. */
export { chain, group, member } from './task/flow.ts';
/** Read the state of a task. */
export {
  isFinal,
  messageForCallers,
  TASK_STATES,
  type TaskFailure,
  type TaskState,
  type TaskStatus,
} from './task/task-status.ts';
/** Catch errors: of sends, of waits for results, and of attempts. */
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
