// An SQS and a DynamoDB for a test.
import { randomBytes } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteQueueCommand, ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { QueueUrls, TaskClient, TaskStore } from 'baton-tasks/tooling';
import { createResources } from '../embedded/create-resources.ts';
import type * as Emulators from '../embedded/emulators.ts';
import { HOST } from '../embedded/ports.ts';
import { characterFrom } from '../embedded/sqs/sqs-character.ts';
import { readResources } from '../stack/described-stack.ts';
import type { Resources } from '../stack/resources.ts';

declare global {
  /** Loads the emulators outside of Jest's sandbox. tests/support/environment.ts sets it. */
  var loadEmulators: (() => Promise<typeof Emulators>) | undefined;
}

const CLIENT = {
  region: process.env['AWS_REGION'] ?? 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
};

/** An SQS and a DynamoDB to test against, with a stage of their own on them. */
export interface Backends {
  /** The environment of a process that uses them. */
  readonly environment: Readonly<Record<string, string>>;
  readonly queueUrls: QueueUrls;
  /** The task store's table. */
  readonly tasksTable: string;
  readonly stage: string;
  readonly sqs: SQSClient;
  readonly documents: DynamoDBDocumentClient;
  /** Sends tasks to these queues, in the name of `tests`. */
  readonly tasks: TaskClient;
  /** The states of tracked tasks. */
  readonly taskStore: TaskStore;
  stop(): Promise<void>;
}

/** The endpoints that a test brings itself. */
export interface OwnBackends {
  /** The endpoint of an SQS of the test's own, in the place of any other. */
  readonly sqsEndpoint?: string;
  /** The same of a DynamoDB. */
  readonly dynamoDbEndpoint?: string;
}

/**
 * Starts emulators, or uses the endpoints that AWS_ENDPOINT_URL_SQS and AWS_ENDPOINT_URL_DYNAMODB give. Creates the queues
 * and tables of some folders and the tasks table, under names that no other test has.
 *
 * @param folders - each has a functions.yml, such as `functions/payments-service`
 */
export function startBackends(folders: readonly string[], own: OwnBackends = {}): Promise<Backends> {
  return startBackendsOf((stage) => readResources(folders, stage), own);
}

/**
 * Does what `startBackends` does, with queues and tables that no functions.yml describes.
 *
 * @param describe - gives them for a stage, the tasks table included
 */
export async function startBackendsOf(
  describe: (stage: string) => Resources | Promise<Resources>,
  own: OwnBackends = {},
): Promise<Backends> {
  const given = {
    sqs: own.sqsEndpoint ?? process.env['AWS_ENDPOINT_URL_SQS'],
    dynamoDb: own.dynamoDbEndpoint ?? process.env['AWS_ENDPOINT_URL_DYNAMODB'],
  };
  const load = globalThis.loadEmulators ?? (() => import('../embedded/emulators.ts'));
  const { startDynamoDb, startSqs } = await load();
  const emulators = [
    given.sqs ? undefined : await startSqs(0, HOST, characterFrom(process.env)),
    given.dynamoDb ? undefined : await startDynamoDb(0),
  ];
  const [sqsEndpoint = '', dynamoDbEndpoint = ''] = [
    given.sqs ?? emulators[0]?.endpoint,
    given.dynamoDb ?? emulators[1]?.endpoint,
  ];
  const stage = `test-${randomBytes(4).toString('hex')}`;
  const sqs = new SQSClient({ ...CLIENT, endpoint: sqsEndpoint, useQueueUrlAsEndpoint: false });
  const dynamoDb = new DynamoDBClient({ ...CLIENT, endpoint: dynamoDbEndpoint });
  const tasksTable = `baton-${stage}-tasks`;
  const resources = await describe(stage);
  const queueUrlPrefix = await createResources(resources, `baton-${stage}-`, { sqs, dynamoDb });
  const queueUrls = new QueueUrls(queueUrlPrefix);
  const documents = DynamoDBDocumentClient.from(dynamoDb, {
    marshallOptions: { removeUndefinedValues: true },
  });
  const taskStore = new TaskStore({ documents, table: tasksTable });
  return {
    environment: {
      AWS_REGION: CLIENT.region,
      AWS_ACCESS_KEY_ID: CLIENT.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CLIENT.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_SQS: sqsEndpoint,
      AWS_ENDPOINT_URL_DYNAMODB: dynamoDbEndpoint,
      QUEUE_URL_PREFIX: queueUrlPrefix,
      TASKS_TABLE: tasksTable,
      // A test of who may do what starts its service with the environment of a TestIssuer
      AUTHENTICATION: 'none',
    },
    queueUrls,
    tasksTable,
    stage,
    sqs,
    documents,
    tasks: new TaskClient({ sqs, queueUrls, source: 'tests', records: taskStore }),
    taskStore,
    stop: async () => {
      if (process.env['AWS_ENDPOINT_URL_SQS'] === sqsEndpoint) await deleteQueues(sqs, `baton-${stage}-`);
      sqs.destroy();
      for (const emulator of emulators) await emulator?.stop();
      // Last, so that requests under way are answered
      dynamoDb.destroy();
    },
  };
}

/** Deletes the queues and tables, because others may use the broker too. */
async function deleteQueues(sqs: SQSClient, QueueNamePrefix: string): Promise<void> {
  const { QueueUrls: urls = [] } = await sqs.send(new ListQueuesCommand({ QueueNamePrefix }));
  await Promise.all(urls.map((QueueUrl) => sqs.send(new DeleteQueueCommand({ QueueUrl }))));
}
