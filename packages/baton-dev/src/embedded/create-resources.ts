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
import { type QueueDescription, queuesOf, type Resources, type TableDescription, tablesOf } from './stack.ts';

const TABLE_WAIT_SECONDS = 30;

/** The clients that resources are created with. */
export interface ResourceClients {
  readonly sqs: SQSClient;
  readonly dynamoDb: DynamoDBClient;
}

/**
 * Creates every queue and table of the stack; what is there already is kept, queues with these attributes.
 *
 * @param stagePrefix - what stands before the contracts' queue names, such as `baton-dev-`
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

/** Dead letter queues come first: a redrive policy names a queue that is there. */
async function createQueues(
  sqs: SQSClient,
  queues: readonly QueueDescription[],
): Promise<ReadonlyMap<string, string>> {
  const urls = new Map<string, string>();
  const create = async ({ name, attributes, redrive }: QueueDescription): Promise<void> => {
    const Attributes = {
      ...attributes,
      ...(redrive && { RedrivePolicy: await redrivePolicy(sqs, redrive, urls) }),
    };
    urls.set(name, await createQueue(sqs, name, Attributes));
  };
  await Promise.all(queues.filter(({ redrive }) => !redrive).map(create));
  await Promise.all(queues.filter(({ redrive }) => redrive).map(create));
  return urls;
}

/** A queue that is there with other attributes keeps its messages and gets these. */
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
  { to, maxReceiveCount }: NonNullable<QueueDescription['redrive']>,
  urls: ReadonlyMap<string, string>,
): Promise<string> {
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: urls.get(to), AttributeNames: ['QueueArn'] }),
  );
  return JSON.stringify({ deadLetterTargetArn: Attributes?.QueueArn, maxReceiveCount });
}

async function createTable(
  client: DynamoDBClient,
  { name, properties, timeToLiveAttribute }: TableDescription,
): Promise<void> {
  try {
    await client.send(new CreateTableCommand(properties as unknown as CreateTableCommandInput));
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error;
  }
  await waitUntilTableExists({ client, maxWaitTime: TABLE_WAIT_SECONDS, minDelay: 1 }, { TableName: name });
  if (timeToLiveAttribute) await expireBy(client, name, timeToLiveAttribute);
}

/** An emulator without a time to live keeps its rows for longer, which no reader notices. */
async function expireBy(client: DynamoDBClient, TableName: string, AttributeName: string): Promise<void> {
  try {
    const TimeToLiveSpecification = { AttributeName, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification }));
  } catch (error) {
    const name = Error.isError(error) ? error.name : '';
    if (name !== 'UnknownOperationException' && name !== 'ValidationException') throw error;
  }
}
