import {
  importsAcrossByName,
  importsByTheStandard,
  importsLeadToFiles,
  importsPointOneWay,
  noCircles,
  publicEntriesAlone,
} from '../imports.ts';
import { packagesAreDeclared } from '../packages.ts';
import { prefixesAlone, routesBelowPrefix, routesInApi } from '../routes.ts';
import { type Broken, own, OWN, SERVICE } from './broken.ts';

const SERVICE_MAY = 'A service may import its own folder, common and the library.';
const SEND_A_TASK =
  'No service imports another: send it a task instead (docs/guide.md, "A contract"), and move what both need to common/contracts.';
const NO_TRICKS = "Write an import at the top of the file: import { name } from './file.ts'.";

/** Mistakes in imports. */
const imports: readonly Broken[] = [
  ...[
    "import { service } from '../task-service/service.ts';",
    "export { service } from '../task-service/service.ts';",
    "export * from '../task-service/service.ts';",
    "export type Other = import('../task-service/service.ts').Service;",
    "export const other = {} as typeof import('../task-service/service.ts');",
    "export const other = await import('../task-service/service.ts');",
  ].map((code) => ({
    rule: importsPointOneWay,
    mistake: `a service imports another: ${code}`,
    changes: own(code),
    says: [`${OWN}:1: it imports functions/task-service/service.ts. ${SEND_A_TASK}`],
  })),
  {
    rule: importsPointOneWay,
    mistake: 'a service imports another by the name of its package',
    changes: own("import '@baton/task-service/service';\nimport '@baton/task-service';"),
    says: [
      `${OWN}:1: it imports @baton/task-service/service. ${SEND_A_TASK}`,
      `${OWN}:2: it imports @baton/task-service. ${SEND_A_TASK}`,
    ],
  },
  {
    rule: importsPointOneWay,
    mistake: 'a service imports tools, another the worker',
    changes: own("import 'baton-dev/testing/program';\nimport '../../worker/main.ts';"),
    says: [
      `${OWN}:1: it imports packages/baton-dev/src/testing/program.ts. ${SERVICE_MAY}`,
      `${OWN}:2: it imports worker/main.ts. ${SERVICE_MAY}`,
    ],
  },
  {
    rule: importsPointOneWay,
    mistake: 'the worker imports a service, contracts a task, and tasks a test',
    changes: {
      'worker/own.ts': "import '../functions/task-service/service.ts';\n",
      'common/contracts/own.ts': "import '../tasks/all.ts';\n",
      'common/tasks/own.ts': "import '../tests/own.ts';\n",
    },
    says: [
      'worker/own.ts:1: it imports functions/task-service/service.ts. The worker may import common and the library: move what it runs to common/tasks.',
      'common/contracts/own.ts:1: it imports common/tasks/all.ts. common/contracts may import the library alone: a contract is data.',
      'common/tasks/own.ts:1: it imports common/tests/own.ts. Nothing that is deployed may import tests: move it out of tests.',
    ],
  },
  {
    rule: importsLeadToFiles,
    mistake: 'an import lacks its ending, another its file, a third its entry',
    changes: own(
      "import './store';\nimport './config.js';\nimport './lost.ts';\nimport '@baton/common/lost';",
    ),
    says: [
      `${OWN}:1: it imports ./store, and there is no ${SERVICE}/store. Write './store.ts'.`,
      `${OWN}:2: it imports ./config.js, and there is no ${SERVICE}/config.js. Write './config.ts'.`,
      `${OWN}:3: it imports ./lost.ts, and there is no ${SERVICE}/lost.ts. Import a file that exists, or an entry of the exports of its package.json.`,
      `${OWN}:4: it imports @baton/common/lost, and there is no such entry. Import a file that exists, or an entry of the exports of its package.json.`,
    ],
  },
  {
    rule: publicEntriesAlone,
    mistake: 'code imports the inside of the library, and what is for tests alone',
    changes: {
      ...own("import 'baton-tasks/tooling';\nimport 'baton-tasks/testing';"),
      [`${SERVICE}/tests/own.test.ts`]: "import 'baton-tasks/testing';\nimport 'baton-dev/stack/part';\n",
    },
    says: [
      `${OWN}:1: it imports baton-tasks/tooling. Import baton-tasks, baton-tasks/service, baton-tasks/http, baton-tasks/worker, or in tests baton-tasks/testing and baton-dev/testing/*.`,
      `${OWN}:2: it imports baton-tasks/testing. Import baton-tasks, baton-tasks/service, baton-tasks/http, baton-tasks/worker, or in tests baton-tasks/testing and baton-dev/testing/*.`,
      `${SERVICE}/tests/own.test.ts:2: it imports baton-dev/stack/part. Import baton-tasks, baton-tasks/service, baton-tasks/http, baton-tasks/worker, or in tests baton-tasks/testing and baton-dev/testing/*.`,
    ],
  },
  {
    rule: noCircles,
    mistake: 'a store imports the API',
    changes: { [`${SERVICE}/store.ts`]: "import './api.ts';\n" },
    says: [
      `${SERVICE}/store.ts:1: its import of ${SERVICE}/api.ts closes a circle: ${SERVICE}/api.ts -> ${SERVICE}/store.ts -> ${SERVICE}/api.ts. Take it out, or move what both need to a file of its own.`,
    ],
  },
  {
    rule: importsAcrossByName,
    mistake: 'another package is imported by path, and the own one by name',
    changes: {
      ...own("import '../../common/contracts/samples.ts';"),
      'common/tasks/own.ts': "import '@baton/common/contracts/samples';\n",
    },
    says: [
      `common/tasks/own.ts:1: it imports @baton/common/contracts/samples. Write the relative path of common/contracts/samples.ts.`,
      `${OWN}:1: it imports ../../common/contracts/samples.ts. Write the package's name in place of the path, as the package.json of common has it.`,
    ],
  },
  {
    rule: importsByTheStandard,
    mistake: 'modules are found by other ways',
    changes: {
      ...own(
        "import { createRequire } from 'node:module';\nexport const a = await import('zod');\nexport const b = require('zod');\nModule._resolveFilename = b;\nrequire.resolve('zod');",
      ),
      'tsconfig.json': '{\n  "compilerOptions": { "paths": {} }\n}\n',
    },
    says: [
      `${OWN}:2: it imports while it runs. ${NO_TRICKS}`,
      `${OWN}:1: it finds modules by createRequire. ${NO_TRICKS}`,
      `${OWN}:3: it finds modules by require. ${NO_TRICKS}`,
      `${OWN}:4: it finds modules by Module._resolveFilename. ${NO_TRICKS}`,
      `${OWN}:5: it finds modules by require.resolve. ${NO_TRICKS}`,
      'tsconfig.json:2: it has "compilerOptions": { "paths": {} }. Delete it: Node knows nothing of it. Import a package by its name.',
    ],
  },
  {
    rule: packagesAreDeclared,
    mistake: 'a package of this repository is not listed',
    changes: { [`${SERVICE}/package.json`]: ['"@baton/common": "*",', ''] },
    says: ['api.ts', 'handlers.ts', 'main.ts', 'service.ts', 'store.ts'].map(
      (name) =>
        `${SERVICE}/${name}:{@baton/common/contracts}: it imports @baton/common, which ${SERVICE}/package.json does not list. Write "@baton/common": "*" under dependencies there.`,
    ),
  },
  {
    rule: packagesAreDeclared,
    mistake: 'a package is not listed, and another is listed for nothing',
    changes: {
      ...own("import type { Options } from 'undici/types';"),
      [`${SERVICE}/package.json`]: ['"zod": "*"', '"zod": "*",\n    "uuid": "*"'],
    },
    says: [
      `${OWN}:1: it imports undici, which ${SERVICE}/package.json does not list. Write "undici": "*" under dependencies there, and its exact version in the root's package.json.`,
      `${SERVICE}/package.json:{uuid}: it lists uuid, which no code of ${SERVICE} imports. Delete the line.`,
    ],
  },
];

