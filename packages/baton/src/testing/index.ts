// The entry `baton-tasks/testing`, for tests of contracts, implementations and handlers. Everything runs in memory, without
// SQS, DynamoDB or an account.

/** Run one attempt, and look at all that it did. */
export { runTask, type RunTaskOptions, type SentByTask, type TaskRun } from './run-task.ts';
export type { TaskOutcome } from './task-outcome.ts';
/** Run tasks and all that they cause: retries, delays, chains, groups, listeners and schedules. */
export {
  type AttemptedTask,
  type DeadLetterTask,
  type QueuedTask,
  TestBroker,
  type TestBrokerOptions,
} from './test-broker.ts';
export type { LogLine } from './memory-backend.ts';
/** Make tokens that an API accepts. */
export { TestIssuer, type TestIssuerOptions, type TokenOptions } from './test-issuer.ts';
/** Call a function that consumes a queue. */
export { sqsEvent, type SqsEventOptions } from './sqs-event.ts';
