import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  ListTablesCommand,
} from '@aws-sdk/client-dynamodb';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { eventually } from '../../../testing/eventually.ts';
import { freePort, Program } from '../../../testing/program.ts';
import { readWorkerConfig } from 'baton-tasks/tooling/processes';
import { type Emulator, startDynamoDb, startSqs } from '../../../embedded/emulators.ts';
import { arnOf, QUEUE, TABLE } from '../../../stack/resources.ts';
import { readStackFile, type StackFile } from '../../stack-file.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };

let folder: string;
let sqsPort: number;
let sqs: Emulator;
let dynamoDb: Emulator;
let sqsClient: SQSClient;
let dynamoDbClient: DynamoDBClient;
let environment: Record<string, string>;
const programs: Program[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'baton-'));
  sqsPort = await freePort();
  sqs = await startSqs(sqsPort);
  dynamoDb = await startDynamoDb(0);
  const client = { region: 'us-east-1', credentials };
  sqsClient = new SQSClient({ ...client, endpoint: sqs.endpoint });
  dynamoDbClient = new DynamoDBClient({ ...client, endpoint: dynamoDb.endpoint });
  environment = {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_ENDPOINT_URL: sqs.endpoint,
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    EVENT_SOURCES_FILE: join(folder, 'event-sources.json'),
    STACK_FILE: join(folder, 'stack.json'),
    PORT: String(await freePort()),
  };
});
afterEach(async () => {
  for (const program of programs.splice(0)) await program.stop('SIGKILL');
  sqsClient.destroy();
  dynamoDbClient.destroy();
  await Promise.all([sqs.stop(), dynamoDb.stop()]);
  rmSync(folder, { recursive: true });
});

/** Adds a service to the repository's stack: a queue, a table, and a function that consumes the queue. */
function addLetters(path: string): void {
  const { functions, resources, ...others } = readStackFile(path);
  const deliveries = {
    handler: 'functions/letters-service/handlers.deliveries',
    events: [{ sqs: { arn: arnOf('LettersQueue') } }],
  };
  const QueueName = 'baton-dev-letters';
  const RedrivePolicy = { deadLetterTargetArn: arnOf('LettersDeadLetters'), maxReceiveCount: 30 };
  const letters = {
    LettersQueue: { Type: QUEUE, Properties: { QueueName, RedrivePolicy } },
    LettersDeadLetters: { Type: QUEUE, Properties: { QueueName: `${QueueName}-dlq` } },
    LettersTable: {
      Type: TABLE,
      Properties: {
        TableName: 'baton-dev-letters',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'letterId', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'letterId', KeyType: 'HASH' }],
      },
    },
  };
  const file: StackFile = {
    ...others,
    functions: { ...functions, lettersServiceDeliveries: deliveries },
    resources: { ...resources, ...letters },
  };
  writeFileSync(path, JSON.stringify(file));
}

beforeEach(async () => {
  const describing = new Program('packages/baton-dev/src/containers/describe-stack.ts', {}, [
    environment['STACK_FILE'] ?? '',
  ]);
  if ((await describing.ended()) !== 0) throw new Error(describing.output);
  addLetters(environment['STACK_FILE'] ?? '');
});

function start(...args: string[]): Program {
  const program = new Program('packages/baton-dev/src/containers/resources/main.ts', environment, args);
  programs.push(program);
  return program;
}

async function queues(): Promise<string[]> {
  const { QueueUrls = [] } = await sqsClient.send(new ListQueuesCommand({}));
  return QueueUrls.map((url) => url.slice(url.lastIndexOf('/') + 1));
}

async function tables(): Promise<string[]> {
  const { TableNames = [] } = await dynamoDbClient.send(new ListTablesCommand({}));
  return TableNames;
}

async function madeAt(TableName: string): Promise<number | undefined> {
  const { Table } = await dynamoDbClient.send(new DescribeTableCommand({ TableName }));
  return Table?.CreationDateTime?.getTime();
}

const ready = () =>
  fetch(`http://127.0.0.1:${environment['PORT']}/health/ready`).then(
    async (response) => ({ status: response.status, text: await response.text() }),
    () => undefined,
  );

describe('the resources', () => {
  test('of all services are created once with --once, and the event sources are written for the worker', async () => {
    const program = start('--once');
    await expect(program.ended()).resolves.toBe(0);
    expect(await queues()).toEqual(
      expect.arrayContaining(['baton-dev-letters', 'baton-dev-letters-dlq', 'baton-dev-default']),
    );
    expect(await tables()).toEqual(expect.arrayContaining(['baton-dev-letters', 'baton-dev-tasks']));
    const { lambdaQueues } = readWorkerConfig({
      AWS_REGION: 'us-east-1',
      TASKS_TABLE: 'baton-dev-tasks',
      QUEUE_URL_PREFIX: `${sqs.endpoint}/000000000000/baton-dev-`,
      WORKER_LAMBDA_QUEUES_FILE: environment['EVENT_SOURCES_FILE'],
    });
    expect(lambdaQueues.map(({ queue, functionName }) => [queue, functionName])).toEqual(
      expect.arrayContaining([['letters', 'baton-dev-lettersServiceDeliveries']]),
    );
  });

  test('are created again after the emulator has lost them, and the service is unhealthy until then', async () => {
    const program = start();
    await eventually('all resources', async () => (await ready())?.status === 200);
    await sqs.stop();
    await eventually('not ready', async () => (await ready())?.status === 503);
    expect((await ready())?.text).toBe('{"status":"unavailable"}');
    expect(program.output).toContain('ECONNREFUSED');
    sqs = await startSqs(sqsPort);
    await eventually('ready again', async () => (await ready())?.status === 200);
    expect(await queues()).toContain('baton-dev-letters');
    const before = await madeAt('baton-dev-tasks');
    await dynamoDbClient.send(new DeleteTableCommand({ TableName: 'baton-dev-tasks' }));
    await eventually('another table', async () => {
      const now = await madeAt('baton-dev-tasks').catch(() => undefined);
      return now !== undefined && now !== before;
    });
    await expect(program.stop()).resolves.toBe(0);
  });

  test('have a secret for those who invoke functions, which stays the same', async () => {
    const file = join(folder, 'functions-token');
    environment['FUNCTIONS_TOKEN_FILE'] = file;
    await expect(start('--once').ended()).resolves.toBe(0);
    const secret = readFileSync(file, 'utf8');
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(statSync(file).mode & 0o777).toBe(0o400);
    await expect(start('--once').ended()).resolves.toBe(0);
    expect(readFileSync(file, 'utf8')).toBe(secret);
  });

  test.each([
    ['FUNCTIONS_TOKEN_FILE', '/nowhere/at/all', 'FUNCTIONS_TOKEN_FILE cannot be written: ENOENT'],
    ['AWS_ENDPOINT_URL', '', 'is not set'],
    ['EVENT_SOURCES_FILE', '/nowhere/at/all', 'EVENT_SOURCES_FILE cannot be written: ENOENT'],
    ['STACK_FILE', '/nowhere/at/all', 'STACK_FILE cannot be read: ENOENT'],
  ])('are not created if %s is %j', async (name, value, says) => {
    environment[name] = value;
    const program = start();
    await expect(program.ended()).resolves.toBe(1);
    expect(program.output).toContain(name);
    expect(program.output).toContain(says);
    expect(program.output).not.toContain('    at ');
  });
});
