// The worker on Fargate.
import { laneOfQueue } from 'baton-tasks/tooling';
import { allow, readAccess, type Statement } from './access.ts';
import type { DescribedFunction } from '../stack/part.ts';
import type { SourceQueue } from '../stack/queues.ts';
import { consumedQueues } from './functions.ts';
import type { FargateParameters } from './parameters.ts';
import { consumerStatements, logStatement, role } from './role.ts';
import { secretEnvironment, type SecretReferences, secretsOf, secretStatements } from './secrets.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, ref, type Resource, type Resources, sub, type Value } from '../stack/resources.ts';
import { workerScaling } from './worker-scaling.ts';

/** The drain time of the worker, which is its default. */
const DRAIN_SECONDS = 25;
/**
 * How long ECS waits after SIGTERM before it kills the worker: the drain time, the release of aborted tasks and the polls
 * under way (25 s at the default wait of 20 s), 5 s each for polls, schedules and threads, and a reserve. Fargate allows at
 * most 120 s.
 */
const STOP_SECONDS = 90;
const HEALTH_PORT = 9090;
const TASKS_SERVICE = 'ecs-tasks.amazonaws.com';
const ECR_IMAGE =
  /^(?<account>\d{12})\.dkr\.ecr\.(?<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\/(?<name>[a-z0-9._/-]+)[:@].+$/;

/** Configures a worker on Fargate. */
export interface FargateWorkerOptions {
  /** The worker's function in its functions.yml, with its events and access. */
  readonly worker: DescribedFunction;
  readonly resources: Resources;
  readonly parameters: FargateParameters;
  readonly secrets: SecretReferences;
  /** The environment of all functions. */
  readonly environment: Readonly<Record<string, unknown>>;
  readonly logRetentionDays: number;
  /** The prefix of the contracts' queue names, such as `baton-dev-`. */
  readonly stagePrefix: string;
}

/**
 * Makes an ECS service on Fargate of the worker's image. It polls the queues that would otherwise be the worker function's
 * event sources, with the same role. Another role pulls the image and writes the log.
 *
 * @throws StackError if the image is from ECR and has no tag or digest
 */
export function fargateWorker(options: FargateWorkerOptions): Resources {
  const { worker, resources, parameters, secrets, logRetentionDays, stagePrefix } = options;
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
    WorkerTaskRole: taskRole([
      ...consumerStatements({ consumed: queues, access }, resources),
      ...secretStatements(secretsOf(worker.access), secrets),
    ]),
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
      // Counts the running tasks, which the scaling needs
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
  { worker, parameters, secrets, environment, stagePrefix }: FargateWorkerOptions,
  queues: readonly SourceQueue[],
): Record<string, unknown> {
  const variables = {
    ...environment,
    ...worker.environment,
    ...secretEnvironment(secretsOf(worker.access), secrets),
    AWS_REGION: ref('AWS::Region'),
    WORKER_QUEUES: queues
      .map(({ name }) => name.slice(stagePrefix.length))
      // A worker serves all lanes of a queue
      .filter((queue) => laneOfQueue(queue) === undefined)
      .join(','),
    WORKER_CONCURRENCY: String(parameters.slots),
    WORKER_DRAIN_TIMEOUT_SECONDS: String(DRAIN_SECONDS),
    // Only the container itself asks for it
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

/** The health check of the worker. The image has no curl, and ECS ignores the image's HEALTHCHECK. */
function healthCheck(port: number): string {
  return `fetch('http://127.0.0.1:${port}/health/live').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))`;
}

function serviceResource(cluster: Value, { subnets, securityGroups, publicIp }: FargateParameters): Resource {
  return {
    Type: 'AWS::ECS::Service',
    // Otherwise it would start before its role has its policies
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
      // Without DesiredCount, because each deploy would undo the scaling
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
 * The statements to pull an image from ECR. Empty for another registry. GetAuthorizationToken cannot be limited to resources
 * (Service Authorization Reference, "Amazon Elastic Container Registry").
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

/** The name of a cluster that was given by its name or ARN. */
function nameOf(cluster: Value): Value {
  return typeof cluster === 'string' ? cluster.slice(cluster.lastIndexOf('/') + 1) : cluster;
}
