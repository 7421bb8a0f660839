import { servicesDoNotCall } from '../calls.ts';
import { contractsInFolder } from '../contracts.ts';
import { environmentIsRead, functionsHaveVariables, variablesAreListed } from '../environment.ts';
import { codeIsRead, codeIsTypeScript, filesHaveNames } from '../folders.ts';
import { tablesHaveOneOwner } from '../tables.ts';
import { type Broken, own, OWN, SERVICE } from './broken.ts';

const TASK =
  'Ask the other service by a task: send its contract, and be told the end by onEnd (docs/guide.md, "A contract").';
const READ_CONFIG = "Add the variable to the schema of the service's config.ts, and read service.config.";

/** Mistakes between services. */
const services: readonly Broken[] = [
  ...[
    ["await fetch('http://localhost:3000/tasks');", 'http://localhost:3000/tasks'],
    ["await fetch(new URL('/tasks', 'http://127.0.0.1:3000'));", 'http://127.0.0.1:3000'],
    ['await fetch(`http://task-service:8000/tasks/${1}`);', 'http://task-service:8000/tasks/'],
    ["new WebSocket('ws://gateway:8000');", 'ws://gateway:8000'],
    ["connect({ host: 'task-service:8000' });", 'task-service:8000'],
    ['z.object({ TASK_SERVICE_URL: z.string() });', 'TASK_SERVICE_URL'],
    ['await fetch(service.config.TASK_SERVICE_BASE_URL);', 'TASK_SERVICE_BASE_URL'],
    ["await fetch(environment['TASK_SERVICE_HOST']);", 'TASK_SERVICE_HOST'],
  ].map(([code = '', part = '']) => ({
    rule: servicesDoNotCall,
    mistake: `a service calls another: ${code}`,
    changes: own(code),
    says: [`${OWN}:1: it has ${part}, the address of a service of this repository. ${TASK}`],
  })),
  {
    rule: servicesDoNotCall,
    mistake: "a service invokes another's function, and is given the address of the API",
    changes: {
      ...own("import { LambdaClient } from '@aws-sdk/client-lambda';"),
      [`${SERVICE}/functions.yml`]: [
        '    access:\n      queues: [SamplesQueue]',
        '      API: !Sub https://${HttpApi}.example.com\n      TASK_SERVICE_URL: ${param:tasks}\n    access:\n      queues: [SamplesQueue]',
      ],
    },
    says: [
      `${OWN}:1: it imports @aws-sdk/client-lambda, which calls functions. ${TASK}`,
      `${SERVICE}/functions.yml:{API:}: API of samplesServiceApi is the address of a service of this repository. ${TASK}`,
      `${SERVICE}/functions.yml:{TASK_SERVICE_URL}: TASK_SERVICE_URL of samplesServiceApi is the address of a service of this repository. ${TASK}`,
    ],
  },
  {
    rule: tablesHaveOneOwner,
    mistake: 'a service uses the table of another',
    changes: {
      'functions/task-service/own.ts': "export const table = 'SAMPLES_TABLE';\n",
      'functions/task-service/functions.yml': [
        '    access:\n',
        '    environment: { THEIRS: "baton-${sls:stage}-samples" }\n    access:\n',
      ],
      'worker/functions.yml': ['tables: {', 'tables: { SamplesTable: [get],'],
    },
    says: [
      `worker/functions.yml:{SamplesTable}: worker may use SamplesTable, the table of ${SERVICE}. Delete it, and ask ${SERVICE} by a task.`,
      `functions/task-service/own.ts:1: it names SAMPLES_TABLE, the table of ${SERVICE}. Delete it, and ask ${SERVICE} by a task.`,
      `functions/task-service/functions.yml:{THEIRS}: THEIRS of taskServiceApi is baton-\${sls:stage}-samples, the table of ${SERVICE}. Delete it, and ask ${SERVICE} by a task.`,
    ],
  },
];

