import { queueMetric } from './alarms.ts';
import type { FargateParameters } from './parameters.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { StackError } from '../stack/stack-error.ts';
import type { Resources, Value } from '../stack/resources.ts';

/** New workers take messages at once, and a queue is quickly full; that it is empty is worth a longer look. */
const SCALE_OUT_SECONDS = 60;
const SCALE_IN_SECONDS = 300;

/** What is scaled. */
export interface ScaledService {
  /** The names of the cluster and of the service. */
  readonly cluster: Value;
  readonly service: Value;
  readonly queues: readonly SourceQueue[];
}

/** An alarm, which target tracking makes, takes so many metrics (Amazon CloudWatch User Guide, "Alarm limits"). */
const MAX_METRICS = 10;

/**
 * Scales an ECS service on its backlog a task, so that what is in the queues would be done within `backlogSeconds`:
 * (visible + in flight) x mean duration / slots / running tasks (Application Auto Scaling User Guide, "Create a target
 * tracking scaling policy using metric math"). Running tasks are a metric of Container Insights, which a cluster of one's
 * own has to have turned on. Tasks that are put off count as in flight: thousands of them keep more workers than needed.
 *
 * An alarm takes 10 metrics: of more than 4 queues, lanes included, only visible messages are counted.
 *
 * @throws StackError where there are more than 9 queues
 */
export function workerScaling(
  { cluster, service, queues }: ScaledService,
  parameters: FargateParameters,
): Resources {
  const { least, most, slots, taskMs, backlogSeconds } = parameters;
  const inQueues = queueMetrics(queues);
  // A queue that was quiet for hours has no metrics
  const messages = inQueues.map(({ Id }) => `FILL(${Id}, 0)`).join(' + ');
  const backlog = `(${messages}) * ${taskMs / 1000} / ${slots} / running`;
  return {
    WorkerScalableTarget: {
      Type: 'AWS::ApplicationAutoScaling::ScalableTarget',
      Properties: {
        ServiceNamespace: 'ecs',
        ScalableDimension: 'ecs:service:DesiredCount',
        ResourceId: { 'Fn::Join': ['/', ['service', cluster, service]] },
        MinCapacity: least,
        MaxCapacity: most,
      },
    },
    WorkerScalingPolicy: {
      Type: 'AWS::ApplicationAutoScaling::ScalingPolicy',
      Properties: {
        PolicyName: 'backlog-a-task',
        PolicyType: 'TargetTrackingScaling',
        ScalingTargetId: { Ref: 'WorkerScalableTarget' },
        TargetTrackingScalingPolicyConfiguration: {
          TargetValue: backlogSeconds,
          ScaleOutCooldown: SCALE_OUT_SECONDS,
          ScaleInCooldown: SCALE_IN_SECONDS,
          CustomizedMetricSpecification: {
            Metrics: [
              { Id: 'backlog', Label: 'seconds of work a task', Expression: backlog, ReturnData: true },
              running(cluster, service),
              ...inQueues,
            ],
          },
        },
      },
    },
  };
}

function queueMetrics(queues: readonly SourceQueue[]) {
  const visible = queues.map(({ id }, index) =>
    sqs(`visible${index}`, id, 'ApproximateNumberOfMessagesVisible'),
  );
  const hidden = queues.map(({ id }, index) =>
    sqs(`hidden${index}`, id, 'ApproximateNumberOfMessagesNotVisible'),
  );
  const both = visible.flatMap((metric, index) => [metric, ...hidden.slice(index, index + 1)]);
  // One is that of the running workers
  const room = MAX_METRICS - 1;
  if (both.length <= room) return both;
  if (visible.length <= room) return visible;
  throw new StackError(
    `A worker on Fargate scales by at most ${room} queues, lanes included, as an alarm of CloudWatch takes ${MAX_METRICS} metrics; it consumes ${queues.length}: expected fewer queues or lanes, or --param worker=none`,
  );
}

function running(cluster: Value, service: Value) {
  const Dimensions = [
    { Name: 'ClusterName', Value: cluster },
    { Name: 'ServiceName', Value: service },
  ];
  const Metric = { Namespace: 'ECS/ContainerInsights', MetricName: 'RunningTaskCount', Dimensions };
  return { Id: 'running', ReturnData: false, MetricStat: { Metric, Stat: 'Average' } };
}

function sqs(Id: string, queueId: string, name: string) {
  return { Id, ReturnData: false, MetricStat: { Metric: queueMetric(queueId, name), Stat: 'Average' } };
}
