import { apisAnswerInTime, handlersExist } from '../functions.ts';
import {
  deadLettersAreKept,
  leasesAreLongEnough,
  queuesAreEncrypted,
  queuesArePlain,
  queuesHaveDeadLetters,
} from '../queues.ts';
import { namesHaveStage, serverlessNamesNoService, stackIsDescribed } from '../stack.ts';
import { tablesAreKept } from '../tables.ts';
import { type Broken, SERVICE } from './broken.ts';
import { contract, file, QUEUE, running } from './packing.ts';
import type { Changes } from './sample-tree.ts';

const YML = `${SERVICE}/functions.yml`;
const WORKER_YML = 'worker/functions.yml';
const PROPERTIES = '\n      Type: AWS::SQS::Queue\n      Properties';

/** A change of the service's functions.yml. */
const yml = (part: string, other: string): Changes => ({ [YML]: [part, other] });

/** Mistakes in what functions.yml describes. */
const stack: readonly Broken[] = [
  {
    rule: stackIsDescribed,
    mistake: 'a functions.yml has a misspelt member',
    changes: { 'functions/task-service/functions.yml': 'functons: {}\n' },
    says: [
      'functions/task-service/functions.yml: ✖ Unrecognized key: "functons". Correct it: until then, rules that need the stack are not checked.',
    ],
  },
  {
    rule: stackIsDescribed,
    mistake: 'a queue names a dead-letter queue that is not described',
    changes: yml('    SamplesDeadLetters:\n', '    SampleDeadLetters:\n'),
    says: [
      `${YML}:{    SamplesQueue:\n}: SamplesQueue.RedrivePolicy.deadLetterTargetArn: expected !GetAtt, then a queue of this stack and .Arn, got {"Fn::GetAtt":["SamplesDeadLetters","Arn"]}. Correct it: until then, rules that need the stack are not checked.`,
    ],
  },
  {
    rule: stackIsDescribed,
    mistake: 'two services describe one table',
    changes: {
      'functions/task-service/functions.yml':
        'resources:\n  Resources:\n    SamplesTable: { Type: A, Properties: {} }\n',
    },
    says: [
      'functions/task-service/functions.yml:3: Two parts of the stack have a resource SamplesTable: expected different names. Correct it: until then, rules that need the stack are not checked.',
    ],
  },
  {
    rule: namesHaveStage,
    mistake: 'a queue and a table have one name for all stages',
    changes: {
      ...yml('TableName: baton-${sls:stage}-samples', 'TableName: samples'),
      [WORKER_YML]: ['baton-${sls:stage}-default-dlq', 'baton-default-dlq'],
    },
    says: [
      `${WORKER_YML}:{baton-default-dlq}: DefaultDeadLetters is called baton-default-dlq in every stage. Write QueueName: baton-\${sls:stage}-default-dlq.`,
      `${YML}:{TableName: samples}: SamplesTable is called samples in every stage. Write TableName: baton-\${sls:stage}-samples.`,
    ],
  },
  {
    rule: serverlessNamesNoService,
    mistake: 'serverless.yml has a function of its own',
    changes: { 'serverless.yml': ['functions: ${file', 'functions:\n  - ${file'] },
    says: [
      "serverless.yml:{functions:}: its functions are not those that the services' functions.yml describe. Write functions: ${file(./packages/baton-dev/src/stack/services.js):functions}, and describe your own in the functions.yml of a service.",
    ],
  },
  {
    rule: handlersExist,
    mistake: 'handlers are misspelt',
    changes: {
      ...yml(`handler: ${SERVICE}/handlers.records`, `handler: ${SERVICE}/handlers.recods`),
      [`${SERVICE}/handlers.ts`]: 'export const records = 1;\n',
    },
    says: [
      `${YML}:{handlers.recods}: samplesServiceRecords has the handler ${SERVICE}/handlers.recods, and ${SERVICE}/handlers.ts exports no recods. Write one of its exports behind the dot: records.`,
    ],
  },
  {
    rule: handlersExist,
    mistake: 'handlers are those of another folder, or of no file',
    changes: {
      ...yml(`handler: ${SERVICE}/api.handler`, `handler: ${SERVICE}/apis.handler`),
      [WORKER_YML]: ['handler: worker/lambda.handler', `handler: ${SERVICE}/api.handler`],
    },
    says: [
      `${YML}:{apis.handler}: samplesServiceApi has the handler ${SERVICE}/apis.handler, and there is no ${SERVICE}/apis.ts. Name a file that exists, such as ${SERVICE}/api.handler.`,
      `${WORKER_YML}:{handler:}: worker has the handler ${SERVICE}/api.handler. Name one of this folder, such as worker/api.handler.`,
    ],
  },
  {
    rule: apisAnswerInTime,
    mistake: 'an API takes a minute',
    changes: yml('  samplesServiceApi:\n', '  samplesServiceApi:\n    timeout: 60\n'),
    says: [
      `${YML}:{timeout: 60}: samplesServiceApi may take 60 s, and API Gateway waits 30 s. Write timeout: 29 or less, and do what takes longer in a task.`,
    ],
  },
  {
    rule: tablesAreKept,
    mistake: 'a table cannot be restored, keeps all and costs while it rests',
    changes: {
      [YML]: [
        '        TimeToLiveSpecification: { AttributeName: expiresAt, Enabled: true }\n        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }\n',
        '',
      ],
    },
    says: [
      `${YML}:{AWS::DynamoDB::Table\n      Properties}: the table SamplesTable cannot be restored to a time. Write PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true }.`,
      `${YML}:{AWS::DynamoDB::Table\n      Properties}: the table SamplesTable keeps rows that have expired: Intake writes expiresAt. Write TimeToLiveSpecification: { AttributeName: expiresAt, Enabled: true }.`,
    ],
  },
];