/** Mistakes with the environment, and with files. */
const files: readonly Broken[] = [
  ...[
    ['export const a = process.env.A;', 'process.env'],
    ["export const a = process['env'];", 'process.env'],
    ['export const { env } = process;', 'process.env'],
    ['export const a = globalThis.process.env;', 'globalThis.process.env'],
    ["import process from 'node:process';", 'node:process'],
    ["import { env } from 'process';", 'process'],
  ].map(([code = '', part = '']) => ({
    rule: environmentIsRead,
    mistake: `code reads the environment: ${code}`,
    changes: own(code),
    says: [`${OWN}:1: it reads ${part}. ${READ_CONFIG}`],
  })),
  {
    rule: variablesAreListed,
    mistake: 'a variable is listed nowhere',
    changes: {
      [`${SERVICE}/config.ts`]: [
        'z.object({',
        'z.object({ CARRIER_URL: z.url().default(DEFAULTS.NO_VARIABLE),',
      ],
    },
    says: [
      `${SERVICE}/config.ts:{CARRIER_URL}: it reads CARRIER_URL, and ${SERVICE}/functions.yml gives it to no function. Write "carrier-url: what it means" under parameters: at the top, and CARRIER_URL: \${param:carrier-url, ''} under the environment of the functions that need it.`,
      `${SERVICE}/config.ts:{CARRIER_URL}: it reads CARRIER_URL, and ${SERVICE}/.env.example does not list it. Write CARRIER_URL= there, with what it means.`,
      `${SERVICE}/config.ts:{CARRIER_URL}: it reads CARRIER_URL, and its entry in the compose file does not set it. Write CARRIER_URL under the environment of samples-service in docker-compose.localstack.yml.`,
    ],
  },
  {
    rule: variablesAreListed,
    mistake: 'no function may read a secret',
    changes: {
      [`${SERVICE}/config.ts`]: [
        'export const variables',
        'export const secrets = z.object({ SAMPLES_TABLE: z.string(), CARRIER_KEY: z.string() });\nexport const variables',
      ],
      [`${SERVICE}/.env.example`]: ['SAMPLES_TABLE=', 'CARRIER_KEY=\nSAMPLES_TABLE='],
    },
    says: [
      `${SERVICE}/config.ts:{CARRIER_KEY}: it reads CARRIER_KEY, and ${SERVICE}/functions.yml gives it to no function. Write "carrier-key: The ARN of the secret, and what it is for" under parameters: at the top, and secrets: { CARRIER_KEY: carrier-key } under the access of the functions that need it.`,
      `${SERVICE}/config.ts:{CARRIER_KEY}: it reads CARRIER_KEY, and its entry in the compose file does not set it. Write CARRIER_KEY under the environment of samples-service in docker-compose.localstack.yml.`,
    ],
  },
  {
    rule: functionsHaveVariables,
    mistake: 'a function lacks a variable',
    changes: {
      [`${SERVICE}/functions.yml`]: [
        "    timeout: 30\n    environment:\n      SAMPLES_TABLE: baton-${sls:stage}-samples\n      SAMPLES_RETENTION_DAYS: ${param:samples-retention-days, ''}\n",
        '    timeout: 30\n',
      ],
    },
    says: [
      `${SERVICE}/functions.yml:{samplesServiceRecords}: samplesServiceRecords is not given SAMPLES_TABLE, which ${SERVICE}/config.ts requires: it would not start. Write SAMPLES_TABLE: baton-\${sls:stage}-samples under its environment.`,
    ],
  },
  {
    rule: functionsHaveVariables,
    mistake: 'a function lacks a secret',
    changes: {
      [`${SERVICE}/config.ts`]: [
        'export const variables',
        "export const secrets = z.object({ CARRIER_KEY: text('a key') });\nexport const variables",
      ],
      [`${SERVICE}/functions.yml`]: [
        'TasksTable: [get, send] }\n',
        'TasksTable: [get, send] }\n      secrets: { CARRIER_KEY: carrier-key }\n',
      ],
    },
    says: [
      `${SERVICE}/functions.yml:{timeout: 30\n    environment:\n      SAMPLES_TABLE: baton-\${sls:stage}-samples\n      SAMPLES_RETENTION_DAYS: \${param:samples-retention-days, ''}\n    access:}: samplesServiceRecords is not given CARRIER_KEY, which ${SERVICE}/config.ts requires: it would not start. Write "carrier-key: The ARN of the secret, and what it is for" under parameters: at the top, and secrets: { CARRIER_KEY: carrier-key } under its access.`,
    ],
  },
  {
    rule: codeIsTypeScript,
    mistake: 'code is JavaScript',
    changes: { [`${SERVICE}/own.mjs`]: '' },
    says: [`${SERVICE}/own.mjs: these rules do not read it. Call it .ts, and write it as an ES module.`],
  },
  {
    rule: codeIsRead,
    mistake: 'code cannot be read',
    changes: own('\nconst = 1;'),
    says: [
      `${OWN}:2: Unexpected token (2:6). Correct it: until then, rules that need the code are not checked.`,
    ],
  },
  {
    rule: filesHaveNames,
    mistake: 'a file is called utils',
    changes: { 'common/tasks/utils.ts': '' },
    says: [
      'common/tasks/utils.ts: its name says nothing of what is in it. Name it after the noun that it is about.',
    ],
  },
  {
    rule: contractsInFolder,
    mistake: 'a contract stands in a service, another is not exported',
    changes: {
      ...own("import { defineTask } from 'baton-tasks';\nexport const mine = defineTask({});"),
      'common/contracts/own.ts':
        "import * as baton from 'baton-tasks';\nconst hidden = baton.defineTask({});\n",
    },
    says: [
      'common/contracts/own.ts:2: it does not export hidden: no rule and no npm run contracts sees it. Write export const hidden.',
      `${OWN}:2: it defines mine outside common/contracts: no rule and no npm run contracts sees it. Move it to a file of common/contracts, and export it.`,
    ],
  },
];

/** Mistakes between services, with the environment, and with files. */
export const brokenServices: readonly Broken[] = [...services, ...files];
