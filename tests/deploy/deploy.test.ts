import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { DescribeTableCommand, DescribeTimeToLiveCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  GetFunctionConfigurationCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
} from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand } from '@aws-sdk/client-sqs';

import { Deployment } from './deployment.ts';
import { resourcesOf } from './leftovers.ts';
import { policyOf } from './policy.ts';
import { System } from './system.ts';

const deployment = new Deployment();
const system = new System(deployment);
const lambda = new LambdaClient();
const dynamoDb = new DynamoDBClient();

beforeAll(async () => {
  await deployment.deploy();
}, 120_000);
afterAll(async () => {
  await deployment.remove().catch(() => undefined);
}, 120_000);

describe('sls deploy', () => {
  test('makes every queue as the template has it', async () => {
    const queues = await deployment.described('AWS::SQS::Queue');
    expect(queues.length).toBeGreaterThanOrEqual(2);
    for (const [id, { QueueName, RedrivePolicy, RedriveAllowPolicy, ...plain }] of queues) {
      const QueueUrl = deployment.physicalId(id);
      expect(QueueUrl.endsWith(`/${String(QueueName)}`)).toBe(true);
      const { Attributes }: { Attributes?: Record<string, string> | undefined } = await deployment.sqs.send(
        new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }),
      );
      const texts = Object.entries(plain).map(([name, value]) => [name, String(value)]);
      expect(Attributes).toMatchObject(Object.fromEntries(texts) as Record<string, string>);
      for (const [name, policy] of Object.entries({ RedrivePolicy, RedriveAllowPolicy })) {
        const expected = policy === undefined ? undefined : deployment.filledIn(policy);
        expect([id, name, parsed(Attributes?.[name])]).toEqual([id, name, expected]);
      }
    }
  });

  test('makes every table as the template has it', async () => {
    const tables = await deployment.described('AWS::DynamoDB::Table');
    expect(tables.length).toBeGreaterThanOrEqual(1);
    for (const [id, properties] of tables) {
      const TableName = deployment.physicalId(id);
      const { Table } = await dynamoDb.send(new DescribeTableCommand({ TableName }));
      expect(Table).toMatchObject({
        TableName: properties['TableName'],
        KeySchema: properties['KeySchema'],
        BillingModeSummary: { BillingMode: properties['BillingMode'] },
      });
      const indexes = properties['GlobalSecondaryIndexes'] as { IndexName: string; Projection: object }[];
      expect(Table?.GlobalSecondaryIndexes?.map(({ IndexName }) => IndexName).toSorted()).toEqual(
        indexes.map(({ IndexName }) => IndexName).toSorted(),
      );
      const { TimeToLiveDescription } = await dynamoDb.send(new DescribeTimeToLiveCommand({ TableName }));
      expect(TimeToLiveDescription).toEqual({ AttributeName: 'expiresAt', TimeToLiveStatus: 'ENABLED' });
    }
  });

  test('makes every role as the template has it', async () => {
    const roles = await deployment.described('AWS::IAM::Role');
    expect(roles.length).toBeGreaterThanOrEqual(2);
    for (const [id, { Policies }] of roles) {
      const [{ PolicyDocument } = { PolicyDocument: {} }] = Policies as { PolicyDocument: object }[];
      expect([id, await policyOf(deployment.physicalId(id))]).toEqual([
        id,
        deployment.filledIn(PolicyDocument),
      ]);
    }
  });

  test('makes every function as the template has it', async () => {
    const functions = await deployment.described('AWS::Lambda::Function');
    expect(functions.length).toBeGreaterThanOrEqual(2);
    for (const [
      id,
      { Environment, Role, Handler, Runtime, Timeout, MemorySize, Architectures },
    ] of functions) {
      const FunctionName = deployment.physicalId(id);
      const made = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
      expect(made).toMatchObject({ Handler, Runtime, Timeout, MemorySize, Architectures });
      expect(made).toMatchObject({ Role: deployment.filledIn(Role) });
      const { Variables } = Environment as { Variables: Record<string, unknown> };
      // Where queues are is the emulator's own, up to the account
      const { QUEUE_URL_PREFIX: prefix = '', ...variables } = made.Environment?.Variables ?? {};
      expect(prefix.endsWith(`/${deployment.queueUrlPrefix.split('/').slice(-2).join('/')}`)).toBe(true);
      const { QUEUE_URL_PREFIX: _prefix, ...expected } = Variables;
      expect(variables).toEqual(deployment.filledIn(expected));
    }
  });

  test('makes every event source as the template has it', async () => {
    const mappings = await deployment.described('AWS::Lambda::EventSourceMapping');
    expect(mappings.length).toBeGreaterThanOrEqual(1);
    for (const [id, properties] of mappings) {
      const { BatchSize, FunctionResponseTypes, ScalingConfig, FunctionName, EventSourceArn } = properties;
      const { EventSourceMappings = [] } = await lambda.send(
        new ListEventSourceMappingsCommand({ EventSourceArn: String(deployment.filledIn(EventSourceArn)) }),
      );
      expect([id, EventSourceMappings.length]).toEqual([id, 1]);
      expect(EventSourceMappings[0]).toMatchObject({
        BatchSize,
        FunctionResponseTypes,
        ScalingConfig,
        FunctionArn: deployment.filledIn(FunctionName),
      });
    }
  });
});

describe('a message that no function can run', () => {
  test('of each queue is set aside as it came where it is no task at all', async () => {
    const queues = await deployment.described('AWS::SQS::Queue');
    const consumed = queues.flatMap(([, { QueueName, RedrivePolicy }]) =>
      RedrivePolicy === undefined ? [] : [String(QueueName).slice(deployment.prefix.length)],
    );
    expect(consumed).toContain('default');
    const bodies = new Map(consumed.map((queue) => [queue, `no task ${randomUUID()}`]));
    for (const [queue, body] of bodies) await system.send(queue, body);
    for (const [queue, body] of bodies)
      await expect(system.deadLetter(queue, body)).resolves.toMatchObject({ body, reason: 'malformed' });
  });
});

describe('afterwards', () => {
  test('one function alone gets its code anew, by its bundle, and keeps its role', async () => {
    const FunctionName = `${deployment.prefix}taskServiceApi`;
    const before = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    await expect(deployment.deployFunction('taskServiceApi')).resolves.toContain('Function code deployed');
    const after = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(after).toMatchObject({
      CodeSha256: before.CodeSha256,
      CodeSize: before.CodeSize,
      Role: before.Role,
    });
    expect((await system.ask('GET', '/tasks')).status).toBe(200);
  }, 120_000);

  test('a second deploy says that nothing has changed', async () => {
    await expect(deployment.deploy()).resolves.toContain('No changes to deploy');
  }, 120_000);

  test('a changed one updates what has changed', async () => {
    await expect(deployment.deploy(['--param=revision=changed'])).resolves.toContain('Service deployed');
    const FunctionName = `${deployment.prefix}taskServiceApi`;
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(Environment?.Variables).toMatchObject({ REVISION: 'changed' });
  }, 120_000);

  test('sls remove leaves nothing', async () => {
    expect((await resourcesOf(deployment)).length).toBeGreaterThan(8);
    await expect(deployment.remove()).resolves.toContain('successfully removed');
    expect(await resourcesOf(deployment)).toEqual([]);
  }, 120_000);
});

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}
