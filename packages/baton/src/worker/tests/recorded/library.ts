import { createLogger } from '../../../telemetry/logger.ts';
import { ClockWatch } from '../../../time/clock-watch.ts';
import { attributesPutBack } from '../../../sqs/put-back.ts';
import { QueueUrls } from '../../../sqs/queue-urls.ts';
import { fromReceive, type ReceivedMessage } from '../../../sqs/received-message.ts';
import { Settler } from '../../../sqs/settler.ts';
import { Signatures } from '../../../sqs/signatures.ts';
import { PostponeTask, RejectTask, RetryTask } from '../../../task/errors.ts';
import { chain, group, member } from '../../../task/flow.ts';
import { implement, Implementations, type TrackedTaskContext } from '../../../task/implementation.ts';
import type { Outcome } from '../../../task/outcome.ts';
import { defineTask, type ScheduledContract } from '../../../task/task.ts';
import { taskEndSchema } from '../../../task/task-end.ts';
import { payloadHashOf } from '../../../send/prepared-task.ts';
import { TaskClient } from '../../../send/task-client.ts';
import { outcomeWithoutSlot } from '../../slot.ts';
import { processMessage } from '../../../run/process-message.ts';
import { StoreTracker } from '../../../tracked/store-tracker.ts';
import { TaskSchedules } from '../../../tracked/task-schedules.ts';
import { TaskStore } from '../../../tracked/task-store.ts';
import { Ticker } from '../../schedule/ticker.ts';
import { scheduleResources } from 'baton-dev/deploy/schedules';

/**
 * The parts of the library that the scenes use. A version with other folders records with its own file in the place of
 * this one, and with the same scenes.
 */
export {
  createLogger,
  ClockWatch,
  attributesPutBack,
  QueueUrls,
  fromReceive,
  type ReceivedMessage,
  Settler,
  Signatures,
  PostponeTask,
  RejectTask,
  RetryTask,
  chain,
  group,
  member,
  implement,
  Implementations,
  type TrackedTaskContext,
  type Outcome,
  defineTask,
  type ScheduledContract,
  taskEndSchema,
  payloadHashOf,
  TaskClient,
  outcomeWithoutSlot,
  processMessage,
  StoreTracker,
  TaskSchedules,
  TaskStore,
  Ticker,
  scheduleResources,
};
