import { accessCoversTables, accessCoversTasks, accessIsUnderstood, trackingIsSaid } from '../access.ts';
import { type Broken, OWN, SERVICE } from './broken.ts';
import { contract, file, running } from './packing.ts';

const YML = `${SERVICE}/functions.yml`;
const WORKER_YML = 'worker/functions.yml';

/** Mistakes with rights. */
export const brokenAccess: readonly Broken[] = [
  {
    rule: accessIsUnderstood,
    mistake: 'an access is missing, and another names a queue that is none',
    changes: {
      [YML]: ['queues: [SamplesQueue]', 'queues: [SampleQueue]'],
      'functions/task-service/functions.yml': ['    access:\n', '    acces:\n'],
    },
    says: [
      `${YML}:{access:}: The access of the function samplesServiceApi names SampleQueue: expected the logical id of a queue of this stack. Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query], TasksTable: [get, send, start, cancel] } } with the logical ids of what it uses, or {}.`,
      'functions/task-service/functions.yml:{taskServiceApi:}: The function taskServiceApi has no access: expected the queues that it sends to and the tables that it uses, or {} for none. Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query], TasksTable: [get, send, start, cancel] } } with the logical ids of what it uses, or {}.',
    ],
  },
  {
    rule: accessCoversTasks,
    mistake: 'an API may not send what it sends, nor write the task store',
    changes: {
      [YML]: [
        '      queues: [SamplesQueue]\n      tables: { SamplesTable: [get, put, update], TasksTable: [get, send] }',
        '      tables: { SamplesTable: [get, put, update], TasksTable: [get] }',
      ],
    },
    says: [
      `${SERVICE}/api.ts:{tasks.send(}: it sends samples.record, and samplesServiceApi may not: AWS would refuse it. Write access: { queues: [SamplesQueue], tables: { SamplesTable: [get, put, update], TasksTable: [get, send] } } in samplesServiceApi of ${YML}.`,
    ],
  },
  ...[
    ['send(weighParcel, {});', 'parcels.weigh'],
    ['tasks.start(chain([weighParcel, recordSample]), {});', 'parcels.weigh'],
    ['export const all = group([member(weighParcel, {})], recordSample);', 'parcels.weigh'],
    ['service?.tasks.send(parcels.weighParcel, {});', 'parcels.weigh'],
  ].map(([code = '', name = '']) => ({
    rule: accessCoversTasks,
    mistake: `a consumer's code sends to a queue of another: ${code}`,
    changes: {
      [YML]: ['      queues: all\n', ''] as const,
      [`${SERVICE}/store.ts`]: `import { weighParcel } from '@baton/common/contracts/parcels';\nimport * as parcels from '@baton/common/contracts/parcels';\nexport class SampleStore {}\n${code}\n`,
    },
    says: [
      `${SERVICE}/store.ts:4: it sends ${name}, and samplesServiceApi and samplesServiceRecords may not: AWS would refuse it. Write access: { queues: [SamplesQueue, DefaultQueue], tables: { SamplesTable: [get, put, update], TasksTable: [get, send] } } in samplesServiceApi of ${YML}, or the same rights in samplesServiceRecords if that runs the code.`,
      `${SERVICE}/handlers.ts:{createTrackedConsumer(}: it runs tracked tasks, whose ends may be told on any queue, and samplesServiceRecords may not: AWS would refuse it. Write access: { queues: all, tables: { SamplesTable: [update], TasksTable: [get, get-batch, update] } } in samplesServiceRecords of ${YML}.`,
    ],
  })),
  {
    rule: accessCoversTasks,
    mistake: 'the worker and task-service may not use the task store',
    changes: {
      [WORKER_YML]: ['TasksTable: [get, get-batch, update]', 'TasksTable: [get]'],
      'functions/task-service/functions.yml': ['queues: all', 'queues: [DefaultQueue]'],
    },
    says: [
      `worker/lambda.ts:{createWorkerFunction(}: it runs tracked tasks, whose ends may be told on any queue, and worker may not: AWS would refuse it. Write access: { queues: all, tables: { TasksTable: [get, get-batch, update] } } in worker of ${WORKER_YML}.`,
      'functions/task-service/api.ts:{tasks.cancel(}: it calls tasks.cancel, and taskServiceApi may not: AWS would refuse it. Write access: { queues: all, tables: { TasksTable: [get, cancel, query] } } in taskServiceApi of functions/task-service/functions.yml.',
    ],
  },
  {
    rule: accessCoversTasks,
    mistake:
      'a worker that may send to all queues may not create the task that it sends, to a queue without dead letters',
    changes: {
      ...file,
      [WORKER_YML]: ['[get, get-batch, update]', '[get, get-batch]'],
      [YML]: [
        '    SamplesQueue:\n',
        "    PackingQueue: { Type: AWS::SQS::Queue, Properties: { QueueName: 'baton-${sls:stage}-packing' } }\n    SamplesQueue:\n",
      ],
      'common/tasks/weigh-parcel.ts': `import { implement } from 'baton-tasks';
import { pack } from '../contracts/packing.ts';
import { weighParcel } from '../contracts/parcels.ts';
export const weighParcelTask = implement(weighParcel, (_payload, { send }) => send(pack, {}));
`,
    },
    options: running(contract({ tracked: true })),
    says: [
      'common/tasks/weigh-parcel.ts:4: it sends packing.pack, and worker may not: AWS would refuse it. Write access: { queues: all, tables: { TasksTable: [get, get-batch, send, update] } } in worker of worker/functions.yml.',
      'worker/lambda.ts:{createWorkerFunction(}: it runs tracked tasks, whose ends may be told on any queue, and worker may not: AWS would refuse it. Write access: { queues: all, tables: { TasksTable: [get, get-batch, send, update] } } in worker of worker/functions.yml.',
    ],
  },
  {
    rule: accessCoversTables,
    mistake: 'no function may do what the store does',
    changes: {
      [YML]: ['SamplesTable: [get, put, update]', 'SamplesTable: [get]'],
      [OWN]:
        "new DeleteCommand({});\nnew ScanCommand({});\nnew QueryCommand({ TableName: 'a' });\nnew QueryCommand(input);\n",
    },
    says: [
      `${SERVICE}/store.ts:{new Intake(}: it uses Intake, and samplesServiceApi may not: AWS would refuse it. Write access: { queues: [SamplesQueue], tables: { SamplesTable: [get, put, update], TasksTable: [get, send] } } in samplesServiceApi of ${YML}.`,
      `${OWN}:1: it sends DeleteCommand, and samplesServiceApi and samplesServiceRecords may not: AWS would refuse it. Write access: { queues: [SamplesQueue], tables: { SamplesTable: [get, put, update, delete], TasksTable: [get, send] } } in samplesServiceApi of ${YML}, or the same rights in samplesServiceRecords if that runs the code.`,
      `${OWN}:2: a ScanCommand is something that no access allows. Query an index of the table by its IndexName, or get, put, update and delete single rows.`,
      `${OWN}:3: a QueryCommand without an IndexName is something that no access allows. Query an index of the table by its IndexName, or get, put, update and delete single rows.`,
      `${OWN}:4: it sends QueryCommand, and samplesServiceApi and samplesServiceRecords may not: AWS would refuse it. Write access: { queues: [SamplesQueue], tables: { SamplesTable: [get, put, update, query], TasksTable: [get, send] } } in samplesServiceApi of ${YML}, or the same rights in samplesServiceRecords if that runs the code.`,
    ],
  },
  {
    rule: accessCoversTables,
    mistake: 'an API may not do what it does, and the consumer beside it may',
    changes: {
      [YML]: [
        'SamplesTable: [get, put, update], TasksTable: [get, send] }',
        'SamplesTable: [put, update], TasksTable: [get, send] }',
      ],
      [`${SERVICE}/handlers.ts`]: [
        'await samples.record(',
        'await samples.find(sampleId);\n  await samples.record(',
      ],
    },
    says: [
      ...['new Intake(', 'new GetCommand('].map(
        (text) =>
          `${SERVICE}/store.ts:{${text}}: it ${text.includes('Intake') ? 'uses Intake' : 'sends GetCommand'}, and samplesServiceApi may not: AWS would refuse it. Write access: { queues: [SamplesQueue], tables: { SamplesTable: [put, update, get], TasksTable: [get, send] } } in samplesServiceApi of ${YML}.`,
      ),
      `${SERVICE}/store.ts:{new GetCommand(}: it sends GetCommand, and samplesServiceRecords may not: AWS would refuse it. Write access: { queues: all, tables: { SamplesTable: [update, get], TasksTable: [get, get-batch, update] } } in samplesServiceRecords of ${YML}.`,
    ],
  },
  {
    rule: accessCoversTables,
    mistake: 'it is not seen for which of two tables a right is',
    changes: {
      [YML]: [
        '    SamplesTable:\n',
        '    OthersTable: { Type: AWS::DynamoDB::Table, Properties: { TableName: others } }\n    SamplesTable:\n',
      ],
      [OWN]: 'new DeleteCommand({});\n',
    },
    says: [
      `${OWN}:1: it sends DeleteCommand, and samplesServiceApi and samplesServiceRecords may not: AWS would refuse it. Write delete under access: tables: OthersTable or SamplesTable in samplesServiceApi of ${YML}, or the same rights in samplesServiceRecords if that runs the code.`,
    ],
  },
  {
    rule: accessCoversTables,
    mistake: 'a function is given a table that it does not use',
    changes: {
      [YML]: ['SamplesTable: [update], ', ''],
      [`${SERVICE}/handlers.ts`]: ['samples.', 'others.'],
    },
    says: [
      `${YML}:{timeout: 30\n    environment:\n      S}: samplesServiceRecords is given SAMPLES_TABLE, and may not use SamplesTable. Write access: { queues: all, tables: { TasksTable: [get, get-batch, update], SamplesTable: [get] } } there, with what it does with the table.`,
    ],
  },
  {
    rule: trackingIsSaid,
    mistake: 'a service sends a tracked task without a task store',
    changes: { [`${SERVICE}/service.ts`]: ['  tracks: true,\n', ''] },
    says: [
      `${SERVICE}/service.ts:{createService(}: the service has no task store, and sends the tracked task samples.record in ${SERVICE}/api.ts:{service.tasks.send(}. Write tracks: true.`,
    ],
  },
];
