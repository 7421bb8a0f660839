// The worker's implementations as a Lambda function, for stages where no worker process runs.
import { hostname } from 'node:os';
import { createDocumentClient } from '../aws/documents.ts';
import { createLambdaConsumer, type LambdaConsumer } from '../lambda/lambda-consumer.ts';
import { orExit } from '../process/config.ts';
import { TaskClient } from '../send/task-client.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import { signaturesBy } from '../sqs/signatures.ts';
import { createSqsClient } from '../sqs/sqs-client.ts';
import { type Implementation, Implementations } from '../task/implementation.ts';
import type { TaskContract } from '../task/task.ts';
import { createLogger } from '../telemetry/logger.ts';
import { StoreTracker } from '../tracked/store-tracker.ts';
import { TaskStore } from '../tracked/task-store.ts';
import { readWorkerConfig } from './config.ts';

/** Configures a worker's function. */
export interface WorkerFunction {
  /**
   * Every contract that its tasks may lead to: the later tasks of chains and groups, and listeners. A row that names
   * something else is not followed. The contracts that it implements need not be listed. Default: none.
   */
  readonly contracts?: readonly TaskContract[];
}

/**
 * Makes a handler of Lambda's event source for SQS that runs the worker's implementations. Its configuration comes from
 * `process.env`, as the worker's.
 */
export function createWorkerFunction(
  implementations: readonly Implementation[],
  { contracts = [] }: WorkerFunction = {},
): LambdaConsumer {
  const known = new Implementations(implementations);
  const config = orExit(() => readWorkerConfig(process.env));
  const sqs = createSqsClient();
  const queueUrls = new QueueUrls(config.queueUrlPrefix);
  const logger = createLogger({ service: 'worker', level: config.logLevel });
  for (const warning of config.warnings ?? []) logger.warn(warning);
  const signatures = signaturesBy(config.signing?.(() => sqs.config.credentials()));
  const store = new TaskStore({ documents: createDocumentClient(), table: config.tasksTable, signatures });
  const { send, forward } = new TaskClient({ sqs, queueUrls, source: 'worker', records: store, signatures });
  return createLambdaConsumer({
    sqs,
    queueUrls,
    signatures,
    send,
    tracker: new StoreTracker({
      store,
      forward,
      contracts: [...known.contracts, ...contracts],
      leaseSeconds: config.leaseSeconds,
      logger,
    }),
    logger,
    worker: { id: `worker@${hostname()}`, version: config.version },
    implementations: known,
    unknownTaskPatienceSeconds: config.unknownTaskPatienceSeconds,
  });
}
