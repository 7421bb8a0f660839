import { expect, test } from '@jest/globals';
import { ofType } from '../../testing/compiled-stack.ts';
import { stackOf } from './described.ts';

const GREATER = { ComparisonOperator: 'GreaterThanThreshold', TreatMissingData: 'notBreaching' };

// An alarm on the wrong metric stays silent, and nobody notices. So this checks each alarm's metric
test.each([
  [
    /DeadLettersNotEmptyAlarm$/,
    {
      Namespace: 'AWS/SQS',
      MetricName: 'ApproximateNumberOfMessagesVisible',
      Statistic: 'Maximum',
      Threshold: 0,
    },
  ],
  [/QueueAgeAlarm$/, { Threshold: 120, EvaluationPeriods: 2 }],
  [/ErrorsAlarm$/, { Namespace: 'AWS/Lambda', MetricName: 'Errors', Statistic: 'Sum', Threshold: 0 }],
] as [RegExp, object][])('every alarm %s watches the metric of its name', (name, looksAt) => {
  const alarms = ofType(stackOf({ 'alarm-age-seconds': '120' }).resources, 'AWS::CloudWatch::Alarm');
  const own = alarms.filter(({ id }) => name.test(id));
  expect(own.length).toBeGreaterThanOrEqual(4);
  for (const { properties } of own) expect(properties).toMatchObject({ ...GREATER, ...looksAt });
});
