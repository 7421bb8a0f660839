import { orExit } from '@baton/common/config';
import { createDocumentClient } from '@baton/common/state/documents';
import { TaskHistory } from '@baton/common/state/task-history';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger } from '@baton/common/telemetry/logger';
import { readConfig } from './config.ts';

const config = orExit(() => readConfig(process.env));
const documents = createDocumentClient();

/** The service's logger. */
export const logger = createLogger({ service: 'task-service', level: config.LOG_LEVEL });
/** The task store, which all services and the worker share: the one thing that this service is about. */
export const tasks = new TaskStore({ documents, table: config.TASKS_TABLE });
/** The lists of the task store. */
export const history = new TaskHistory(documents, config.TASKS_TABLE);
