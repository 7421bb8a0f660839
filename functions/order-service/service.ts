import { orExit } from 'baton-tasks/internal/process/config';
import { QueueUrls } from 'baton-tasks/internal/sqs/queue-urls';
import { createSqsClient } from 'baton-tasks/internal/sqs/sqs-client';
import { TaskClient } from 'baton-tasks/internal/send/task-client';
import { createDocumentClient } from 'baton-tasks/internal/aws/documents';
import { TaskStore } from 'baton-tasks/internal/tracked/task-store';
import { createLogger } from 'baton-tasks/internal/telemetry/logger';
import { readConfig } from './config.ts';
import { OrderStore } from './store.ts';

const SERVICE = 'order-service';
const config = orExit(() => readConfig(process.env));

/** The service's logger. */
export const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
/** The service's client of SQS. */
export const sqs = createSqsClient();
/** How long a task that no consumer here knows is put back, in seconds. */
export const unknownTaskPatienceSeconds = config.UNKNOWN_TASK_PATIENCE_SECONDS;
/** Where the queues are. */
export const queueUrls = new QueueUrls(config.QUEUE_URL_PREFIX);
const documents = createDocumentClient();
/** Sends tasks in the service's name, and notes those that are tracked. */
export const tasks = new TaskClient({
  sqs,
  queueUrls,
  source: SERVICE,
  records: new TaskStore({ documents, table: config.TASKS_TABLE }),
});
/** The service's own table. */
export const orders = new OrderStore(documents, config.ORDERS_TABLE, logger);
