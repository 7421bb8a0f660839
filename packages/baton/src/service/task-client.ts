// Task clients for programs that are not services: scripts, tests, another framework's handlers.
import { createDocumentClient } from '../aws/documents.ts';
import { readSigning } from '../aws/signing.ts';
import { TaskClient } from '../send/task-client.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import { signaturesBy } from '../sqs/signatures.ts';
import { createSqsClient } from '../sqs/sqs-client.ts';
import type { TaskContract } from '../task/task.ts';
import { TaskStore } from '../tracked/task-store.ts';

/** Configures a task client. */
export interface ConnectOptions {
  /** The sender's name, `^[a-z0-9-]+$`: the `source` of its envelopes. */
  readonly source: string;
  /** The part of a queue URL before the queue's name: `https://sqs.eu-central-1.amazonaws.com/123456789012/baton-dev-`. */
  readonly queueUrlPrefix: string;
  /** The table of the task store. Tracked tasks cannot be sent without it. */
  readonly tasksTable?: string | undefined;
  /** The contracts that tasks which it cancels may lead to: later tasks of flows, and listeners. Default: none. */
  readonly contracts?: readonly TaskContract[];
}

/**
 * Makes a task client. Region, credentials and endpoints come from the environment, as the AWS SDK reads them, and so
 * do the keys of signatures: TASK_SIGNING_KEYS.
 *
 * @throws ZodError if `source` is not a service name, and ConfigError if the keys are wrong
 */
export function createTaskClient({
  source,
  queueUrlPrefix,
  tasksTable,
  contracts = [],
}: ConnectOptions): TaskClient {
  const sqs = createSqsClient();
  const signatures = signaturesBy(readSigning(process.env, () => sqs.config.credentials()));
  return new TaskClient({
    contracts,
    signatures,
    sqs,
    queueUrls: new QueueUrls(queueUrlPrefix),
    source,
    ...(tasksTable !== undefined && {
      records: new TaskStore({ documents: createDocumentClient(), table: tasksTable, signatures }),
    }),
  });
}
