// The alarms of the stack.
import { functionId } from './functions.ts';
import type { Parameters } from './parameters.ts';
import { sourceQueues } from '../stack/queues.ts';
import { ref, type Resource, type Resources, type Value } from '../stack/resources.ts';

const MINUTE = 60;
const FIVE_MINUTES = 300;

/**
 * Makes an alarm for each queue, each dead-letter queue and each function. They notify a topic if the deploy gets one
 * (`--param alarm-topic=ARN`).
 */
export function alarms(
  resources: Resources,
  functionNames: readonly string[],
  { alarmTopic, alarmAgeSeconds }: Parameters,
): Resources {
  const actions = alarmTopic === undefined ? {} : { AlarmActions: [alarmTopic], OKActions: [alarmTopic] };
  const sources = sourceQueues(resources);
  const entries = [
    ...sources.map(({ deadLetters }) => [`${deadLetters.id}NotEmptyAlarm`, notEmpty(deadLetters.id)]),
    ...sources.map(({ id }) => [`${id}AgeAlarm`, tooOld(id, alarmAgeSeconds)]),
    ...functionNames.map((name) => [`${functionId(name)}ErrorsAlarm`, errors(name)]),
  ] as [string, Record<string, unknown>][];
  return Object.fromEntries(
    entries.map(([id, properties]): [string, Resource] => [
      id,
      {
        Type: 'AWS::CloudWatch::Alarm',
        Properties: { ...properties, TreatMissingData: 'notBreaching', ...actions },
      },
    ]),
  );
}

/** A metric of a queue. */
export function queueMetric(queueId: string, MetricName: string) {
  const Dimensions = [{ Name: 'QueueName', Value: attribute(queueId, 'QueueName') }];
  return { Namespace: 'AWS/SQS', MetricName, Dimensions };
}

function notEmpty(deadLettersId: string) {
  return {
    AlarmDescription: `${deadLettersId}: a task was set aside; its message says why in its attributes`,
    ...queueMetric(deadLettersId, 'ApproximateNumberOfMessagesVisible'),
    Statistic: 'Maximum',
    Period: MINUTE,
    EvaluationPeriods: 1,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 0,
  };
}

/**
 * Alarms if the oldest message of a queue waits too long for a consumer. SQS's metric of the age also counts hidden
 * messages, until they were received more than three times (Amazon SQS Developer Guide, "Available CloudWatch metrics"). A
 * delayed tracked task is received once in 12 hours, so it would be the oldest for a day and a half. Therefore the age
 * counts as 0 unless at least one message was visible all the time.
 */
function tooOld(queueId: string, ageSeconds: number) {
  const metric = (Id: string, name: string, Stat: string) => ({
    Id,
    ReturnData: false,
    MetricStat: { Metric: queueMetric(queueId, name), Period: FIVE_MINUTES, Stat },
  });
  return {
    AlarmDescription: `${queueId}: messages have waited for more than ${ageSeconds} s; does its consumer run, and keep up?`,
    Metrics: [
      { Id: 'waiting', Expression: 'IF(visible > 0, age, 0)', Label: 'age of what waits', ReturnData: true },
      metric('age', 'ApproximateAgeOfOldestMessage', 'Maximum'),
      metric('visible', 'ApproximateNumberOfMessagesVisible', 'Minimum'),
    ],
    EvaluationPeriods: 2,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: ageSeconds,
  };
}

/** Alarms on errors of a function: crashes, time-outs and invocations that did not start. Failed tasks are no such errors. */
function errors(functionName: string) {
  return {
    AlarmDescription: `${functionName}: an invocation failed as a whole`,
    Namespace: 'AWS/Lambda',
    MetricName: 'Errors',
    Dimensions: [{ Name: 'FunctionName', Value: ref(functionId(functionName)) }],
    Statistic: 'Sum',
    Period: FIVE_MINUTES,
    EvaluationPeriods: 1,
    ComparisonOperator: 'GreaterThanThreshold',
    Threshold: 0,
  };
}

function attribute(id: string, name: string): Value {
  return { 'Fn::GetAtt': [id, name] };
}
