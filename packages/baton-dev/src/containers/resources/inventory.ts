// Finds the missing queues and tables of a stack.
import { type DynamoDBClient, paginateListTables } from '@aws-sdk/client-dynamodb';
import { paginateListQueues, type SQSClient } from '@aws-sdk/client-sqs';
import { queuesOf } from '../../stack/queues.ts';
import type { Resources } from '../../stack/resources.ts';
import { tablesOf } from '../../stack/tables.ts';

/**
 * Lists the missing queues and tables of a stack, by their names. Makes two requests, however many there are.
 *
 * @param stagePrefix - the start of all their names, such as `baton-dev-`
 */
export async function missingOf(
  resources: Resources,
  stagePrefix: string,
  { sqs, dynamoDb }: { readonly sqs: SQSClient; readonly dynamoDb: DynamoDBClient },
): Promise<string[]> {
  const [queues, tables] = await Promise.all([queueNames(sqs, stagePrefix), tableNames(dynamoDb)]);
  return [
    ...queuesOf(resources).filter(({ name }) => !queues.has(name)),
    ...tablesOf(resources).filter(({ name }) => !tables.has(name)),
  ].map(({ name }) => name);
}

async function queueNames(client: SQSClient, QueueNamePrefix: string): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { QueueUrls = [] } of paginateListQueues({ client, pageSize: 1000 }, { QueueNamePrefix }))
    for (const url of QueueUrls) names.add(url.slice(url.lastIndexOf('/') + 1));
  return names;
}

async function tableNames(client: DynamoDBClient): Promise<Set<string>> {
  const names = new Set<string>();
  for await (const { TableNames = [] } of paginateListTables({ client }, {}))
    for (const name of TableNames) names.add(name);
  return names;
}
