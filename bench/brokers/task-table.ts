import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { createResources } from 'baton-dev/embedded/create-resources';
import { readResources } from 'baton-dev/stack/described-stack';
import { CountingServer, type RequestCounts } from './counting-server.ts';

const STAGE = 'bench';
const CLIENT = { region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'BatchWriteItem', 'TransactWriteItems'];

/** A DynamoDB emulator with a task store's table. */
export interface TaskTable {
  /** Environment variables for a program to reach the table. */
  readonly environment: Readonly<Record<string, string>>;
  /** The number of writes since the last call. Resets it. */
  takeWrites(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts dynalite in a process of its own, and creates the table. */
export async function startTaskTable(): Promise<TaskTable> {
  const server = await CountingServer.start('dynalite-server.ts');
  const { endpoint } = server;
  const dynamoDb = new DynamoDBClient({ ...CLIENT, endpoint });
  // Never used, because the library describes only a table
  const sqs = new SQSClient(CLIENT);
  await createResources(await readResources([], STAGE), `baton-${STAGE}-`, { sqs, dynamoDb });
  dynamoDb.destroy();
  return {
    environment: { AWS_ENDPOINT_URL_DYNAMODB: endpoint, TASKS_TABLE: `baton-${STAGE}-tasks` },
    takeWrites: async () => writesIn(await server.takeCounts()),
    stop: () => server.stop(),
  };
}

function writesIn(counts: RequestCounts): number {
  return WRITES.reduce((sum, action) => sum + (counts[action] ?? 0), 0);
}
