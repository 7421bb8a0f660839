import { hostname } from 'node:os';
import { orExit } from 'baton-tasks/internal/process/config';
import { createLambdaConsumer } from 'baton-tasks/internal/lambda/lambda-consumer';
import { QueueUrls } from 'baton-tasks/internal/sqs/queue-urls';
import { createSqsClient } from 'baton-tasks/internal/sqs/sqs-client';
import { TaskClient } from 'baton-tasks/internal/send/task-client';
import { createDocumentClient } from 'baton-tasks/internal/aws/documents';
import { StoreTracker } from 'baton-tasks/internal/tracked/store-tracker';
import { TaskStore } from 'baton-tasks/internal/tracked/task-store';
import { allTasks } from '@baton/common/tasks/all';
import { createLogger } from 'baton-tasks/internal/telemetry/logger';
import { readWorkerConfig } from 'baton-tasks/internal/worker/config';

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
