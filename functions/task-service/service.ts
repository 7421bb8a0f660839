import { orExit } from '@baton/common/config';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { createSqsClient } from '@baton/common/queue/sqs-client';
import { TaskClient } from '@baton/common/queue/task-client';
import { createDocumentClient } from '@baton/common/state/documents';
import { TaskHistory } from '@baton/common/state/task-history';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger } from '@baton/common/telemetry/logger';
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
