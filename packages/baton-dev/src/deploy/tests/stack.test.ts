import { describe, expect, test } from '@jest/globals';
import { SENDER_ATTRIBUTES } from 'baton-tasks/tooling';
import { readParameters } from '../parameters.ts';
import { fargateWorker } from '../fargate-worker.ts';
import { functionId } from '../functions.ts';
import type { Part } from '../../stack/part.ts';
import { StackError } from '../../stack/stack-error.ts';
import { allowedBy, ofType, statementsOf } from '../../testing/compiled-stack.ts';
import { fargate, stackOf } from './described.ts';

interface ScalingConfig {
  readonly TargetValue: number;
  readonly CustomizedMetricSpecification: {
    readonly Metrics: readonly { readonly Id: string; readonly Expression?: string }[];
  };
}

describe('the worker', () => {
  test('on Fargate is a service instead of the function, with the same rights', () => {
    const { functions, resources } = stackOf(fargate);
    expect(functions).not.toHaveProperty('worker');
    const asFunction = allowedBy(stackOf().resources, 'WorkerRole');
    // Only Lambda's event source reads a queue's attributes, and another role writes the log
    const expected = asFunction.filter((each) => !/^(logs:|sqs:GetQueueAttributes)/.test(each));
    expect(expected.length).toBeGreaterThan(10);
    expect(allowedBy(resources, 'WorkerTaskRole')).toEqual(expected);
    expect(resources.Resources['WorkerService']?.Properties).toMatchObject({
      LaunchType: 'FARGATE',
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: ['subnet-1', 'subnet-2'],
          SecurityGroups: ['sg-1'],
          AssignPublicIp: 'DISABLED',
        },
      },
    });
  });

  test('on Fargate polls the queues of the function, and has more time to stop than to drain', () => {
    const { Properties } = stackOf(fargate).resources.Resources['WorkerTask'] ?? {};
    const [container] = (Properties?.['ContainerDefinitions'] ?? []) as Record<string, unknown>[];
    expect(container).toMatchObject({
      Image: fargate['worker-image'],
      ReadonlyRootFilesystem: true,
      LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
    });
    const variables = container?.['Environment'] as { Name: string; Value: string }[];
    const { WORKER_QUEUES, TASKS_TABLE, WORKER_DRAIN_TIMEOUT_SECONDS } = Object.fromEntries(
      variables.map(({ Name, Value }) => [Name, Value]),
    );
    expect([WORKER_QUEUES, TASKS_TABLE]).toEqual(['default,parcels', 'baton-dev-tasks']);
    expect(container?.['StopTimeout']).toBeGreaterThan(Number(WORKER_DRAIN_TIMEOUT_SECONDS) + 40);
    expect(container?.['StopTimeout']).toBeLessThanOrEqual(120);
  });

  test('on Fargate has the variables of its functions.yml, and the ARNs of its secrets', () => {
    const environment = { SHOP: 'Baton', LOG_LEVEL: 'debug' };
    const arn = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop-AbCdEf';
    const { WorkerTask, WorkerTaskRole } = fargateWorker({
      worker: {
        handler: 'worker/lambda.handler',
        access: { secrets: { SHOP_PASSWORD: 'shop-password', OTHER: 'not-given' } },
        environment,
      },
      resources: {},
      parameters: readParameters(fargate).fargate,
      secrets: { 'shop-password': `${arn}:key` },
      environment: { LOG_LEVEL: 'info', TASKS_TABLE: 'baton-dev-tasks' },
      logRetentionDays: 30,
      stagePrefix: 'baton-dev-',
    });
    const Environment: unknown = expect.arrayContaining([
      { Name: 'SHOP', Value: 'Baton' },
      { Name: 'LOG_LEVEL', Value: 'debug' },
      { Name: 'SHOP_PASSWORD_SECRET', Value: `${arn}:key` },
    ]);
    expect(WorkerTask?.Properties).toMatchObject({ ContainerDefinitions: [{ Environment }] });
    expect(JSON.stringify(WorkerTask)).not.toContain('OTHER');
    expect(
      statementsOf({ Resources: { ...(WorkerTaskRole && { WorkerTaskRole }) } }, 'WorkerTaskRole'),
    ).toEqual([{ Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: arn }]);
  });

  test('on Fargate starts with a role that may only pull its image and write its log', () => {
    const statements = statementsOf(stackOf(fargate).resources, 'WorkerExecutionRole');
    const wild = statements.filter((each) => JSON.stringify(each).includes('*'));
    expect(wild.map(({ Action }) => Action)).toEqual(['ecr:GetAuthorizationToken']);
    expect(allowedBy(stackOf(fargate).resources, 'WorkerExecutionRole')).toEqual([
      ...['BatchCheckLayerAvailability', 'BatchGetImage'].map(
        (action) =>
          `ecr:${action} arn:\${AWS::Partition}:ecr:eu-central-1:123456789012:repository/baton/worker`,
      ),
      'ecr:GetAuthorizationToken *',
      'ecr:GetDownloadUrlForLayer arn:${AWS::Partition}:ecr:eu-central-1:123456789012:repository/baton/worker',
      'logs:CreateLogStream WorkerLogs',
      'logs:PutLogEvents WorkerLogs',
    ]);
    const elsewhere = { ...fargate, 'worker-image': 'registry.example.com/worker:1' };
    expect(allowedBy(stackOf(elsewhere).resources, 'WorkerExecutionRole')).toEqual([
      'logs:CreateLogStream WorkerLogs',
      'logs:PutLogEvents WorkerLogs',
    ]);
  });

  test('on Fargate scales with its backlog per task, within limits', () => {
    const given = { ...fargate, 'worker-max': '40', 'worker-slots': '20', 'worker-task-ms': '250' };
    const { WorkerScalableTarget: target, WorkerScalingPolicy: policy } = stackOf(given).resources.Resources;
    expect(target?.Properties).toMatchObject({ MinCapacity: 1, MaxCapacity: 40 });
    const config = policy?.Properties['TargetTrackingScalingPolicyConfiguration'] as ScalingConfig;
    const { Metrics } = config.CustomizedMetricSpecification;
    expect(config.TargetValue).toBe(60);
    expect(Metrics.find(({ Id }) => Id === 'backlog')?.Expression).toBe(
      `(${[0, 1, 2, 3].map((queue) => `FILL(visible${queue}, 0) + FILL(hidden${queue}, 0)`).join(' + ')}) * 0.25 / 20 / running`,
    );
    const text = JSON.stringify(Metrics);
    for (const queue of ['DefaultQueue', 'ParcelsQueue', 'ParcelsQueueHighLane', 'ParcelsQueueLowLane'])
      expect(text.split(`"${queue}"`).length - 1).toBe(2);
    expect(text).toContain('RunningTaskCount');
  });

  test.each([
    ['256', '2048'],
    ['1024', '8192'],
    ['4096', '30720'],
    ['16384', '122880'],
  ])('on Fargate can have %s CPU units with %s MiB', (cpu, memory) => {
    const given = { ...fargate, 'worker-cpu': cpu, 'worker-memory': memory };
    const { Properties } = stackOf(given).resources.Resources['WorkerTask'] ?? {};
    expect(Properties).toMatchObject({ Cpu: cpu, Memory: memory });
  });

  test('elsewhere has no function, no event source and no service on AWS', () => {
    const { functions, resources } = stackOf({ worker: 'none' });
    expect(Object.keys(functions)).not.toContain('worker');
    expect(Object.keys(resources.Resources).filter((id) => id.startsWith('Worker'))).toEqual([]);
    expect(resources.Resources).toHaveProperty('ParcelsQueue');
  });
});

