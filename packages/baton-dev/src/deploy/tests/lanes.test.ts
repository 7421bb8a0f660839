import { describe, expect, test } from '@jest/globals';
import { defineTask } from 'baton-tasks';
import type { Functions } from '../../stack/part.ts';
import { StackError } from '../../stack/stack-error.ts';
import { allowedBy, ofType } from '../../testing/compiled-stack.ts';
import { fargate, packParcel, sayHello, sendLetter, stackOf } from './described.ts';

const LANES = ['ParcelsQueueHighLane', 'ParcelsQueueLowLane'];
const weights = (...names: string[]) => ({
  lanes: Object.fromEntries(names.map((name, index) => [name, index + 1])),
  defaultLane: names[0] ?? '',
});
const letters = defineTask({ ...sendLetter, ...weights('normal', 'high') });

const { functions, resources } = stackOf();
const queueOf = (id: string) => resources.Resources[id]?.Properties ?? {};

describe('the lanes of a contract are on AWS', () => {
  test("queues like the contract's own queue except for the name, with the same dead-letter queue", () => {
    const { QueueName: _name, ...own } = queueOf('ParcelsQueue');
    expect(queueOf('ParcelsQueueHighLane')).toEqual({ ...own, QueueName: 'baton-dev-parcels_high' });
    expect(queueOf('ParcelsQueueLowLane')).toEqual({ ...own, QueueName: 'baton-dev-parcels_low' });
    expect(own).toHaveProperty('RedrivePolicy');
    const { RedriveAllowPolicy } = queueOf('ParcelsDeadLetters') as {
      RedriveAllowPolicy: { sourceQueueArns: { 'Fn::Sub': string }[] };
    };
    expect(RedriveAllowPolicy.sourceQueueArns.map((arn) => arn['Fn::Sub'].replace(/^.*:/, ''))).toEqual([
      'baton-dev-parcels',
      'baton-dev-parcels_high',
      'baton-dev-parcels_low',
    ]);
  });

  test('open to senders and consumers of its queue', () => {
    expect(allowedBy(resources, 'ParcelsServiceApiRole')).toEqual(
      expect.arrayContaining(LANES.map((id) => `sqs:SendMessage ${id}`)),
    );
    for (const action of ['ReceiveMessage', 'DeleteMessage', 'ChangeMessageVisibility', 'SendMessage'])
      expect(allowedBy(resources, 'WorkerRole')).toEqual(
        expect.arrayContaining(LANES.map((id) => `sqs:${action} ${id}`)),
      );
    const others = allowedBy(resources, 'LettersServiceApiRole');
    expect(others.filter((each) => each.includes('Lane'))).toEqual([]);
  });

  test('separate event sources, with the settings of the queue', () => {
    const eventsOf = (all: Functions, name: string) =>
      (all[name]?.events ?? []).map(({ sqs }) => sqs as { arn: { 'Fn::GetAtt': string[] } });
    const [first, ...others] = eventsOf(functions, 'worker').filter(({ arn }) =>
      String(arn['Fn::GetAtt'][0]).startsWith('ParcelsQueue'),
    );
    expect(others).toEqual(LANES.map((id) => ({ ...first, arn: { 'Fn::GetAtt': [id, 'Arn'] } })));
    expect(first).toMatchObject({ maximumConcurrency: 10 });
    const ofLetters = eventsOf(stackOf({}, [], [packParcel, letters]).functions, 'lettersServiceDeliveries');
    expect(ofLetters.map(({ arn }) => arn['Fn::GetAtt'][0])).toEqual([
      'LettersQueue',
      'LettersQueueHighLane',
    ]);
  });

  test('each watched by an alarm, and listed in the outputs', () => {
    const alarms = ofType(resources, 'AWS::CloudWatch::Alarm').map(({ id }) => id);
    expect(alarms).toEqual(expect.arrayContaining(LANES.map((id) => `${id}AgeAlarm`)));
    expect(alarms.filter((id) => id === 'ParcelsDeadLettersNotEmptyAlarm')).toHaveLength(1);
    for (const id of LANES) expect(resources.Outputs).toHaveProperty(`${id}Url`);
  });
});

describe('a worker on Fargate', () => {
  const metricsOf = (...contracts: Parameters<typeof stackOf>[2] & object) => {
    const { WorkerScalingPolicy: policy } = stackOf(fargate, [], contracts).resources.Resources;
    const config = policy?.Properties['TargetTrackingScalingPolicyConfiguration'] as {
      CustomizedMetricSpecification: { Metrics: { Id: string; MetricStat?: object }[] };
    };
    return config.CustomizedMetricSpecification.Metrics.filter(({ MetricStat }) => MetricStat);
  };

  test('counts only visible messages if an alarm has no space for more metrics', () => {
    expect(metricsOf(packParcel)).toHaveLength(9);
    const more = defineTask({ ...sayHello, ...weights('normal', 'high') });
    expect(metricsOf(packParcel, more).map(({ Id }) => Id)).toEqual([
      'running',
      ...[0, 1, 2, 3, 4].map((queue) => `visible${queue}`),
    ]);
  });

  test('is refused if it has more queues and lanes than an alarm has metrics', () => {
    const many = defineTask({ ...sayHello, ...weights('a', 'b', 'c', 'd', 'e', 'f', 'g') });
    expect(() => metricsOf(packParcel, many)).toThrow(
      'The worker on Fargate consumes 10 queues, lanes included: expected at most 9, because an alarm of CloudWatch has at most 10 metrics',
    );
  });
});

test.each([
  [
    'on a missing queue',
    [defineTask({ ...packParcel, queue: 'crates' })],
    'The contract parcels.pack is on the queue crates: expected a queue baton-dev-crates in a functions.yml',
  ],
  [
    'that differ from those of another contract on the queue',
    [
      packParcel,
      defineTask({
        ...packParcel,
        name: 'parcels.wrap',
        ...weights('normal', 'high'),
      }),
    ],
    'The contracts parcels.pack and parcels.wrap share the queue parcels, so their lanes must be the same',
  ],
])('lanes %s are refused', (_what, contracts, says) => {
  expect(() => stackOf({}, [], contracts)).toThrow(says);
  expect(() => stackOf({}, [], contracts)).toThrow(StackError);
});

test('an event source for a lane in functions.yml replaces the generated one', () => {
  const own = { sqs: { arn: { 'Fn::GetAtt': ['ParcelsQueueHighLane', 'Arn'] }, maximumConcurrency: 50 } };
  const base = { sqs: { arn: { 'Fn::GetAtt': ['ParcelsQueue', 'Arn'] }, maximumConcurrency: 2 } };
  const pack = { handler: 'x.handler', access: {}, events: [base, own] };
  const { functions: all } = stackOf({}, [{ functions: { pack } }]);
  expect(all['pack']?.events).toEqual([
    base,
    { sqs: { ...base.sqs, arn: { 'Fn::GetAtt': ['ParcelsQueueLowLane', 'Arn'] } } },
    own,
  ]);
});
