import { contractsAreListed, linksAreKnown } from '../links.ts';
import {
  consumersAreBounded,
  contractsAreConsumed,
  contractsAreImplemented,
  lanesAreAlike,
  queuesHaveOneConsumer,
} from '../consumers.ts';
import { schedulesAreListed, schedulesAreTicked } from '../schedules.ts';
import { type Broken, OWN, SERVICE } from './broken.ts';
import { contract, file, implemented, PACK, QUEUE, running } from './packing.ts';
import { weighParcel } from './sample-tree.ts';

const YML = `${SERVICE}/functions.yml`;
const WORKER_YML = 'worker/functions.yml';
const PACKED = running(contract());

/** Mistakes with contracts and who consumes them. */
export const brokenConsumers: readonly Broken[] = [
  {
    rule: contractsAreConsumed,
    mistake: "a task of the worker's has no queue",
    changes: { ...file, ...implemented },
    options: running(contract()),
    says: [
      `${PACK}:1: the contract packing.pack is on the queue packing, which no functions.yml describes. Write under resources: Resources: in worker/functions.yml: PackingQueue: { Type: AWS::SQS::Queue, Properties: { QueueName: 'baton-\${sls:stage}-packing', VisibilityTimeout: 540, MessageRetentionPeriod: 604800, SqsManagedSseEnabled: true, RedrivePolicy: { deadLetterTargetArn: !GetAtt PackingDeadLetters.Arn, maxReceiveCount: 30 } } } and PackingDeadLetters: { Type: AWS::SQS::Queue, Properties: { QueueName: 'baton-\${sls:stage}-packing-dlq', MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true } }.`,
    ],
  },
  {
    rule: contractsAreConsumed,
    mistake: 'a queue has no consumer',
    changes: { ...file, [WORKER_YML]: QUEUE },
    options: running(contract(), false),
    says: [
      `${WORKER_YML}:{PackingQueue:}: no function consumes PackingQueue, the queue of packing.pack. Implement packing.pack in common/tasks and list it in common/tasks/all.ts, or write under the events of a function: - sqs: { arn: !GetAtt PackingQueue.Arn, batchSize: 10, maximumConcurrency: 10, functionResponseType: ReportBatchItemFailures }.`,
    ],
  },
  {
    rule: contractsAreConsumed,
    mistake: "a service's consumer has no event",
    changes: { [YML]: ['arn: !GetAtt SamplesQueue.Arn', 'arn: !GetAtt SamplesDeadLetters.Arn'] },
    says: ['samples.record-end', 'samples.record'].map(
      (name) =>
        `${YML}:{    SamplesQueue:\n}: no function consumes SamplesQueue, the queue of ${name}. Write under the events of samplesServiceRecords in ${YML}: - sqs: { arn: !GetAtt SamplesQueue.Arn, batchSize: 10, maximumConcurrency: 10, functionResponseType: ReportBatchItemFailures }.`,
    ),
  },
  {
    rule: contractsAreConsumed,
    mistake: 'contracts take longer than their consumer may, and longer than any may',
    changes: { ...file, ...implemented, [WORKER_YML]: QUEUE, [YML]: ['timeout: 30', 'timeout: 20'] },
    options: running(contract({ timeoutSeconds: 3600 })),
    says: [
      ...['samples.record-end', 'samples.record'].map(
        (name) =>
          `${YML}:{timeout:}: samplesServiceRecords may take 20 s, and ${name} on its queue samples up to 20 s. Write timeout: 30 or more, and a VisibilityTimeout of six times as much for each queue that it consumes.`,
      ),
      `${WORKER_YML}:{timeout:}: worker may take 90 s, and packing.pack on its queue packing up to 3600 s. Give the contract a timeoutSeconds of at most 890: Lambda's longest timeout is 900 s.`,
    ],
  },
  {
    rule: contractsAreImplemented,
    mistake: 'nothing implements a contract',
    changes: file,
    options: running(contract({ queue: 'samples' }), false),
    says: [
      `${PACK}:1: nothing implements the contract packing.pack. Implement it where its queue is consumed, in ${SERVICE}/handlers.ts.`,
    ],
  },
  {
    rule: contractsAreImplemented,
    mistake: 'the worker does not run a task of common/tasks',
    changes: { ...file, ...implemented, [WORKER_YML]: QUEUE },
    options: running(contract(), false),
    says: [
      'common/tasks/pack.ts:3: it implements packing.pack, and the worker does not run it. Add it to allTasks in common/tasks/all.ts.',
    ],
  },
  {
    rule: contractsAreImplemented,
    mistake: 'a service implements a contract whose queue the worker consumes',
    changes: {
      ...file,
      [OWN]: "import { pack } from '@baton/common/contracts/packing';\nmine(pack, () => {});\n",
    },
    options: running(contract({ queue: 'default' }), false),
    says: [
      `${OWN}:2: it implements packing.pack, whose queue default worker consumes. Move it to worker, or give the contract a queue of its own that ${SERVICE} consumes.`,
    ],
  },
  {
    rule: queuesHaveOneConsumer,
    mistake: "a task of the worker's is on the queue of a service",
    changes: { ...file, ...implemented },
    options: running(contract({ queue: 'samples' })),
    says: [
      `${YML}:{    SamplesQueue:\n}: samplesServiceRecords and worker consume SamplesQueue: each gets tasks that it does not know. Give the contracts that common/tasks implements a queue of their own: the worker consumes the queues of all of them.`,
    ],
  },
  {
    rule: queuesHaveOneConsumer,
    mistake: 'two functions consume a queue',
    changes: {
      'functions/task-service/functions.yml': [
        "      - httpApi: 'ANY /tasks'\n",
        "      - httpApi: 'ANY /tasks'\n      - sqs: { arn: !GetAtt SamplesQueue.Arn }\n",
      ],
    },
    says: [
      `${YML}:{    SamplesQueue:\n}: samplesServiceRecords and taskServiceApi consume SamplesQueue: each gets tasks that it does not know. Leave one event on it, and give the other function a queue of its own.`,
    ],
  },
  {
    rule: consumersAreBounded,
    mistake: 'an event source has no bound and does not report',
    changes: {
      [YML]: [
        '          maximumConcurrency: 10\n          functionResponseType: ReportBatchItemFailures\n',
        '',
      ],
    },
    says: [
      `${YML}:{update] }\n    events}: the sqs event of samplesServiceRecords on SamplesQueue does not report which messages of a batch failed. Write functionResponseType: ReportBatchItemFailures.`,
      `${YML}:{update] }\n    events}: the sqs event of samplesServiceRecords on SamplesQueue has no bound on its concurrency. Write maximumConcurrency: 10, or another number from 2 to 1000.`,
    ],
  },
  {
    rule: lanesAreAlike,
    mistake: 'a lane that is described by hand differs, and has another consumer',
    changes: {
      ...file,
      ...implemented,
      [WORKER_YML]: [
        QUEUE[0],
        `${QUEUE[1]}    PackingQueueHighLane:
      Type: AWS::SQS::Queue
      Properties:
        QueueName: baton-\${sls:stage}-packing_high
        VisibilityTimeout: 600
        RedrivePolicy: { deadLetterTargetArn: !GetAtt PackingDeadLetters.Arn, maxReceiveCount: 30 }

`,
      ],
      [YML]: ['arn: !GetAtt SamplesQueue.Arn', 'arn: !GetAtt PackingQueueHighLane.Arn'],
    },
    options: running(contract({ lanes: { high: 2, normal: 1 }, defaultLane: 'normal' })),
    says: [
      `${WORKER_YML}:{PackingQueueHighLane:}: PackingQueueHighLane has other properties than PackingQueue, whose lane it is. Delete PackingQueueHighLane: it follows from the contract.`,
      `${WORKER_YML}:{PackingQueue:}: the lane PackingQueueHighLane is not consumed as PackingQueue is, by worker with the same settings. Delete the event on PackingQueueHighLane: it follows from the contract. Only its maximumConcurrency may differ.`,
    ],
  },
  {
    rule: contractsAreListed,
    mistake: 'a contract is not in the list of all, and one that is not exported is',
    changes: file,
    options: {
      ...PACKED,
      listed: [
        ...(PACKED.exported ?? []).map((each) => each.contract).filter(({ name }) => name !== 'packing.pack'),
        contract({ name: 'packing.unpack' }),
      ],
    },
    says: [
      `${PACK}:1: common/contracts/all.ts does not list packing.pack, so no chain, group or listener that leads to it is followed. Import it there, and add it to allContracts.`,
      'common/contracts/all.ts: it lists packing.unpack, which no file of common/contracts exports. Take it out of allContracts.',
    ],
  },
  {
    rule: linksAreKnown,
    mistake: 'processes that end tasks are not given contracts',
    changes: {
      'worker/main.ts': ['contracts: allContracts, ', ''],
      'worker/lambda.ts': [', { contracts: allContracts }', ''],
      'functions/task-service/service.ts': ['  contracts: allContracts,\n', ''],
      [`${SERVICE}/service.ts`]: ['  contracts: allContracts,\n', ''],
    },
    says: [
      ['worker/main.ts', 'runWorker({', 'runWorker'],
      ['worker/lambda.ts', 'createWorkerFunction(', 'createWorkerFunction'],
      ['functions/task-service/service.ts', 'createService({', 'createService'],
      [`${SERVICE}/service.ts`, 'createService({', 'createService'],
    ].map(
      ([path, part, name]) =>
        `${path}:{${part}}: ${name} is not given the contracts that its tasks may lead to, so what follows them is not sent. Write contracts: allContracts among its options, with allContracts of @baton/common/contracts/all.`,
    ),
  },
  {
    rule: schedulesAreListed,
    mistake: 'a schedule is not listed, and a contract without one is',
    changes: file,
    options: {
      ...running(contract({ tracked: true, schedule: { cron: '0 3 * * *', timeZone: 'UTC' } })),
      scheduled: [weighParcel],
    },
    says: [
      `${PACK}:1: the contract packing.pack has a schedule, and common/contracts/scheduled.ts does not list it. Import it there, and add it to scheduledContracts.`,
      'common/contracts/scheduled.ts: it lists parcels.weigh, which is no contract of common/contracts with a schedule. Take it out of scheduledContracts.',
    ],
  },
  {
    rule: schedulesAreTicked,
    mistake: 'nobody ticks a schedule, and AWS cannot have it',
    changes: file,
    options: running(contract({ tracked: true, schedule: { cron: '0 0 LW * *', timeZone: 'UTC' } }), false),
    says: [
      `${PACK}:1: no worker ticks the schedule of packing.pack: the worker does not run it, and no function consumes packing. Implement it in common/tasks and list it in allTasks, or have a function consume its queue.`,
      `${PACK}:1: The schedule of packing.pack, 0 0 LW * *, cannot be translated for EventBridge Scheduler: day of the month: AWS cannot express LW, expected values, ranges or steps. Write a cron expression that AWS knows, and a name that differs in more than dots and hyphens.`,
    ],
  },
];
