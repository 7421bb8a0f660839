import { orExit } from 'baton-tasks/internal/process/config';
import { QueueUrls } from 'baton-tasks/internal/sqs/queue-urls';
import { createSqsClient } from 'baton-tasks/internal/sqs/sqs-client';
import { TaskClient } from 'baton-tasks/internal/send/task-client';
import { createDocumentClient } from 'baton-tasks/internal/aws/documents';
import { TaskHistory } from 'baton-tasks/internal/tracked/task-history';
import { TaskStore } from 'baton-tasks/internal/tracked/task-store';
import { createLogger } from 'baton-tasks/internal/telemetry/logger';
import { readConfig } from './config.ts';

const SERVICE = 'task-service';
const config = orExit(() => readConfig(process.env));
const documents = createDocumentClient();

/** The service's logger. */
export const logger = createLogger({ service: SERVICE, level: config.LOG_LEVEL });
/** The task store, which all services and the worker share: the one thing that this service is about. */
export const taskStore = new TaskStore({ documents, table: config.TASKS_TABLE });
/** Cancels tasks, and tells those who listen. */
export const tasks = new TaskClient({
  sqs: createSqsClient(),
  queueUrls: new QueueUrls(config.QUEUE_URL_PREFIX),
  source: SERVICE,
  records: taskStore,
});
/** The lists of the task store. */
export const history = new TaskHistory(documents, config.TASKS_TABLE);