test('a function that consumes a queue may also send to it, but no other function may', () => {
  const { functions, resources } = stackOf();
  const allowing = Object.entries(resources.extensions)
    .filter(([, { Properties }]) => Properties['RecursiveLoop'] === 'Allow')
    .map(([id]) => id);
  const consumers = Object.entries(functions).filter(([, { events = [] }]) =>
    events.some((event) => 'sqs' in event),
  );
  expect(consumers.length).toBeGreaterThanOrEqual(3);
  expect(allowing.toSorted()).toEqual(consumers.map(([name]) => functionId(name)).toSorted());
});

describe('alarms', () => {
  const actionsOf = (given: Record<string, string>) =>
    ofType(stackOf(given).resources, 'AWS::CloudWatch::Alarm').map(
      ({ properties }) => properties['AlarmActions'],
    );

  test('go to the topic of the deploy, or to none', () => {
    const topic = 'arn:aws:sns:us-east-1:123456789012:alarms';
    const all = actionsOf({ 'alarm-topic': topic });
    expect(all).toEqual(all.map(() => [topic]));
    expect(new Set(actionsOf({}))).toEqual(new Set([undefined]));
  });

  test('treat a queue with only hidden messages as a queue without delay', () => {
    const { properties } =
      ofType(stackOf().resources, 'AWS::CloudWatch::Alarm').find(({ id }) => id === 'ParcelsQueueAgeAlarm') ??
      {};
    const metrics = properties?.['Metrics'] as Record<string, unknown>[];
    expect(metrics.find(({ Id }) => Id === 'waiting')).toMatchObject({
      Expression: 'IF(visible > 0, age, 0)',
      ReturnData: true,
    });
    expect(metrics.find(({ Id }) => Id === 'visible')).toMatchObject({ MetricStat: { Stat: 'Minimum' } });
  });
});

