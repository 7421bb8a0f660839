// The entry `baton-tasks/service`: services, their consumers and processes, and task clients for other programs.

/** Make a service: its logger, task client and store clients, from the environment. */
export { createService, type Service, type ServiceOptions } from './service.ts';
/** Make the functions that consume its queues. */
export {
  type ConsumerOptions,
  createConsumer,
  createTrackedConsumer,
  type TrackedConsumerOptions,
} from './consumer.ts';
/** Run it as a process. */
export { runService, type ServiceProcess } from './run-service.ts';
/** Send tasks from another program. */
export { createTaskClient } from './task-client.ts';
export type { TaskClient } from '../send/task-client.ts';
/** Read the environment. */
export { ConfigError, endpoint, oneOf, parseConfig, port, text, wholeNumber } from '../process/config.ts';
/** Read secrets. */
export type { Secret } from '../aws/secret.ts';
/** Limit how many calls run at the same time. */
export { Permits, TooManyWaitingError } from '../time/permits.ts';
/** Write log lines. */
export { createLogger, type Logger } from '../telemetry/logger.ts';
/** Read the states of tracked tasks. */
export type { TaskStore } from '../tracked/task-store.ts';
export { TaskHistory, taskPositionSchema } from '../tracked/task-history.ts';
