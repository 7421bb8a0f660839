// Creates queues and tables.
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  type DynamoDBClient,
  ResourceInUseException,
  UpdateTimeToLiveCommand,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  QueueNameExists,
  SetQueueAttributesCommand,
  type SQSClient,
} from '@aws-sdk/client-sqs';
import * as z from 'zod';
import { type Queue, queuesOf } from '../stack/queues.ts';
import type { Resources } from '../stack/resources.ts';
import { type Table, tablesOf } from '../stack/tables.ts';

const TABLE_WAIT_SECONDS = 30;

/** The clients that resources are created with. */
export interface ResourceClients {
  readonly sqs: SQSClient;
  readonly dynamoDb: DynamoDBClient;
}

/**
 * Creates every queue and table of the stack. Keeps those that exist; such a queue gets the attributes described here.
 *
 * @param stagePrefix - the prefix of the contracts' queue names, such as `baton-dev-`
 * @returns the QUEUE_URL_PREFIX of the queues
 */
export async function createResources(
  resources: Resources,
  stagePrefix: string,
  { sqs, dynamoDb }: ResourceClients,
): Promise<string> {
  const tables = Promise.all(tablesOf(resources).map((table) => createTable(dynamoDb, table)));
  const [urls] = await Promise.all([createQueues(sqs, queuesOf(resources)), tables]);
  const [[name, url] = ['', '']] = urls;
  return url.slice(0, url.length - name.length) + stagePrefix;
}

/** Creates dead-letter queues first: a redrive policy needs the ARN of a queue that exists. */
async function createQueues(sqs: SQSClient, queues: readonly Queue[]): Promise<ReadonlyMap<string, string>> {
  const urls = new Map<string, string>();
  const create = async (queue: Queue): Promise<void> => {
    const { name, deadLetters } = queue;
    const Attributes = {
      ...attributesOf(queue),
      ...(deadLetters && { RedrivePolicy: await redrivePolicy(sqs, deadLetters, urls) }),
    };
    urls.set(name, await createQueue(sqs, name, Attributes));
  };
  await Promise.all(queues.filter(({ deadLetters }) => !deadLetters).map(create));
  await Promise.all(queues.filter(({ deadLetters }) => deadLetters).map(create));
  return urls;
}

/**
 * The attributes of a queue for CreateQueue, without those that only AWS supports: tags, and which queues may use a
 * dead-letter queue.
 *
 * @throws Error naming a property that is more than a plain value
 */
export function attributesOf({ id, properties }: Queue): Record<string, string> {
  const { RedriveAllowPolicy: _allowed, Tags: _tags, ...attributes } = properties;
  const texts = Object.entries(attributes).map(([name, value]) => {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      return [name, String(value)];
    throw new Error(
      `${id}.${name}: expected a plain value; the embedded runtime does not understand ${JSON.stringify(value)}`,
    );
  });
  return Object.fromEntries(texts) as Record<string, string>;
}

/** Creates a queue. One that exists with other attributes keeps its messages and gets these. */
async function createQueue(
  sqs: SQSClient,
  QueueName: string,
  Attributes: Record<string, string>,
): Promise<string> {
  try {
    const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName, Attributes }));
    return QueueUrl;
  } catch (error) {
    if (!(error instanceof QueueNameExists)) throw error;
    const { QueueUrl = '' } = await sqs.send(new GetQueueUrlCommand({ QueueName }));
    await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes }));
    return QueueUrl;
  }
}

async function redrivePolicy(
  sqs: SQSClient,
  { name, maxReceiveCount }: NonNullable<Queue['deadLetters']>,
  urls: ReadonlyMap<string, string>,
): Promise<string> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: urls.get(name), AttributeNames: ['QueueArn'] }),
  );
  return JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount });
}

const timeToLiveSchema = z.object({ AttributeName: z.string() }).optional();

/** The members of a table for CreateTable, and the attribute by which its rows expire. Leaves out backups. */
export function definitionOf({ properties }: Table) {
  const { TimeToLiveSpecification, PointInTimeRecoverySpecification: _backup, ...definition } = properties;
  const timeToLive = timeToLiveSchema.parse(TimeToLiveSpecification);
  return { definition, timeToLiveAttribute: timeToLive?.AttributeName };
}

async function createTable(client: DynamoDBClient, table: Table): Promise<void> {
  const { name } = table;
  const { definition, timeToLiveAttribute } = definitionOf(table);
  try {
    await client.send(new CreateTableCommand(definition as unknown as CreateTableCommandInput));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: TABLE_WAIT_SECONDS, minDelay: 1 }, { TableName: name });
  if (timeToLiveAttribute) await expireBy(client, name, timeToLiveAttribute);
}

/** Sets the attribute by which rows expire. Ignores an emulator without a time to live: readers ignore expired rows. */
async function expireBy(client: DynamoDBClient, TableName: string, AttributeName: string): Promise<void> {
  try {
    const TimeToLiveSpecification = { AttributeName, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  } catch (error) {
    const name = Error.isError(error) ? error.name : '';
    if (name !== 'UnknownOperationException' && name !== 'ValidationException') throw error;
  }
}
