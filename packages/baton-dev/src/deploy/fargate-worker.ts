import { laneOfQueue } from 'baton-tasks/tooling';
import { allow, readAccess, type Statement } from './access.ts';
import type { DescribedFunction } from '../stack/part.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { consumedQueues } from './functions.ts';
import type { FargateParameters } from './parameters.ts';
import { consumerStatements, logStatement, role } from './role.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, ref, type Resource, type Resources, sub, type Value } from '../stack/resources.ts';
import { workerScaling } from './worker-scaling.ts';

/** What a worker is given to finish what runs; its own default. */
const DRAIN_SECONDS = 25;
/**
 * How long ECS waits before it kills a worker that was told to stop: the drain, the wait for what is aborted and for a
 * poll under way (25 s at its default wait of 20), and 5 s each for polls, schedules and threads; with a reserve. Fargate
 * allows 120 at the most.
 */
const STOP_SECONDS = 90;
const HEALTH_PORT = 9090;
const TASKS_SERVICE = 'ecs-tasks.amazonaws.com';
const ECR_IMAGE =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\/(?<name>[a-z0-9._/-]+)[:@].+$/;

/** What a worker on Fargate is made of. */
export interface FargateWorkerOptions {
  /** The worker as its functions.yml has it: what it consumes and uses, whichever its form. */
  readonly worker: DescribedFunction;
  readonly resources: Resources;
  readonly parameters: FargateParameters;
  /** The environment that all functions have. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly logRetentionDays: number;
  /** What stands before the contracts' queue names, such as `baton-dev-`. */
  readonly stagePrefix: string;
}

/**
 * The worker's image as a service of ECS on Fargate, which polls the queues that would be the worker function's event
 * sources. Its role allows what that function's would; it pulls its image, and writes its log, by another one.
 *
 * @throws StackError where the image is one of ECR without a tag or digest
 */
export function fargateWorker(options: FargateWorkerOptions): Resources {
  const { worker, resources, parameters, logRetentionDays, stagePrefix } = options;
  const { cluster: given, image } = parameters;
  const queues = consumedQueues('worker', worker.events, resources);
  const access = readAccess('worker', worker.access, resources);
  const cluster = given ?? ref('WorkerCluster');
  const service: Value = { 'Fn::GetAtt': ['WorkerService', 'Name'] };
  return {
    ...(given === undefined && { WorkerCluster: clusterResource(stagePrefix) }),
    WorkerLogs: {
      Type: 'AWS::Logs::LogGroup',
      Properties: { LogGroupName: `/ecs/${stagePrefix}worker`, RetentionInDays: logRetentionDays },
    },
    WorkerTaskRole: taskRole(consumerStatements({ consumed: queues, access }, resources)),
    WorkerExecutionRole: taskRole([logStatement('WorkerLogs'), ...pullStatements(image)]),
    WorkerTask: taskDefinition(options, queues),
    WorkerService: serviceResource(cluster, parameters),
    ...workerScaling({ cluster: nameOf(cluster), service, queues }, parameters),
  };
}

function clusterResource(stagePrefix: string): Resource {
  return {
    Type: 'AWS::ECS::Cluster',
    Properties: {
      ClusterName: `${stagePrefix}worker`,
      // Counts the running tasks, by which the service is scaled
      ClusterSettings: [{ Name: 'containerInsights', Value: 'enabled' }],
    },
  };
}

function taskRole(statements: readonly Statement[]): Resource {
  return role({ service: TASKS_SERVICE, statements, ownAccountOnly: true });
}

function taskDefinition(options: FargateWorkerOptions, queues: readonly SourceQueue[]): Resource {
  const { parameters, stagePrefix } = options;
  const { cpu, memoryMb, architecture } = parameters;
  return {
    Type: 'AWS::ECS::TaskDefinition',
    Properties: {
      Family: `${stagePrefix}worker`,
      RequiresCompatibilities: ['FARGATE'],
      NetworkMode: 'awsvpc',
      RuntimePlatform: {
        OperatingSystemFamily: 'LINUX',
        CpuArchitecture: architecture === 'arm64' ? 'ARM64' : 'X86_64',
      },
      Cpu: String(cpu),
      Memory: String(memoryMb),
      TaskRoleArn: arnOf('WorkerTaskRole'),
      ExecutionRoleArn: arnOf('WorkerExecutionRole'),
      ContainerDefinitions: [container(options, queues)],
    },
  };
}