test('a consumer may send copies to its queue without an entry in its access', () => {
  const { resources } = stackOf();
  const roles = ofType(resources, 'AWS::IAM::Role').map(({ id }) => allowedBy(resources, id));
  const consumed = roles.flatMap((allowed) =>
    ofType(resources, 'AWS::SQS::Queue')
      .filter(({ id }) => allowed.includes(`sqs:ReceiveMessage ${id}`))
      .map(({ id }) => ({ id, sends: allowed.includes(`sqs:SendMessage ${id}`) })),
  );
  expect(consumed.length).toBeGreaterThanOrEqual(4);
  expect(consumed.filter(({ sends }) => !sends)).toEqual([]);
});

test('a function that ends tracked tasks may send to every queue with dead letters, even a new one, and to no other', () => {
  const own: Part = {
    functions: { mine: { handler: 'x.handler', access: { queues: 'all' } } },
    resources: {
      Resources: {
        PaymentsQueue: {
          Type: 'AWS::SQS::Queue',
          Properties: {
            QueueName: 'baton-dev-payments',
            RedrivePolicy: {
              deadLetterTargetArn: { 'Fn::GetAtt': ['PaymentsDeadLetters', 'Arn'] },
              maxReceiveCount: 30,
            },
          },
        },
        PaymentsDeadLetters: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'baton-dev-payments-dlq' } },
      },
    },
  };
  const { resources } = stackOf({}, [own]);
  const queues = ofType(resources, 'AWS::SQS::Queue').filter(({ properties }) => properties['RedrivePolicy']);
  for (const id of ['MineRole', 'WorkerRole', 'LettersServiceDeliveriesRole']) {
    const sends = allowedBy(resources, id).filter((each) => each.startsWith('sqs:SendMessage '));
    const toQueues = sends.filter((each) => !each.endsWith('DeadLetters'));
    expect([id, toQueues.length]).toEqual([id, queues.length]);
    expect(toQueues).toContain('sqs:SendMessage PaymentsQueue');
  }
});

