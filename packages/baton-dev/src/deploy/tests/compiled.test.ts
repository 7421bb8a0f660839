import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from '@jest/globals';
import {
  allowedBy,
  compile,
  consumes,
  logs,
  ofType,
  sends,
  statementsOf,
  type Template,
  uses,
} from '../../testing/compiled-stack.ts';

let template: Template;
let otherStage: Template;
const KEYS = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:baton/signing-AbCdEf:keys';

beforeAll(async () => {
  template = await compile();
  const other = [
    'log-retention-days=14',
    'revision=0123abc',
    'unknown-task-patience-seconds=60',
    `signing-keys=${KEYS}`,
    'signing=require',
  ];
  otherStage = await compile(['--stage', 'other', ...other.map((param) => `--param=${param}`)]);
}, 60_000);

/** The queues with an event source for a function. */
const consumedBy = (functionId: string): string[] =>
  ofType(template, 'AWS::Lambda::EventSourceMapping')
    .filter(({ properties }) => attributeId(properties['FunctionName']) === functionId)
    .map(({ properties }) => attributeId(properties['EventSourceArn']));
const attributeId = (value: unknown): string => (value as { 'Fn::GetAtt': string[] })['Fn::GetAtt'][0] ?? '';

describe('the role of each function', () => {
  test('of the worker and of task-service allows only what it uses, and its own log', () => {
    /** The queues where listeners may be. */
    const queues = ofType(template, 'AWS::SQS::Queue').filter(
      ({ properties }) => properties['RedrivePolicy'],
    );
    const all = queues.map(({ id }) => id);
    const consumed = consumedBy('WorkerLambdaFunction');
    const deadLetters = queues
      .filter(({ id }) => consumed.includes(id))
      .map(({ properties }) => targetOf(properties)['Fn::GetAtt']?.[0] ?? '');
    expect(consumed).toContain('DefaultQueue');
    expect(allowedBy(template, 'WorkerRole')).toEqual(
      [
        ...logs('Worker'),
        ...consumed.flatMap(consumes),
        ...sends(...new Set(deadLetters), ...all),
        ...uses('TasksTable', 'BatchGetItem', 'GetItem', 'UpdateItem'),
      ].toSorted(),
    );
    expect(allowedBy(template, 'TaskServiceApiRole')).toEqual(
      [
        ...logs('TaskServiceApi'),
        ...sends(...all),
        ...uses('TasksTable', 'GetItem', 'UpdateItem'),
        ...uses('TasksTable/index/newest-first', 'Query'),
        ...uses('TasksTable/index/newest-first-by-name', 'Query'),
        ...uses('TasksTable/index/newest-first-by-state', 'Query'),
      ].toSorted(),
    );
  });

  test('can be assumed by Lambda', () => {
    for (const { properties } of ofType(template, 'AWS::IAM::Role'))
      expect(properties['AssumeRolePolicyDocument']).toMatchObject({
        Statement: [
          { Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' },
        ],
      });
  });

  test('belongs to that function alone', () => {
    const roles = ofType(template, 'AWS::IAM::Role').map(({ id }) => id);
    const functions = ofType(template, 'AWS::Lambda::Function').map(({ id }) => id);
    expect(functions.length).toBeGreaterThanOrEqual(2);
    expect(roles.toSorted()).toEqual(functions.map((id) => id.replace('LambdaFunction', 'Role')).toSorted());
    for (const { id, properties } of ofType(template, 'AWS::Lambda::Function'))
      expect(attributeId(properties['Role'])).toBe(id.replace('LambdaFunction', 'Role'));
  });

  test('has no wildcard', () => {
    const texts = ofType(template, 'AWS::IAM::Role').map(({ id }) =>
      JSON.stringify(statementsOf(template, id)),
    );
    expect(texts.filter((text) => text.includes('*'))).toEqual([]);
  });
});

const targetOf = ({ RedrivePolicy }: Readonly<Record<string, unknown>>) =>
  (RedrivePolicy as { deadLetterTargetArn: Record<string, string[]> }).deadLetterTargetArn;

describe('every queue', () => {
  test('is encrypted, and has its own dead-letter queue, which keeps messages longer', () => {
    const queues = ofType(template, 'AWS::SQS::Queue');
    const sources = queues.filter(({ properties }) => properties['RedrivePolicy'] !== undefined);
    expect(sources.length).toBeGreaterThanOrEqual(1);
    const targets = new Set(sources.map(({ properties }) => JSON.stringify(targetOf(properties))));
    expect(queues.length).toBe(sources.length + targets.size);
    for (const { properties } of queues) expect(properties).toMatchObject({ SqsManagedSseEnabled: true });
    for (const { properties } of sources) {
      const { maxReceiveCount } = properties['RedrivePolicy'] as { maxReceiveCount: number };
      // Workers send dead letters with a reason. SQS, which gives none, moves a message only long after
      expect(maxReceiveCount).toBeGreaterThanOrEqual(30);
      const [deadLettersId = ''] = targetOf(properties)['Fn::GetAtt'] ?? [];
      const deadLetters = template.Resources[deadLettersId]?.Properties ?? {};
      expect(deadLetters['MessageRetentionPeriod']).toBeGreaterThan(
        Number(properties['MessageRetentionPeriod']),
      );
      expect(deadLetters['RedriveAllowPolicy']).toEqual({
        redrivePermission: 'byQueue',
        // Only its own queue: lanes share the dead-letter queue of their queue
        sourceQueueArns: sources
          .filter((each) => isDeepStrictEqual(targetOf(each.properties), targetOf(properties)))
          .map((each) => ({
            'Fn::Sub': `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:${String(each.properties['QueueName'])}`,
          })),
      });
    }
  });

  test('has its URL in the outputs, as the API has', () => {
    const ids = ofType(template, 'AWS::SQS::Queue').map(({ id }) => id);
    for (const id of ids) expect(template.Outputs[`${id}Url`]?.Value).toEqual({ Ref: id });
    expect(template.Outputs).toHaveProperty('HttpApiUrl');
  });

  test('has its alarms, as every function has', () => {
    const alarms = ofType(template, 'AWS::CloudWatch::Alarm');
    const text = (id: string): string => JSON.stringify(alarms.find((alarm) => alarm.id === id)?.properties);
    for (const { id, properties } of ofType(template, 'AWS::SQS::Queue')) {
      const name = JSON.stringify({ Name: 'QueueName', Value: { 'Fn::GetAtt': [id, 'QueueName'] } });
      const alarm = text(properties['RedrivePolicy'] === undefined ? `${id}NotEmptyAlarm` : `${id}AgeAlarm`);
      expect(alarm).toContain(name);
    }
    for (const { id } of ofType(template, 'AWS::Lambda::Function'))
      expect(text(`${id}ErrorsAlarm`)).toContain(
        JSON.stringify([{ Name: 'FunctionName', Value: { Ref: id } }]),
      );
  });
});

describe('every event source', () => {
  test('reports failed messages of a batch, has limits, and its queue hides messages for long enough', () => {
    const mappings = ofType(template, 'AWS::Lambda::EventSourceMapping');
    expect(mappings.length).toBeGreaterThanOrEqual(1);
    for (const { properties } of mappings) {
      const { FunctionName, EventSourceArn, ScalingConfig, MaximumBatchingWindowInSeconds = 0 } = properties;
      const functionId = attributeId(FunctionName);
      const queueId = attributeId(EventSourceArn);
      const { Timeout, ReservedConcurrentExecutions } = template.Resources[functionId]?.Properties ?? {};
      const { VisibilityTimeout } = template.Resources[queueId]?.Properties ?? {};
      const { MaximumConcurrency } = ScalingConfig as { MaximumConcurrency: number };
      expect(properties['FunctionResponseTypes']).toEqual(['ReportBatchItemFailures']);
      expect(MaximumConcurrency).toBeGreaterThanOrEqual(2);
      expect(VisibilityTimeout).toBeGreaterThanOrEqual(
        6 * Number(Timeout) + Number(MaximumBatchingWindowInSeconds),
      );
      expect(ReservedConcurrentExecutions ?? Infinity).toBeGreaterThanOrEqual(MaximumConcurrency);
      expect(allowedBy(template, functionId.replace('LambdaFunction', 'Role'))).toEqual(
        expect.arrayContaining(consumes(queueId)),
      );
    }
  });
});

test('every table can be restored to any second of the last 35 days, and deletes expired rows', () => {
  const tables = ofType(template, 'AWS::DynamoDB::Table');
  expect(tables.length).toBeGreaterThanOrEqual(1);
  for (const { properties } of tables) {
    expect(properties).toMatchObject({
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      BillingMode: 'PAY_PER_REQUEST',
    });
  }
});

test('every function has a log, which is kept for 30 days or as long as a deploy says', () => {
  const groups = ofType(template, 'AWS::Logs::LogGroup');
  expect(groups.length).toBe(ofType(template, 'AWS::Lambda::Function').length + 1);
  for (const { properties } of groups) expect(properties).toMatchObject({ RetentionInDays: 30 });
  for (const { properties } of ofType(otherStage, 'AWS::Logs::LogGroup'))
    expect(properties).toMatchObject({ RetentionInDays: 14 });
});

test("every function ends before its API's timeout, and uses the cheaper architecture", () => {
  const functions = ofType(template, 'AWS::Lambda::Function');
  const ofApi = functions.filter(({ id }) => id.endsWith('ApiLambdaFunction'));
  expect(ofApi.length).toBeGreaterThanOrEqual(1);
  for (const { properties } of functions) expect(properties).toMatchObject({ Architectures: ['arm64'] });
  for (const { properties } of ofApi) expect(properties['Timeout']).toBeLessThan(30);
});

test('every function has the revision, the patience and the keys of its deploy, and a consumer may send to itself', () => {
  const functions = ofType(template, 'AWS::Lambda::Function');
  const consumers = new Set(
    ofType(template, 'AWS::Lambda::EventSourceMapping').map(({ properties }) =>
      attributeId(properties['FunctionName']),
    ),
  );
  for (const { id, properties } of functions) {
    const { Variables } = properties['Environment'] as { Variables: Record<string, unknown> };
    expect(Variables).toMatchObject({
      REVISION: 'unknown',
      UNKNOWN_TASK_PATIENCE_SECONDS: '21600',
      TASK_SIGNING: '',
    });
    expect([id, properties['RecursiveLoop']]).toEqual([id, consumers.has(id) ? 'Allow' : undefined]);
  }
  for (const { properties } of ofType(otherStage, 'AWS::Lambda::Function'))
    expect(properties['Environment']).toMatchObject({
      Variables: {
        REVISION: '0123abc',
        UNKNOWN_TASK_PATIENCE_SECONDS: '60',
        TASK_SIGNING_KEYS_SECRET: KEYS,
        TASK_SIGNING: 'require',
      },
    });
});

describe('the API', () => {
  const routesIn = ({ Resources }: Template) =>
    Object.fromEntries(
      ofType({ Resources }, 'AWS::ApiGatewayV2::Route').map(({ properties }) => [
        String(properties['RouteKey']),
        [properties['AuthorizationType'] ?? 'NONE', properties['AuthorizationScopes'] ?? []],
      ]),
    );

  test('asks for a token with the scopes that api.ts declares, and for one everywhere else but in preflights', () => {
    const routes = routesIn(template);
    expect(routes).toMatchObject({
      'GET /tasks': ['JWT', ['operator']],
      'HEAD /tasks/{taskId}': ['JWT', ['operator']],
      'POST /tasks/{taskId}/cancel': ['JWT', ['operator']],
      'ANY /tasks/{proxy+}': ['JWT', []],
      'OPTIONS /tasks/{proxy+}': ['NONE', []],
    });
    const open = Object.entries(routes).filter(([, [type]]) => type !== 'JWT');
    expect(open.filter(([key]) => !key.startsWith('OPTIONS '))).toEqual([]);
  });

  test('is open only if a deploy says so, and then its functions say it too', async () => {
    const open = await compile([], ['--param=public=yes']);
    expect(Object.values(routesIn(open)).every(([type]) => type === 'NONE')).toBe(true);
    expect(open.Resources['TaskServiceApiLambdaFunction']?.Properties['Environment']).toMatchObject({
      Variables: { AUTHENTICATION: 'none' },
    });
  });

  test.each([
    [[], '--param="jwt-issuer=https://login.example.com" --param="jwt-audience=my-api"'],
    [[], '--param="public=yes"'],
    [['--param=public=no'], 'does not say who may call the API'],
    [['--param=api=http'], 'does not say who may call the API'],
  ])('is refused if the parameters %j do not say who may call it', async (args, says) => {
    await expect(compile(args, [])).rejects.toThrow(says);
  });
});

test('the API has its own limits, and a log of its requests', () => {
  expect(template.Resources['HttpApiStage']?.Properties).toMatchObject({
    DefaultRouteSettings: { ThrottlingRateLimit: 100, ThrottlingBurstLimit: 200 },
    AccessLogSettings: { DestinationArn: { 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] } },
  });
});

