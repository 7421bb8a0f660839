import { describe, expect, test } from '@jest/globals';
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { PostponeTask, RejectTask, RetryTask } from '../../task/errors.ts';
import { implement, Implementations, type TaskContext } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../../lambda/lambda-consumer.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { Settler } from '../../sqs/settler.ts';
import { defineTask } from '../../task/task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { LambdaExecutor } from '../lambda-executor.ts';
import { OwnExecutor } from '../executor.ts';
import { QueueRunner } from '../queue-runner.ts';
import { Slots } from '../slots.ts';
import type { SQSEvent } from 'aws-lambda';
import * as z from 'zod';
import { messageBody, receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

/** Has three attempts, rests of up to 60 and 120 s, and a short time limit, so that tests wait less. */
const work = {
  ...defineTask({
    name: 'tests.work',
    queue: 'work',
    payload: z.object({ text: z.string() }),
    result: z.object({ length: z.int() }),
    retry: { maxAttempts: 3, baseSeconds: 60 },
    timeoutSeconds: 1,
  }),
  timeoutSeconds: 0.05,
};
const logger = createLogger({ service: 'tests', level: 'silent' });
const queueUrls = new QueueUrls('http://sqs/0/');

type Handler = (context: TaskContext) => unknown;
type Call = readonly [action: string, queue: string, what: unknown];

const DELETE: Call = ['DeleteMessageBatch', 'work', 'r-1'];
const hide = (from: number, to = from): Call => ['ChangeMessageVisibilityBatch', 'work', { from, to }];
/** A copy with the count of releases because of an unknown task, or of the attempts that are used up. */
const copy = (noted: string): Call[] => [['SendMessageBatch', 'work', noted], DELETE];
const deadLetter = (reason: string): Call[] => [['SendMessageBatch', 'work-dlq', reason], DELETE];

/** A call, short enough for a table. */
function callOf({ constructor, input }: { constructor: { name: string }; input: object }): Call {
  const { QueueUrl, Entries } = input as { QueueUrl: string; Entries: Record<string, unknown>[] };
  const [entry = {}] = Entries;
  const attributes = entry['MessageAttributes'] as Record<string, { StringValue: string }> | undefined;
  const earlier = attributes?.['baton.earlier-attempts']?.StringValue;
  const what =
    attributes?.['baton.reason']?.StringValue ??
    attributes?.['baton.unknown-times']?.StringValue ??
    (earlier && `${earlier} earlier`) ??
    entry['VisibilityTimeout'] ??
    entry['ReceiptHandle'];
  return [constructor.name.replace('Command', ''), QueueUrl.replace('http://sqs/0/', ''), what];
}

/** A message with this body at this receive. */
function messageOf(body: string, receiveCount: number, noted?: string) {
  const notes = noted === undefined ? {} : { 'baton.unknown-times': noted };
  return receivedMessage({ body, receiveCount, attributes: textAttributes(notes) });
}

const bodyOf = (task = work.name, data: unknown = { text: 'four' }): string => messageBody({ task, data });

/** Lets a worker run and settle one message. Returns the calls to SQS. */
async function run(kind: 'own' | 'lambda', handler: Handler, message: ReturnType<typeof messageOf>) {
  const calls: Call[] = [];
  const sqs = {
    send: async (command: { constructor: { name: string }; input: { Entries: object[] } }) => {
      calls.push(callOf(command));
      return { Successful: command.input.Entries };
    },
  } as unknown as SQSClient;
  const processing = {
    implementations: new Implementations([implement(work, (_payload, context) => handler(context) as never)]),
    send: (async () => ({ taskId: 'sent' })) as never,
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.05,
  };
  const consumer = createLambdaConsumer({ ...processing, sqs, queueUrls });
  const runner = new QueueRunner({
    queue: 'work',
    slots: new Slots(1),
    executor: kind === 'own' ? new OwnExecutor('work', processing) : lambdaExecutorOf(consumer),
    settler: new Settler(sqs, queueUrls, 'work'),
    leaseSeconds: 30,
    workerId: 'w-1',
    logger,
  });
  await runner.runIfSlotIsFree(message, performance.now());
  await runner.whenIdle();
  return calls;
}

function lambdaExecutorOf(consumer: ReturnType<typeof createLambdaConsumer>) {
  const send = async ({ input }: InvokeCommand) => {
    const event = JSON.parse(input.Payload as unknown as string) as SQSEvent;
    const answer = await consumer(event, { getRemainingTimeInMillis: () => 60_000 });
    return { ExecutedVersion: '$LATEST', Payload: Buffer.from(JSON.stringify(answer)) };
  };
  return new LambdaExecutor({
    lambda: { send } as unknown as LambdaClient,
    target: { queue: 'work', functionName: 'f', batchSize: 1, maximumConcurrency: 1 },
    queueUrl: queueUrls.of('work'),
    region: 'us-east-1',
    slots: new Slots(1),
    leaseSeconds: 30,
    logger,
  });
}

const returns: Handler = () => ({ length: 4 });
const throws =
  (thrown: unknown): Handler =>
  () => {
    throw thrown;
  };
const untilAborted: Handler = ({ signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const never: Handler = () => new Promise(() => undefined);
const mustNotRun: Handler = () => {
  throw new Error('A message ran that is not a task of this worker');
};

const FIRST = { from: 30, to: 60 };
const SECOND = { from: 60, to: 120 };

const ATTEMPTS: [what: string, handler: Handler, attempt: number, calls: readonly Call[]][] = [
  ['returns', returns, 1, [DELETE]],
  ['returns', returns, 3, [DELETE]],
  ['returns after its last attempt', returns, 6, [DELETE]],
  ['was received too often for its attempts', mustNotRun, 7, deadLetter('crashed')],
  ['breaks its result schema', () => ({ length: 'four' }), 1, [hide(FIRST.from, FIRST.to)]],
  ['breaks its result schema', () => ({ length: 'four' }), 3, deadLetter('attempts-exhausted')],
  ['throws', throws(new Error('no')), 1, [hide(FIRST.from, FIRST.to)]],
  ['throws', throws(new Error('no')), 2, [hide(SECOND.from, SECOND.to)]],
  ['throws', throws(new Error('no')), 3, deadLetter('attempts-exhausted')],
  ['throws after its last attempt', throws(new Error('no')), 6, deadLetter('attempts-exhausted')],
  ['throws a value other than an error', throws('text'), 1, [hide(FIRST.from, FIRST.to)]],
  ['throws a value that cannot become a text', throws(Object.create(null)), 1, [hide(FIRST.from, FIRST.to)]],
  ['throws undefined', throws(undefined), 3, deadLetter('attempts-exhausted')],
  ['asks for a rest of 7 s', throws(new RetryTask('later', { delaySeconds: 7 })), 1, [hide(7)]],
  ['asks for a rest of 7 s', throws(new RetryTask('later', { delaySeconds: 7 })), 2, [hide(7)]],
  [
    'asks for a rest of 7 s',
    throws(new RetryTask('later', { delaySeconds: 7 })),
    3,
    deadLetter('attempts-exhausted'),
  ],
  [
    'asks for a rest of a day',
    throws(new RetryTask('later', { delaySeconds: 86_400 })),
    1,
    [hide(41_400, 43_200)],
  ],
  ['asks for the rest of its retry policy', throws(new RetryTask('later')), 1, [hide(FIRST.from, FIRST.to)]],
  ['postpones for 7 s', throws(new PostponeTask('not now', { delaySeconds: 7 })), 1, [hide(7)]],
  ['postpones for 7 s', throws(new PostponeTask('not now', { delaySeconds: 7 })), 3, copy('2 earlier')],
  [
    'postpones for 7 s after its last attempt',
    throws(new PostponeTask('not now', { delaySeconds: 7 })),
    6,
    copy('2 earlier'),
  ],
  ['postpones for 0.2 s', throws(new PostponeTask('not now', { delaySeconds: 0.2 })), 1, [hide(1)]],
  [
    'postpones for a day',
    throws(new PostponeTask('not now', { delaySeconds: 86_400 })),
    1,
    [hide(41_400, 43_200)],
  ],
  ['rejects', throws(new RejectTask('never')), 1, deadLetter('rejected')],
  ['rejects', throws(new RejectTask('never')), 3, deadLetter('rejected')],
  ['takes too long', untilAborted, 1, [hide(FIRST.from, FIRST.to)]],
  ['takes too long', untilAborted, 3, deadLetter('timed-out')],
  ['takes too long and ignores its signal', never, 1, [hide(FIRST.from, FIRST.to)]],
  ['takes too long and ignores its signal', never, 3, deadLetter('timed-out')],
];

const NEW = bodyOf('tests.new');
const BODIES: [
  what: string,
  body: string,
  attempt: number,
  noted: string | undefined,
  calls: readonly Call[],
][] = [
  ['is not JSON', 'hello', 1, undefined, deadLetter('malformed')],
  ['is not JSON', 'hello', 9, undefined, deadLetter('malformed')],
  ['is empty JSON', '{}', 1, undefined, deadLetter('malformed')],
  ['is not an envelope', '{"specversion":"1.0","data":{}}', 1, undefined, deadLetter('malformed')],
  ['breaks its payload schema', bodyOf(work.name, { text: 4 }), 1, undefined, deadLetter('invalid-payload')],
  ['breaks its payload schema', bodyOf(work.name, null), 3, undefined, deadLetter('invalid-payload')],
  ['names an unknown task', NEW, 1, undefined, copy('1')],
  ['names an unknown task', NEW, 1, '4', copy('5')],
  ['names an unknown task', NEW, 9, '12', copy('13')],
  ['names an unknown task', NEW, 1, '27', copy('28')],
  ['has named an unknown task for too long', NEW, 1, '28', deadLetter('unknown-task')],
  ['names an unknown task and has an invalid note', NEW, 1, 'soon', copy('1')],
];

/** Replaces each rest by the range in `expected` if it is within this range. */
function rounded(calls: readonly Call[], expected: readonly Call[]): Call[] {
  return calls.map(([action, queue, what], index) => {
    const range = expected[index]?.[2] as { from: number; to: number };
    const within = typeof what === 'number' && what >= range.from && what <= range.to;
    return [action, queue, within ? range : what];
  });
}

describe.each(['own', 'lambda'] as const)('with the %s executor, the calls to SQS are right', (kind) => {
  test.each(ATTEMPTS.map(([what, handler, attempt, calls]) => ({ what, handler, attempt, calls })))(
    'if the task $what, at attempt $attempt',
    async ({ handler, attempt, calls }) => {
      const seen = await run(kind, handler, messageOf(bodyOf(), attempt));
      expect(rounded(seen, calls)).toEqual(calls);
    },
  );

  test.each(BODIES.map(([what, body, attempt, noted, calls]) => ({ what, body, attempt, noted, calls })))(
    'if the body $what, at receive $attempt with the note $noted',
    async ({ body, attempt, noted, calls }) => {
      const seen = await run(kind, mustNotRun, messageOf(body, attempt, noted));
      expect(rounded(seen, calls)).toEqual(calls);
    },
  );
});
