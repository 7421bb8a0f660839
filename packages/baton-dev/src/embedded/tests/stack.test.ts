import { describe, expect, test } from '@jest/globals';
import { laneQueues, withLaneEvents } from 'baton-tasks/tooling';
import { fillIn } from '../environment.ts';
import { eventSourcesOf } from '../event-sources.ts';
import { queuesOf, tablesOf } from '../stack.ts';

const resources = {
  Work: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: 'baton-dev-work',
      VisibilityTimeout: 60,
      RedrivePolicy: {
        deadLetterTargetArn: { 'Fn::GetAtt': ['WorkDeadLetters', 'Arn'] },
        maxReceiveCount: 5,
      },
    },
  },
  WorkDeadLetters: {
    Type: 'AWS::SQS::Queue',
    Properties: {
      QueueName: 'baton-dev-work-dlq',
      RedriveAllowPolicy: { redrivePermission: 'byQueue', sourceQueueArns: [{ 'Fn::Sub': 'arn:...' }] },
    },
  },
  Things: {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      TableName: 'baton-dev-things',
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
      PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
    },
  },
  Alarm: { Type: 'AWS::CloudWatch::Alarm', Properties: {} },
};

describe('the embedded runtime reads from CloudFormation', () => {
  test('queues with their dead letter queues', () => {
    expect(queuesOf(resources)).toEqual([
      {
        name: 'baton-dev-work',
        attributes: { VisibilityTimeout: '60' },
        redrive: { to: 'baton-dev-work-dlq', maxReceiveCount: 5 },
      },
      { name: 'baton-dev-work-dlq', attributes: {}, redrive: undefined },
    ]);
  });

  test('tables with their time to live', () => {
    expect(tablesOf(resources)).toEqual([
      {
        name: 'baton-dev-things',
        properties: { TableName: 'baton-dev-things' },
        timeToLiveAttribute: 'expiresAt',
      },
    ]);
  });

  test('which functions consume which queues, without the one that the worker is on AWS', () => {
    const arn = { 'Fn::GetAtt': ['Work', 'Arn'] };
    const functions = {
      worker: { name: 'baton-dev-worker', events: [{ sqs: { arn } }] },
      api: { name: 'baton-dev-api', events: [{ httpApi: 'ANY /x' }] },
      consumer: {
        name: 'baton-dev-consumer',
        events: [{ sqs: { arn, batchSize: 5, maximumConcurrency: 2 } }],
      },
    };
    expect(eventSourcesOf(functions, resources, 'baton-dev-')).toEqual([
      { queue: 'work', functionName: 'baton-dev-consumer', batchSize: 5, maximumConcurrency: 2 },
    ]);
  });

  test('lanes of a queue that a function consumes, each with a queue and an event source like those of the queue', () => {
    const contract = { name: 'works.do', queue: 'work', lanes: { high: 2, slow: 1 }, defaultLane: 'slow' };
    const lanes = laneQueues<object>(resources, [contract], 'baton-dev-');
    const withLanes = { ...resources, ...lanes };
    const [work, ...others] = queuesOf(withLanes);
    expect(others.at(-1)).toEqual({ ...work, name: 'baton-dev-work_high' });
    const arn = { 'Fn::GetAtt': ['Work', 'Arn'] };
    const events = withLaneEvents([{ sqs: { arn, batchSize: 5, maximumConcurrency: 2 } }], withLanes);
    const consumer = { name: 'baton-dev-consumer', events };
    expect(eventSourcesOf({ consumer }, withLanes, 'baton-dev-')).toEqual(
      ['work', 'work_high'].map((queue) => ({
        queue,
        functionName: 'baton-dev-consumer',
        batchSize: 5,
        maximumConcurrency: 2,
      })),
    );
  });

  test.each([
    [
      'a property that is more than a value',
      {
        Work: {
          ...resources.Work,
          Properties: { ...resources.Work.Properties, KmsMasterKeyId: { Ref: 'Key' } },
        },
      },
      'Work.KmsMasterKeyId',
    ],
    [
      'a redrive policy without a limit',
      { Work: { ...resources.Work, Properties: { QueueName: 'q', RedrivePolicy: {} } } },
      'Work.RedrivePolicy',
    ],
    [
      'a dead letter queue of another stack',
      { Work: resources.Work },
      'WorkDeadLetters.Arn is not the ARN of a queue of this stack',
    ],
  ])('not %s, and says where that is', (_what, described, says) => {
    expect(() => queuesOf(described)).toThrow(says);
  });
});

describe('variables that only AWS can fill in', () => {
  test('get their local value', () => {
    const environment = { QUEUE_URL_PREFIX: { 'Fn::Sub': 'https://...' }, LOG_LEVEL: 'info' };
    fillIn([environment], { QUEUE_URL_PREFIX: 'http://127.0.0.1/0/' });
    expect(environment).toEqual({ QUEUE_URL_PREFIX: 'http://127.0.0.1/0/', LOG_LEVEL: 'info' });
  });

  test('that a deploy is given are the ones of the person here', () => {
    const environment = { SMTP_URL: '', SMTP_FROM: '', LOG_LEVEL: 'info' };
    fillIn([environment], {}, { SMTP_URL: 'smtp://127.0.0.1:25', LOG_LEVEL: 'debug' });
    expect(environment).toEqual({ SMTP_URL: 'smtp://127.0.0.1:25', SMTP_FROM: '', LOG_LEVEL: 'info' });
  });

  test('are named where there is no local value', () => {
    const environments = [{ TOPIC_ARN: { Ref: 'Topic' } }, { BUCKET: { Ref: 'Bucket' } }];
    expect(() => fillIn(environments, {})).toThrow('TOPIC_ARN, BUCKET');
  });
});