describe('an invalid description is refused with what is wrong, where, and what is expected', () => {
  const part = (access: unknown, events: object[] = []): Part => ({
    functions: { payments: { handler: 'functions/payments/api.handler', access, events: events as [] } },
  });
  const handler = 'x.handler';

  test.each([
    ['no access', part(undefined), 'The function payments has no access: expected'],
    [
      'a missing queue',
      part({ queues: ['ParcelQueue'] }),
      'The access of the function payments names ParcelQueue: expected the logical id of a queue of this stack',
    ],
    ['an invalid word for queues', part({ queues: 'every' }), 'expected all, or the logical ids of queues'],
    [
      'a table instead of a queue',
      part({ queues: ['ParcelsTable'] }),
      'names ParcelsTable: expected the logical id of a queue of this stack',
    ],
    [
      'a missing table',
      part({ tables: { NobodysTable: ['get'] } }),
      'names NobodysTable: expected the logical id of a table of this stack',
    ],
    [
      'an unknown verb',
      part({ tables: { ParcelsTable: ['scan'] } }),
      'expected some of get, get-batch, query',
    ],
    ['a member that is none', part({ topics: [] }), 'Unrecognized key: "topics"'],
    [
      'an event source without dead letters',
      part({}, [{ sqs: { arn: { 'Fn::GetAtt': ['ParcelsDeadLetters', 'Arn'] } } }]),
      'An sqs event of the function payments: expected arn: !GetAtt',
    ],
    ['an invalid route', part({}, [{ httpApi: '/payments' }]), 'such as \'ANY /payments\', got "/payments"'],
    [
      'a function with a name that is too long',
      { functions: { ['x'.repeat(55)]: { handler, access: {} } } },
      'would have a name of 65 characters: expected at most 64, with a shorter name or stage',
    ],
    [
      'two functions with the same name',
      { functions: { parcelsServiceApi: { handler, access: {} } } },
      'Two parts of the stack have a function parcelsServiceApi',
    ],
    [
      'two resources with the same name',
      { resources: { Resources: { ParcelsQueue: { Type: 'AWS::SQS::Queue', Properties: {} } } } },
      'Two parts of the stack have a resource ParcelsQueue',
    ],
    [
      'a name that Serverless would change',
      { functions: { 'payments-api': { handler, access: {} } } },
      'The function payments-api: expected a name of letters and digits',
    ],
    [
      'a queue without a dead-letter queue',
      {
        resources: {
          Resources: {
            Lost: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'lost', RedrivePolicy: {} } },
          },
        },
      },
      'Lost.RedrivePolicy.deadLetterTargetArn: expected !GetAtt',
    ],
  ] as [string, Part, string][])('%s', (_what, more, says) => {
    expect(() => stackOf({}, [more])).toThrow(says);
    expect(() => stackOf({}, [more])).toThrow(StackError);
  });
});

describe('the task store', () => {
  const updates = (id: string) =>
    statementsOf(stackOf().resources, id).filter(({ Action }) =>
      [Action].flat().includes('dynamodb:UpdateItem'),
    );
  const ofTasks = (id: string) => updates(id).filter((each) => JSON.stringify(each).includes('TasksTable'));

  test("lets a function that only sends write a sender's attributes, and no effects, results or links", () => {
    const [statement, ...others] = ofTasks('ParcelsServiceApiRole');
    expect(others).toEqual([]);
    expect(statement).toMatchObject({
      Action: 'dynamodb:UpdateItem',
      Condition: { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': SENDER_ATTRIBUTES } },
    });
    expect(allowedBy(stackOf().resources, 'ParcelsServiceApiRole')).not.toContain(
      'dynamodb:PutItem TasksTable',
    );
  });

  test('lets a function that runs tasks write all of a row', () => {
    expect(ofTasks('WorkerRole')).toMatchObject([{ Effect: 'Allow' }]);
    expect(ofTasks('WorkerRole')[0]).not.toHaveProperty('Condition');
  });
});