function container(
  { worker, parameters, environment, stagePrefix }: FargateWorkerOptions,
  queues: readonly SourceQueue[],
): Record<string, unknown> {
  const variables = {
    ...environment,
    ...worker.environment,
    AWS_REGION: ref('AWS::Region'),
    WORKER_QUEUES: queues
      .map(({ name }) => name.slice(stagePrefix.length))
      // A worker serves lanes with their queue
      .filter((queue) => laneOfQueue(queue) === undefined)
      .join(','),
    WORKER_CONCURRENCY: String(parameters.slots),
    WORKER_DRAIN_TIMEOUT_SECONDS: String(DRAIN_SECONDS),
    // Asked for from inside alone
    HEALTH_HOST: '127.0.0.1',
    HEALTH_PORT: String(HEALTH_PORT),
  };
  return {
    Name: 'worker',
    Image: parameters.image,
    Essential: true,
    Environment: Object.entries(variables).map(([Name, each]) => ({ Name, Value: each })),
    ReadonlyRootFilesystem: true,
    LinuxParameters: { Capabilities: { Drop: ['ALL'] } },
    StopTimeout: STOP_SECONDS,
    HealthCheck: {
      Command: ['CMD', 'node', '-e', healthCheck(HEALTH_PORT)],
      Interval: 30,
      Timeout: 5,
      Retries: 3,
      StartPeriod: 30,
    },
    LogConfiguration: {
      LogDriver: 'awslogs',
      Options: {
        'awslogs-group': ref('WorkerLogs'),
        'awslogs-region': ref('AWS::Region'),
        'awslogs-stream-prefix': 'worker',
      },
    },
  };
}

/** Whether the worker can go on; an image has no curl, and ECS does not read its HEALTHCHECK. */
function healthCheck(port: number): string {
  return `fetch('http://127.0.0.1:${port}/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;
}

function serviceResource(cluster: Value, { subnets, securityGroups, publicIp }: FargateParameters): Resource {
  return {
    Type: 'AWS::ECS::Service',
    // It would begin before its role may do anything
    DependsOn: ['WorkerTaskRole', 'WorkerExecutionRole'],
    Properties: {
      Cluster: cluster,
      LaunchType: 'FARGATE',
      TaskDefinition: ref('WorkerTask'),
      NetworkConfiguration: {
        AwsvpcConfiguration: {
          Subnets: subnets,
          SecurityGroups: securityGroups,
          AssignPublicIp: publicIp ? 'ENABLED' : 'DISABLED',
        },
      },
      // No DesiredCount: each deploy would set it back from what the backlog has made of it
      DeploymentConfiguration: {
        MinimumHealthyPercent: 100,
        MaximumPercent: 200,
        DeploymentCircuitBreaker: { Enable: true, Rollback: true },
      },
      EnableExecuteCommand: false,
      PropagateTags: 'SERVICE',
    },
  };
}

/**
 * Pulling an image of ECR, and none where it comes from elsewhere. Logging in at ECR cannot be allowed for less than all
 * (Service Authorization Reference, "Amazon Elastic Container Registry": GetAuthorizationToken knows no resources).
 */
function pullStatements(image: string): Statement[] {
  if (!image.includes('.dkr.ecr.')) return [];
  const { account, region, name } = ECR_IMAGE.exec(image)?.groups ?? {};
  if (name === undefined)
    throw new StackError(
      `worker-image: expected ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME with a tag or digest, got ${image}`,
    );
  const repository = sub(`arn:\${AWS::Partition}:ecr:${region}:${account}:repository/${name}`);
  return [
    allow(['ecr:GetAuthorizationToken'], ['*']),
    allow(
      ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
      [repository],
    ),
  ];
}

/** The name of a cluster that may be given by its ARN. */
function nameOf(cluster: Value): Value {
  return typeof cluster === 'string' ? cluster.slice(cluster.lastIndexOf('/') + 1) : cluster;
}