test('the log of requests has no addresses of callers and nothing else that they send, but the method', () => {
  const log = template.Resources['HttpApiStage']?.Properties['AccessLogSettings'] as
    { Format: string } | undefined;
  expect(JSON.parse(log?.Format ?? '')).toEqual({
    requestId: '$context.requestId',
    requestTime: '$context.requestTime',
    httpMethod: '$context.httpMethod',
    routeKey: '$context.routeKey',
    status: '$context.status',
    protocol: '$context.protocol',
    responseLength: '$context.responseLength',
  });
});

test('a REST API always compiles to the same template, and its deployment does not create the stage', async () => {
  const api = ({ Resources }: Template) =>
    Object.entries(Resources).filter(([, { Type }]) => /^AWS::ApiGateway::(Deployment|Stage)$/.test(Type));
  const [first, second] = [await compile(['--param=api=http']), await compile(['--param=api=http'])];
  expect(api(first)).toHaveLength(2);
  expect(api(second)).toEqual(api(first));
  const [, deployment] = api(first).find(([, { Type }]) => Type === 'AWS::ApiGateway::Deployment') ?? [];
  expect(deployment?.Properties).toMatchObject({ StageName: { Ref: 'AWS::NoValue' } });
  expect(deployment?.Properties).not.toHaveProperty('StageDescription');
}, 60_000);

test('two stages have no names in common', () => {
  const names = ({ Resources }: Template): string[] =>
    Object.values(Resources).flatMap(({ Type, Properties }) =>
      // An authorizer is a part of its API
      Object.entries(Type === 'AWS::ApiGatewayV2::Authorizer' ? {} : Properties)
        .filter(([property, value]) => /^(\w+)?Name$/.test(property) && typeof value === 'string')
        // Except the API's own stage, and metrics, whose names come from AWS
        .filter(([property]) => property !== 'StageName' && property !== 'MetricName')
        .map(([, value]) => String(value)),
    );
  const ofDev = names(template);
  expect(ofDev.length).toBeGreaterThanOrEqual(8);
  expect(names(otherStage).filter((name) => ofDev.includes(name))).toEqual([]);
  expect(JSON.stringify(otherStage)).not.toContain('baton-dev');
});
