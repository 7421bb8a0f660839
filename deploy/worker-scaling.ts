import { queueMetric } from './alarms.ts';
import type { FargateParameters } from './parameters.ts';
import type { SourceQueue } from './queues.ts';
import type { Resources, Value } from './template.ts';

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

/**
 * Scales an ECS service on its backlog a task, so that what is in the queues would be done within `backlogSeconds`:
 * (visible + in flight) x mean duration / slots / running tasks (Application Auto Scaling User Guide, "Create a target
 * tracking scaling policy using metric math"). Running tasks are a metric of Container Insights, which a cluster of one's
 * own has to have turned on. Tasks that are put off count as in flight: thousands of them keep more workers than needed.
 */
export function workerScaling(
  { cluster, service, queues }: ScaledService,
  parameters: FargateParameters,
): Resources {
  const { least, most, slots, taskMs, backlogSeconds } = parameters;
  const inQueues = queues.flatMap(({ id }, index) => [
    sqs(`visible${index}`, id, 'ApproximateNumberOfMessagesVisible'),
    sqs(`hidden${index}`, id, 'ApproximateNumberOfMessagesNotVisible'),
  ]);
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
