// A service: the parts that its handlers, its API and its server share, made once from the environment.
import type { SQSClient } from '@aws-sdk/client-sqs';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { createDocumentClient } from '../aws/documents.ts';
import { signingOf, signingSchemas } from '../aws/signing.ts';
import { type Secrets, secretVariables } from '../aws/secret-variables.ts';
import { type Environment, orExit, parseConfigs, sharedVariables, tasksTable } from '../process/config.ts';
import { TaskClient } from '../send/task-client.ts';
import { QueueUrls } from '../sqs/queue-urls.ts';
import { signaturesBy, type Signatures } from '../sqs/signatures.ts';
import { createSqsClient } from '../sqs/sqs-client.ts';
import type { TaskContract } from '../task/task.ts';
import { createLogger, type Logger } from '../telemetry/logger.ts';
import { TaskStore } from '../tracked/task-store.ts';

/** Describes a service. */
export interface ServiceOptions<
  Variables extends z.ZodType,
  Tracks extends boolean,
  SecretsSchema extends z.ZodObject = z.ZodObject,
> {
  /** The service's name, `^[a-z0-9-]+$`, for its log lines and its envelopes. */
  readonly name: string;
  /** The version of its code, as its package.json says. */
  readonly version: string;
  /** The port of its HTTP server in a container. The variable PORT overrides it. */
  readonly port: number;
  /**
   * The service's own environment variables, as a zod schema of their names. The shared ones (AWS_REGION,
   * QUEUE_URL_PREFIX, LOG_LEVEL, ...) need not be listed. Default: none.
   */
  readonly variables?: Variables;
  /**
   * The service's secrets, as a zod schema of their names. The environment holds NAME itself, NAME_FILE (the path of a file
   * that holds it) or NAME_SECRET (its ARN in Secrets Manager, which `access: secrets` in functions.yml sets). Default:
   * none.
   */
  readonly secrets?: SecretsSchema;
  /**
   * Whether the service sends or runs tracked tasks. Then TASKS_TABLE must be set, and `taskStore` is there. Default
   * false.
   */
  readonly tracks?: Tracks;
  /**
   * Every contract that its tasks may lead to: the later tasks of chains and groups, and listeners. For a service that runs
   * or cancels tracked tasks, because it sends what follows them. A row that names something else is not followed. The
   * contracts that it implements, and the listeners that a contract names, need not be listed. Default: none.
   */
  readonly contracts?: readonly TaskContract[];
  /** Default: `process.env`. */
  readonly environment?: Environment;
}

/** A service's parts. `createConsumer`, `createApi` and `runService` make its handlers, its API and its server of them. */
export interface Service<
  Config = unknown,
  Tracks extends boolean = boolean,
  SecretsSchema extends z.ZodObject = z.ZodObject,
> {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  /** The service's own variables, as their schema returned them. */
  readonly config: Config;
  /** The service's secrets, as their schema describes them. One that may be missing is undefined if it is. */
  readonly secrets: Secrets<SecretsSchema>;
  /** Writes JSON lines that carry the service's name. */
  readonly logger: Logger;
  /** Sends tasks in the service's name. */
  readonly tasks: TaskClient;
  /** A client of DynamoDB, for the service's own tables. */
  readonly documents: DynamoDBDocumentClient;
  /** Every contract that its tasks may lead to. */
  readonly contracts: readonly TaskContract[];
  /** The task store. Absent unless the service tracks. */
  readonly taskStore: Tracks extends true ? TaskStore : TaskStore | undefined;
  /** The name of the task store's table. Absent unless the service tracks. */
  readonly tasksTable: Tracks extends true ? string : string | undefined;
  /** A client of SQS. */
  readonly sqs: SQSClient;
  readonly queueUrls: QueueUrls;
  /** Sign what it sends and writes, and check what it receives and reads. Undefined without TASK_SIGNING_KEYS. */
  readonly signatures?: Signatures | undefined;
  /** How long messages of an unknown task are released before they become dead letters, in seconds. */
  readonly unknownTaskPatienceSeconds: number;
  readonly environment: Environment;
}

/**
 * Makes a service from the environment. A wrong or missing variable ends the process with status 1 and one line for each
 * such variable.
 */
export function createService<
  Variables extends z.ZodType = z.ZodObject,
  Tracks extends boolean = false,
  SecretsSchema extends z.ZodObject = z.ZodObject,
>(
  options: ServiceOptions<Variables, Tracks, SecretsSchema>,
): Service<z.output<Variables>, Tracks, SecretsSchema> {
  const { name, version, port, environment = process.env, tracks, contracts = [] } = options;
  const variables = options.variables ?? z.object({});
  const trackedVariables = z.object({ TASKS_TABLE: tracks ? tasksTable : tasksTable.optional() });
  const secretsSchema = options.secrets ?? z.object({});
  const schemas = [
    variables,
    z.object(sharedVariables),
    trackedVariables,
    secretVariables(secretsSchema),
    ...signingSchemas,
  ] as const;
  const [config, shared, tracked, secrets, ...signing] = orExit(() =>
    parseConfigs(schemas, environment, Object.keys(secretsSchema.shape)),
  );
  const sqs = createSqsClient();
  const secretsManager = {
    credentials: () => sqs.config.credentials(),
    endpoint: shared.AWS_ENDPOINT_URL_SECRETS_MANAGER ?? shared.AWS_ENDPOINT_URL,
  };
  const signatures = signaturesBy(signingOf(...signing, secretsManager));
  const queueUrls = new QueueUrls(shared.QUEUE_URL_PREFIX);
  const documents = createDocumentClient();
  const table = tracks ? tracked.TASKS_TABLE : undefined;
  const taskStore = table === undefined ? undefined : new TaskStore({ documents, table, signatures });
  return {
    name,
    version,
    port,
    config: config as z.output<Variables>,
    secrets: secrets(secretsManager) as Secrets<SecretsSchema>,
    logger: createLogger({ service: name, level: shared.LOG_LEVEL }),
    tasks: new TaskClient({
      sqs,
      queueUrls,
      source: name,
      contracts,
      signatures,
      ...(taskStore && { records: taskStore }),
    }),
    contracts,
    documents,
    taskStore: taskStore as never,
    tasksTable: table as never,
    sqs,
    queueUrls,
    signatures,
    unknownTaskPatienceSeconds: shared.UNKNOWN_TASK_PATIENCE_SECONDS,
    environment,
  };
}
