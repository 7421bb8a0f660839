import { describe, expect, test } from '@jest/globals';
import { fargate, stackOf } from './described.ts';

const CLUSTER = { Ref: 'WorkerCluster' };
const SERVICE = { 'Fn::GetAtt': ['WorkerService', 'Name'] };

function propertiesOf(given: Record<string, string> = {}) {
  const { Resources } = stackOf({ ...fargate, ...given }).resources;
  return (id: string): Readonly<Record<string, unknown>> => Resources[id]?.Properties ?? {};
}

// No emulator here has ECS, so only these tests check the service before AWS does
describe('the worker on Fargate', () => {
  test('runs with its own role, which only ECS tasks of this account can assume', () => {
    const of = propertiesOf();
    expect(of('WorkerTask')).toMatchObject({
      TaskRoleArn: { 'Fn::GetAtt': ['WorkerTaskRole', 'Arn'] },
      ExecutionRoleArn: { 'Fn::GetAtt': ['WorkerExecutionRole', 'Arn'] },
      NetworkMode: 'awsvpc',
      RuntimePlatform: { OperatingSystemFamily: 'LINUX', CpuArchitecture: 'ARM64' },
    });
    for (const role of ['WorkerTaskRole', 'WorkerExecutionRole'])
      expect(of(role)['AssumeRolePolicyDocument']).toMatchObject({
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'ecs-tasks.amazonaws.com' },
            Action: 'sts:AssumeRole',
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      });
    const { WorkerService } = stackOf(fargate).resources.Resources;
    expect(WorkerService?.DependsOn).toEqual(['WorkerTaskRole', 'WorkerExecutionRole']);
  });

  test('has its region, its slots, a health check inside its container, and a log retention', () => {
    const of = propertiesOf({ 'worker-slots': '7', 'log-retention-days': '14' });
    const [container] = (of('WorkerTask')['ContainerDefinitions'] ?? []) as Record<string, unknown>[];
    const environment = container?.['Environment'] as { Name: string; Value: unknown }[];
    expect(Object.fromEntries(environment.map(({ Name, Value }) => [Name, Value]))).toMatchObject({
      AWS_REGION: { Ref: 'AWS::Region' },
      WORKER_CONCURRENCY: '7',
      HEALTH_HOST: '127.0.0.1',
      HEALTH_PORT: '9090',
    });
    expect(container?.['HealthCheck']).toMatchObject({
      Command: [
        'CMD',
        'node',
        '-e',
        expect.stringContaining("fetch('http://127.0.0.1:9090/health/live')") as unknown,
      ],
    });
    expect(of('WorkerLogs')).toEqual({ LogGroupName: '/ecs/baton-dev-worker', RetentionInDays: 14 });
  });

  test('uses the architecture, the address and the cluster of the deploy', () => {
    const arn = 'arn:aws:ecs:us-east-1:123456789012:cluster/prod';
    const of = propertiesOf({
      'worker-architecture': 'x86_64',
      'worker-public-ip': 'yes',
      'worker-cluster': arn,
    });
    expect(of('WorkerTask')).toMatchObject({ RuntimePlatform: { CpuArchitecture: 'X86_64' } });
    expect(of('WorkerService')).toMatchObject({
      Cluster: arn,
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'ENABLED' } },
    });
    expect(of('WorkerCluster')).toEqual({});
    expect(of('WorkerScalableTarget')['ResourceId']).toEqual({
      'Fn::Join': ['/', ['service', 'prod', SERVICE]],
    });
  });

  test('runs in a cluster with Container Insights, and scales by one value of its metrics', () => {
    const of = propertiesOf();
    expect(of('WorkerCluster')).toMatchObject({
      ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }],
    });
    expect(of('WorkerScalableTarget')).toMatchObject({
      ServiceNamespace: 'ecs',
      ScalableDimension: 'ecs:service:DesiredCount',
      ResourceId: { 'Fn::Join': ['/', ['service', CLUSTER, SERVICE]] },
    });
    const policy = of('WorkerScalingPolicy');
    expect(policy).toMatchObject({
      PolicyType: 'TargetTrackingScaling',
      ScalingTargetId: { Ref: 'WorkerScalableTarget' },
      TargetTrackingScalingPolicyConfiguration: { ScaleOutCooldown: 60, ScaleInCooldown: 300 },
    });
    const { CustomizedMetricSpecification } = policy['TargetTrackingScalingPolicyConfiguration'] as {
      CustomizedMetricSpecification: { Metrics: { Id: string; ReturnData: boolean; MetricStat?: object }[] };
    };
    const { Metrics } = CustomizedMetricSpecification;
    expect(Metrics.filter(({ ReturnData }) => ReturnData).map(({ Id }) => Id)).toEqual(['backlog']);
    const metric = (id: string) => Metrics.find(({ Id }) => Id === id)?.MetricStat;
    expect(metric('running')).toEqual({
      Stat: 'Average',
      Metric: {
        Namespace: 'ECS/ContainerInsights',
        MetricName: 'RunningTaskCount',
        Dimensions: [
          { Name: 'ClusterName', Value: CLUSTER },
          { Name: 'ServiceName', Value: SERVICE },
        ],
      },
    });
    for (const [id, MetricName] of [
      ['visible0', 'ApproximateNumberOfMessagesVisible'],
      ['hidden0', 'ApproximateNumberOfMessagesNotVisible'],
    ] as const)
      expect(metric(id)).toMatchObject({ Metric: { Namespace: 'AWS/SQS', MetricName } });
  });
});
