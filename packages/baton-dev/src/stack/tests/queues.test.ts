import { describe, expect, test } from '@jest/globals';
import { attributesOf, definitionOf } from '../../embedded/create-resources.ts';
import { eventSourcesOf } from '../event-sources.ts';
import { laneQueues, withLaneEvents } from '../lanes.ts';
import { queuesOf } from '../queues.ts';
import { tablesOf } from '../tables.ts';

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

describe('the reader of CloudFormation finds', () => {
  test('queues with their dead-letter queues', () => {
    const [work, deadLetters, ...others] = queuesOf(resources);
    expect(work).toMatchObject({
      id: 'Work',
      name: 'baton-dev-work',
      deadLetters: { id: 'WorkDeadLetters', name: 'baton-dev-work-dlq', maxReceiveCount: 5 },
    });
    expect(work && attributesOf(work)).toEqual({ VisibilityTimeout: '60' });
    expect(deadLetters).toMatchObject({ name: 'baton-dev-work-dlq', deadLetters: undefined });
    expect(deadLetters && attributesOf(deadLetters)).toEqual({});
    expect(others).toEqual([]);
  });

  test('tables with their time to live', () => {
    const [table, ...others] = tablesOf(resources);
    expect(table?.name).toBe('baton-dev-things');
    expect(table && definitionOf(table)).toEqual({
      definition: { TableName: 'baton-dev-things' },
      timeToLiveAttribute: 'expiresAt',
    });
    expect(others).toEqual([]);
  });

  test("which functions consume which queues, except the worker's function on AWS", () => {
    const arn = { 'Fn::GetAtt': ['Work', 'Arn'] };
    const functions = {
      worker: { events: [{ sqs: { arn } }] },
      api: { events: [{ httpApi: 'ANY /x' }] },
      consumer: { events: [{ sqs: { arn, batchSize: 5, maximumConcurrency: 2 } }] },
    };
    expect(eventSourcesOf(functions, resources, 'dev')).toEqual([
      { queue: 'work', functionName: 'baton-dev-consumer', batchSize: 5, maximumConcurrency: 2 },
    ]);
  });

  test('lanes of a consumed queue, each with its own queue and event source', () => {
    const contract = { name: 'works.do', queue: 'work', lanes: { high: 2, slow: 1 }, defaultLane: 'slow' };
    const lanes = laneQueues(resources, [contract], 'baton-dev-');
    const withLanes = { ...resources, ...lanes };
    const [work, ...others] = queuesOf(withLanes);
    expect(others.at(-1)).toEqual({ ...work, id: 'WorkHighLane', name: 'baton-dev-work_high' });
    const arn = { 'Fn::GetAtt': ['Work', 'Arn'] };
    const events = withLaneEvents([{ sqs: { arn, batchSize: 5, maximumConcurrency: 2 } }], withLanes);
    expect(eventSourcesOf({ consumer: { events } }, withLanes, 'dev')).toEqual(
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
      'a property that is not a plain value',
      {
        ...resources,
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
      'a dead-letter queue of another stack',
      { Work: resources.Work },
      'Work.RedrivePolicy.deadLetterTargetArn: expected !GetAtt, then a queue of this stack',
    ],
  ])('an error with the place for %s', (_what, described, says) => {
    expect(() => queuesOf(described).map(attributesOf)).toThrow(says);
  });
});
