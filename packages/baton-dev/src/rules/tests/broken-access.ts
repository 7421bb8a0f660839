import { accessCoversTables, accessCoversTasks, accessIsUnderstood, trackingIsSaid } from '../access.ts';
import { type Broken, OWN, SERVICE } from './broken.ts';

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
      `${YML}:{access:}: The access of the function samplesServiceApi names SampleQueue: expected the logical id of a queue of this stack. Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query] } } with the logical ids of what it uses, or {}.`,
      'functions/task-service/functions.yml:{taskServiceApi:}: The function taskServiceApi has no access: expected the queues that it sends to and the tables that it uses, or {} for none. Write access: { queues: [IDS], tables: { ID: [get, put, update, delete, query] } } with the logical ids of what it uses, or {}.',
    ],
  },
  {
    rule: accessCoversTasks,
    mistake: 'an API may not send what it sends, nor write the task store',
    changes: {
      [YML]: [
        '      queues: [SamplesQueue]\n      tables: { SamplesTable: [get, put, update], TasksTable: [get, put] }',
        '      tables: { SamplesTable: [get, put, update], TasksTable: [get] }',
      ],
    },
    says: [
      `${SERVICE}/api.ts:{tasks.send(}: it sends samples.record, and samplesServiceApi may not: AWS would refuse it. Write queues: [SamplesQueue] and tables: { TasksTable: [get, put] } under the access of samplesServiceApi in ${YML}.`,
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
      `${SERVICE}/store.ts:4: it sends ${name}, and samplesServiceApi and samplesServiceRecords may not: AWS would refuse it. Write queues: [SamplesQueue, DefaultQueue] under the access of samplesServiceApi in ${YML}.`,
      `${SERVICE}/handlers.ts:{createTrackedConsumer(}: it runs tracked tasks, whose ends may be told on any queue, and samplesServiceRecords may not: AWS would refuse it. Write queues: all under the access of samplesServiceRecords in ${YML}.`,
    ],
  })),
  {
    rule: accessCoversTasks,
    mistake: 'the worker and task-service may not use the task store',
    changes: {
      [WORKER_YML]: ['TasksTable: [get, get-batch, put, update]', 'TasksTable: [get]'],
      'functions/task-service/functions.yml': ['queues: all', 'queues: [DefaultQueue]'],
    },
    says: [
      `worker/lambda.ts:{createWorkerFunction(}: it runs tracked tasks, whose ends may be told on any queue, and worker may not: AWS would refuse it. Write tables: { TasksTable: [get, get-batch, update] } under the access of worker in ${WORKER_YML}.`,
      'functions/task-service/api.ts:{tasks.cancel(}: it calls tasks.cancel, and taskServiceApi may not: AWS would refuse it. Write queues: all under the access of taskServiceApi in functions/task-service/functions.yml.',
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
      `${SERVICE}/store.ts:{new Intake(}: Intake needs put, and no function of ${SERVICE} may: AWS would refuse it. Write tables: { SamplesTable: [put] } under the access of the function that calls it in ${YML}.`,
      `${OWN}:1: DeleteCommand needs delete, and no function of ${SERVICE} may: AWS would refuse it. Write tables: { SamplesTable: [delete] } under the access of the function that calls it in ${YML}.`,
      `${OWN}:2: a ScanCommand is something that no access allows. Query an index of the table by its IndexName, or get, put, update and delete single rows.`,
      `${OWN}:3: a QueryCommand without an IndexName is something that no access allows. Query an index of the table by its IndexName, or get, put, update and delete single rows.`,
      `${OWN}:4: QueryCommand needs query, and no function of ${SERVICE} may: AWS would refuse it. Write tables: { SamplesTable: [query] } under the access of the function that calls it in ${YML}.`,
    ],
  },
  {
    rule: accessCoversTables,
    mistake: 'a function is given a table that it may not use',
    changes: { [YML]: ['SamplesTable: [update], ', ''] },
    says: [
      `${YML}:{timeout: 30\n    environment:\n      S}: samplesServiceRecords is given SAMPLES_TABLE, and may not use SamplesTable. Write tables: { SamplesTable: [get] } under its access, with what it does there.`,
    ],
  },
  {
    rule: trackingIsSaid,
    mistake: 'a service sends a tracked task without a task store',
    changes: { [`${SERVICE}/service.ts`]: ['  tracks: true,\n', ''] },
    says: [
      `${SERVICE}/service.ts:{createService(}: the service has no task store, and sends the tracked task samples.record in ${SERVICE}/api.ts:16. Write tracks: true.`,
    ],
  },
];
