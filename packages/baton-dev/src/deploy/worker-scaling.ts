// The scaling of the worker on Fargate.
import { queueMetric } from './alarms.ts';
import type { FargateParameters } from './parameters.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { StackError } from '../stack/stack-error.ts';
import type { Resources, Value } from '../stack/resources.ts';

/** How long to wait between changes. Scaling out helps at once; scaling in waits until a queue stays empty. */
const SCALE_OUT_SECONDS = 60;
const SCALE_IN_SECONDS = 300;

/** The service to scale. */
export interface ScaledService {
  /** The names of the cluster and of the service. */
  readonly cluster: Value;
  readonly service: Value;
  readonly queues: readonly SourceQueue[];
}

/** The most metrics of an alarm, which target tracking makes (Amazon CloudWatch User Guide, "Alarm limits"). */
const MAX_METRICS = 10;

/**
 * Scales an ECS service by the backlog of each running task, so that all messages would be done within `backlogSeconds`:
 * (visible + in flight) x mean duration / slots / running tasks (Application Auto Scaling User Guide, "Create a target
 * tracking scaling policy using metric math"). The number of running tasks is a metric of Container Insights, which must be
 * turned on for a cluster of your own. Delayed tasks count as in flight: thousands of them keep more workers than needed.
 *
 * With more than 4 queues, lanes included, only visible messages count, because an alarm has at most 10 metrics.
 *
 * @throws StackError if there are more than 9 queues
 */
export function workerScaling(
  { cluster, service, queues }: ScaledService,
  parameters: FargateParameters,
): Resources {
  const { least, most, slots, taskMs, backlogSeconds } = parameters;
  const inQueues = queueMetrics(queues);
  // A queue without messages for hours has no metrics
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
  // One metric is the number of running tasks
  const most = MAX_METRICS - 1;
  if (both.length <= most) return both;
  if (visible.length <= most) return visible;
  throw new StackError(
    `The worker on Fargate consumes ${queues.length} queues, lanes included: expected at most ${most}, because an alarm of CloudWatch has at most ${MAX_METRICS} metrics; use fewer queues or lanes, or --param worker=none`,
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
