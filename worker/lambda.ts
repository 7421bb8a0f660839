import { hostname } from 'node:os';
import { orExit } from '@baton/common/config';
import { createLambdaConsumer } from '@baton/common/queue/lambda-consumer';
import { QueueUrls } from '@baton/common/queue/queue-urls';
import { createSqsClient } from '@baton/common/queue/sqs-client';
import { TaskClient } from '@baton/common/queue/task-client';
import { createDocumentClient } from '@baton/common/state/documents';
import { StoreTracker } from '@baton/common/state/store-tracker';
import { TaskStore } from '@baton/common/state/task-store';
import { allTasks } from '@baton/common/tasks/all';
import { createLogger } from '@baton/common/telemetry/logger';
import { readWorkerConfig } from './config.ts';

const config = orExit(() => readWorkerConfig(process.env));
const sqs = createSqsClient();
const queueUrls = new QueueUrls(config.queueUrlPrefix);
const logger = createLogger({ service: 'worker', level: config.logLevel });
const store = new TaskStore({ documents: createDocumentClient(), table: config.tasksTable });
const { send, forward } = new TaskClient({ sqs, queueUrls, source: 'worker', records: store });

/** The worker's implementations under Lambda's event source for SQS, where no worker process runs. */
export const handler = createLambdaConsumer({
  sqs,
  queueUrls,
  send,
  tracker: new StoreTracker({ store, forward, leaseSeconds: config.leaseSeconds, logger }),
  logger,
  worker: { id: `worker@${hostname()}`, version: config.version },
  implementations: allTasks,
  unknownTaskPatienceSeconds: config.unknownTaskPatienceSeconds,
});