/** Mistakes with queues. */
const queues: readonly Broken[] = [
  {
    rule: queuesHaveDeadLetters,
    mistake: 'a queue has no dead-letter queue',
    changes: yml(
      '        RedrivePolicy: { deadLetterTargetArn: !GetAtt SamplesDeadLetters.Arn, maxReceiveCount: 30 }\n',
      '',
    ),
    says: [
      `${YML}:{    SamplesQueue:${PROPERTIES}}: the queue SamplesQueue has no dead-letter queue. Write RedrivePolicy: { deadLetterTargetArn: !GetAtt SamplesDeadLetters.Arn, maxReceiveCount: 30 }.`,
      `${YML}:{    SamplesDeadLetters:${PROPERTIES}}: no queue has the dead-letter queue SamplesDeadLetters. Write RedrivePolicy: { deadLetterTargetArn: !GetAtt SamplesDeadLetters.Arn, maxReceiveCount: 30 } in the queue that it is for.`,
    ],
  },
  {
    rule: queuesHaveDeadLetters,
    mistake: 'a queue has no dead-letter queue, and none is described',
    changes: {
      [WORKER_YML]: [
        QUEUE[0],
        `${QUEUE[0]}    PackingQueue: { Type: AWS::SQS::Queue, Properties: { QueueName: 'baton-\${sls:stage}-packing' } }\n`,
      ],
    },
    says: [
      `${WORKER_YML}:{PackingQueue: {}: the queue PackingQueue has no dead-letter queue. Write RedrivePolicy: { deadLetterTargetArn: !GetAtt PackingDeadLetters.Arn, maxReceiveCount: 30 }, and under resources: Resources: PackingDeadLetters: { Type: AWS::SQS::Queue, Properties: { QueueName: 'baton-\${sls:stage}-packing-dlq', MessageRetentionPeriod: 1209600, SqsManagedSseEnabled: true } }.`,
    ],
  },
  {
    rule: queuesHaveDeadLetters,
    mistake: 'SQS gives up early, and the dead-letter queue has another name',
    changes: {
      [YML]: ['maxReceiveCount: 30', 'maxReceiveCount: 5'],
      [WORKER_YML]: ['-default-dlq', '-default-dead'],
    },
    says: [
      `${YML}:{RedrivePolicy}: SQS gives up a message of SamplesQueue after 5 receives, before its task's retry policy does, and gives no reason. Write RedrivePolicy: { deadLetterTargetArn: !GetAtt SamplesDeadLetters.Arn, maxReceiveCount: 30 }.`,
      `${WORKER_YML}:{-default-dead}: the dead-letter queue DefaultDeadLetters of DefaultQueue is called baton-\${sls:stage}-default-dead. Write QueueName: baton-\${sls:stage}-default-dlq.`,
    ],
  },
  {
    rule: queuesHaveDeadLetters,
    mistake: 'a retry policy has more attempts than SQS allows',
    changes: { ...file, [WORKER_YML]: QUEUE },
    options: running(contract({ retry: { maxAttempts: 50, baseSeconds: 1 } })),
    says: [
      `${WORKER_YML}:{RedrivePolicy}: SQS gives up a message of PackingQueue after 30 receives, before its task's retry policy does, and gives no reason. Write RedrivePolicy: { deadLetterTargetArn: !GetAtt PackingDeadLetters.Arn, maxReceiveCount: 51 }.`,
    ],
  },
  {
    rule: deadLettersAreKept,
    mistake: 'dead letters are kept as long as messages, or not for a time of their own',
    changes: {
      [YML]: ['1209600', '604800'],
      [WORKER_YML]: ['        MessageRetentionPeriod: 1209600\n', ''],
    },
    says: [
      `${YML}:{samples-dlq\n        Message}: the dead-letter queue SamplesDeadLetters keeps messages for 604800 s, and SamplesQueue for 604800 s. Write MessageRetentionPeriod: 1209600 (14 days), and a shorter one in SamplesQueue: 604800 (7 days).`,
      `${WORKER_YML}:{    DefaultDeadLetters:${PROPERTIES}}: the dead-letter queue DefaultDeadLetters keeps messages for 345600 s, and DefaultQueue for 604800 s. Write MessageRetentionPeriod: 1209600 (14 days), and a shorter one in DefaultQueue: 604800 (7 days).`,
    ],
  },
  {
    rule: leasesAreLongEnough,
    mistake: "a queue of the worker's hides messages for too short a time, another says no time",
    changes: {
      [WORKER_YML]: ['VisibilityTimeout: 540', 'VisibilityTimeout: 180'],
      [YML]: ['        VisibilityTimeout: 180\n', ''],
    },
    says: [
      `${WORKER_YML}:{VisibilityTimeout}: the queue DefaultQueue hides a message for 180 s, and its consumer worker may take 90 s. Write VisibilityTimeout: 540 (6 x 90 s, the timeout of worker).`,
      `${YML}:{    SamplesQueue:${PROPERTIES}}: the queue SamplesQueue hides a message for 30 s, and its consumer samplesServiceRecords may take 30 s. Write VisibilityTimeout: 180 (6 x 30 s, the timeout of samplesServiceRecords).`,
    ],
  },
  {
    rule: leasesAreLongEnough,
    mistake: 'a consumer waits for full batches',
    changes: yml('batchSize: 10', 'batchSize: 10\n          maximumBatchingWindow: 20'),
    says: [
      `${YML}:{VisibilityTimeout}: the queue SamplesQueue hides a message for 180 s, and its consumer samplesServiceRecords may take 30 s. Write VisibilityTimeout: 200 (6 x 30 s, the timeout of samplesServiceRecords, and 20 s for its maximumBatchingWindow).`,
    ],
  },
  {
    rule: queuesArePlain,
    mistake: 'a queue has a key of its own',
    changes: yml(
      'VisibilityTimeout: 180',
      'VisibilityTimeout: 180\n        KmsMasterKeyId: !Ref Key\n        Tags: []',
    ),
    says: [
      `${YML}:{KmsMasterKeyId}: KmsMasterKeyId of the queue SamplesQueue is {"Ref":"Key"}. Write a text, a number, true or false.`,
    ],
  },
  {
    rule: queuesAreEncrypted,
    mistake: 'queues are not encrypted',
    changes: yml('        SqsManagedSseEnabled: true\n', ''),
    says: [
      `${YML}:{    SamplesQueue:${PROPERTIES}}: the queue SamplesQueue is not encrypted. Write SqsManagedSseEnabled: true.`,
      `${YML}:{    SamplesDeadLetters:${PROPERTIES}}: the queue SamplesDeadLetters is not encrypted. Write SqsManagedSseEnabled: true.`,
    ],
  },
];

/** Mistakes in what functions.yml describes. */
export const brokenStack: readonly Broken[] = [...stack, ...queues];