/** Mistakes in routes. */
const routes: readonly Broken[] = [
  ...(
    [
      [
        "import { route } from 'baton-tasks/http';",
        'imports route',
        "Make the route in the service's api.ts, and import from there what it calls.",
      ],
      [
        "import { createApi as make } from 'baton-tasks/http';",
        'imports createApi',
        "Make the route in the service's api.ts, and import from there what it calls.",
      ],
      [
        "export { route } from 'baton-tasks/http';",
        'exports route',
        "Make the route in the service's api.ts, and import from there what it calls.",
      ],
      [
        "export { route as path } from 'baton-tasks/http';",
        'exports route',
        "Make the route in the service's api.ts, and import from there what it calls.",
      ],
      [
        "import * as http from 'baton-tasks/http';",
        'imports all',
        'Import what you need by its name, and route and createApi in the api.ts of the service alone.',
      ],
      [
        "export * from 'baton-tasks/http';",
        'exports all',
        'Import what you need by its name, and route and createApi in the api.ts of the service alone.',
      ],
    ] as const
  ).map(([code, what, advice]) => ({
    rule: routesInApi,
    mistake: `a route can be made elsewhere: ${code}`,
    changes: own(code),
    says: [`${OWN}:1: it ${what} of baton-tasks/http. ${advice}`],
  })),
  {
    rule: routesInApi,
    mistake: 'a service makes a server of its own',
    changes: own("import * as http from 'node:http';\nhttp.createServer(() => {}).listen(8080);"),
    says: [
      `${OWN}:2: it makes a server of its own, by http.createServer. Make routes in the service's api.ts: runService serves them.`,
    ],
  },
  {
    rule: routesInApi,
    mistake: 'api.ts hands on what makes routes',
    changes: {
      [`${SERVICE}/api.ts`]:
        "import { createApi, route } from 'baton-tasks/http';\nexport { route } from 'baton-tasks/http';\n",
    },
    says: [
      `${SERVICE}/api.ts:2: it exports route of baton-tasks/http. Make all routes in this file: export its handler alone.`,
    ],
  },
  {
    rule: prefixesAlone,
    mistake: 'functions.yml maps a route in place of a prefix',
    changes: { [`${SERVICE}/functions.yml`]: ["'ANY /samples'\n", "'POST /samples'\n"] },
    says: [
      `${SERVICE}/functions.yml:{- httpApi: 'POST}: samplesServiceApi has the event {"httpApi":"POST /samples"}. Write the service's prefix, and its routes in api.ts: - httpApi: 'ANY /payments'.`,
      `${SERVICE}/functions.yml:{/samples/{proxy+}'}: samplesServiceApi has no event 'ANY /samples', and AWS knows POST /samples, ANY /samples/{proxy+} alone. Write - httpApi: 'ANY /samples' beside it.`,
    ],
  },
  {
    rule: prefixesAlone,
    mistake: 'a function has an event that nothing here serves',
    changes: {
      [`${SERVICE}/functions.yml`]: [
        "      - httpApi: 'ANY /samples'\n",
        "      - httpApi: 'ANY /samples'\n      - stream: x\n",
      ],
    },
    says: [
      `${SERVICE}/functions.yml:{stream}: samplesServiceApi has the event {"stream":"x"}. Write an sqs or httpApi event, or give a contract a schedule: nothing else runs on a laptop and in containers.`,
    ],
  },
  {
    rule: prefixesAlone,
    mistake: 'a prefix lacks what is below it, and is that of another service',
    changes: {
      [`${SERVICE}/functions.yml`]: [
        "      - httpApi: 'ANY /samples/{proxy+}'\n",
        "      - httpApi: 'ANY /tasks'\n      - httpApi: 'ANY /tasks/{proxy+}'\n",
      ],
    },
    says: [
      `${SERVICE}/functions.yml:{- httpApi}: samplesServiceApi has no event 'ANY /samples/{proxy+}', and AWS knows ANY /samples, ANY /tasks, ANY /tasks/{proxy+} alone. Write - httpApi: 'ANY /samples/{proxy+}' beside it.`,
      'functions/task-service/functions.yml:{events:}: /tasks leads to taskServiceApi and to samplesServiceApi. Give one of them another prefix.',
    ],
  },
  {
    rule: routesBelowPrefix,
    mistake: 'a route has another prefix',
    changes: { [`${SERVICE}/api.ts`]: ["'GET', '/samples/{sampleId}'", "'GET', '/refunds/{sampleId}'"] },
    says: [
      `${SERVICE}/api.ts:{refunds}: the route /refunds/{sampleId} is below no prefix of ${SERVICE}/functions.yml (/samples). Begin it with one of them, or write the events 'ANY /refunds' and 'ANY /refunds/{proxy+}' there.`,
    ],
  },
];

/** Mistakes in imports and routes. */
export const brokenCode: readonly Broken[] = [...imports, ...routes];
