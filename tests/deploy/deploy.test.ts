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
  test('creates every queue as in the template', async () => {
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

  test('creates every table as in the template', async () => {
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

  test('creates every role as in the template', async () => {
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

  test('creates every function as in the template', async () => {
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
      // The emulator has its own host for queues, so only the end of the prefix is compared
      const { QUEUE_URL_PREFIX: prefix = '', ...variables } = made.Environment?.Variables ?? {};
      expect(prefix.endsWith(`/${deployment.queueUrlPrefix.split('/').slice(-2).join('/')}`)).toBe(true);
      const { QUEUE_URL_PREFIX: _prefix, ...expected } = Variables;
      expect(variables).toEqual(deployment.filledIn(expected));
    }
  });

  test('creates every event source as in the template', async () => {
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

describe('a message that is not a task', () => {
  test('becomes a dead letter with its original body, in each queue', async () => {
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

describe('after a deploy', () => {
  test('a deploy of one function uploads its bundle, and keeps its role', async () => {
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

  test('a second deploy reports no changes', async () => {
    await expect(deployment.deploy()).resolves.toContain('No changes to deploy');
  }, 120_000);

  test('a deploy with a changed parameter updates the functions', async () => {
    await expect(deployment.deploy(['--param=revision=changed'])).resolves.toContain('Service deployed');
    const FunctionName = `${deployment.prefix}taskServiceApi`;
    const { Environment } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName }));
    expect(Environment?.Variables).toMatchObject({ REVISION: 'changed' });
  }, 120_000);

  test('sls remove of a protected stage wants its name as a word', async () => {
    const refused = deployment.remove(['--param=protect=yes']);
    await expect(refused).rejects.toThrow(`expected --param="remove=${deployment.stage}"`);
    expect((await resourcesOf(deployment)).length).toBeGreaterThan(8);
  }, 120_000);

  test('sls remove leaves no resources', async () => {
    expect((await resourcesOf(deployment)).length).toBeGreaterThan(8);
    await expect(deployment.remove()).resolves.toContain('successfully removed');
    expect(await resourcesOf(deployment)).toEqual([]);
  }, 120_000);
});

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}
