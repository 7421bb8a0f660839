import { randomUUID } from 'node:crypto';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { ClockWatch } from '../../time/clock-watch.ts';
import { decodeEnvelope } from '../../sqs/envelope.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { createLambdaConsumer } from '../lambda-consumer.ts';
import { processMessage } from '../../run/process-message.ts';
import { TaskClient } from '../../send/task-client.ts';
import { Intake, type IntakeRow } from '../../http/intake.ts';
import { StoreTracker } from '../../tracked/store-tracker.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { work } from '../../tracked/tests/tracked-work.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

const HOUR_MS = 3_600_000;
const LEASE_SECONDS = 30;
/** How exact a time is, in milliseconds. A Date header has only whole seconds. */
const EXACT_MS = 2500;

const logger = createLogger({ service: 'tests', level: 'silent' });
let backends: Backends;
let opened: { destroy(): void }[];

beforeAll(async () => {
  backends = await startBackends(['default']);
});
afterAll(() => backends.stop());
beforeEach(() => {
  opened = [];
});
afterEach(() => {
  for (const client of opened) client.destroy();
});

/** The clients and the store of a process whose wall clock is wrong. Tests may set `aheadMs` again. */
function processWith(clock: { aheadMs: number }) {
  const now = (): number => Date.now() + clock.aheadMs;
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const { environment, tasksTable: table } = backends;
  const dynamoDb = new DynamoDBClient({
    region: 'us-east-1',
    credentials,
    endpoint: environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '',
  });
  const documents = DynamoDBDocumentClient.from(dynamoDb, {
    marshallOptions: { removeUndefinedValues: true },
  });
  const sqs = new SQSClient({
    region: 'us-east-1',
    credentials,
    endpoint: environment['AWS_ENDPOINT_URL_SQS'] ?? '',
    useQueueUrlAsEndpoint: false,
  });
  opened.push(dynamoDb, sqs);
  let requests = 0;
  dynamoDb.middlewareStack.add((next) => (args) => ((requests += 1), next(args)), { step: 'build' });
  new ClockWatch('DynamoDB', { now }).listenTo(documents);
  new ClockWatch('SQS', { now }).listenTo(sqs);
  const store = new TaskStore({ documents, table });
  const tasks = new TaskClient({ sqs, queueUrls: backends.queueUrls, source: 'tests', records: store });
  return { documents, store, tasks, requests: () => requests };
}

/** The contract of the same task, without tracking. */
const { tracked: _tracked, ...untracked } = work;

function bodyOf(task: string, notBefore?: string): string {
  return messageBody({ taskId: randomUUID(), task, notBefore, data: { text: 'four' } });
}

const right = () => processWith({ aheadMs: 0 });
const claimOf = (taskId: string, owner: string) => ({
  taskId,
  task: work.name,
  queue: work.queue,
  claimId: randomUUID(),
  owner,
  payloadHash: payloadHashOf({}),
  leaseSeconds: LEASE_SECONDS,
});
const leftMs = (leaseUntilMs = 0): number => leaseUntilMs - Date.now();

const WRONG = [
  ['12 h ahead', 12 * HOUR_MS],
  ['12 h behind', -12 * HOUR_MS],
] as const;

describe.each(WRONG)('a process whose clock is %s', (_what, aheadMs) => {
  test('claims and renews a task for exactly its lease', async () => {
    const { store } = processWith({ aheadMs });
    const taskId = randomUUID();
    const row = await store.attempts.claim(claimOf(taskId, 'wrong'));
    expect(row).toMatchObject({ state: 'running', owner: 'wrong' });
    expect(Math.abs(leftMs(row?.leaseUntilMs) - LEASE_SECONDS * 1000)).toBeLessThan(EXACT_MS);
    const held = { taskId, claimId: row?.claimId ?? '', token: row?.token ?? 0 };
    await expect(store.attempts.renew(held, 60)).resolves.toBe(true);
    const renewed = await store.read(taskId);
    expect(Math.abs(leftMs(renewed?.leaseUntilMs) - 60_000)).toBeLessThan(EXACT_MS);
  });

  test('does not take over a task of another process, even with its very first request', async () => {
    const taskId = randomUUID();
    await right().store.attempts.claim(claimOf(taskId, 'right'));
    const row = await processWith({ aheadMs }).store.attempts.claim(claimOf(taskId, 'wrong'));
    expect(row).toMatchObject({ state: 'running', owner: 'right', token: 1 });
  });

  test('keeps its task, and other processes do not take it over', async () => {
    const taskId = randomUUID();
    await processWith({ aheadMs }).store.attempts.claim(claimOf(taskId, 'wrong'));
    const row = await right().store.attempts.claim(claimOf(taskId, 'right'));
    expect(row).toMatchObject({ owner: 'wrong', token: 1 });
  });

  test('writes true times, and lets no row expire early or late', async () => {
    const { store } = processWith({ aheadMs });
    const taskId = randomUUID();
    const { name: task, queue } = work;
    await store.create({ taskId, task, queue });
    const row = await store.read(taskId);
    expect(Math.abs(Date.parse(row?.createdAt ?? '') - Date.now())).toBeLessThan(EXACT_MS);
    expect(Math.abs((row?.expiresAt ?? 0) * 1000 - Date.now() - 14 * 24 * HOUR_MS)).toBeLessThan(EXACT_MS);
    const cancelled = await store.cancel(taskId);
    expect(Math.abs(Date.parse(cancelled?.finishedAt ?? '') - Date.now())).toBeLessThan(EXACT_MS);
  });

  test('delays tasks exactly by its delay or until its time', async () => {
    const { tasks, store } = processWith({ aheadMs });
    const inAnHour = new Date(Date.now() + HOUR_MS);
    const byLength = await tasks.send(work, { text: 'four' }, { delaySeconds: 3600 });
    const byTime = await tasks.send(work, { text: 'four' }, { notBefore: inAnHour });
    for (const { taskId } of [byLength, byTime]) {
      const row = await store.read(taskId);
      expect(Math.abs(Date.parse(row?.notBefore ?? '') - inAnHour.getTime())).toBeLessThan(EXACT_MS);
    }
  });

  test('does not take over a request earlier than other processes do', async () => {
    const intakeOf = ({ documents }: ReturnType<typeof right>) =>
      new Intake<IntakeRow>({ documents, table: backends.tasksTable, key: 'taskId', logger });
    const id = randomUUID();
    const sending = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const request = { id, requestHash: 'same', row: {}, listing: {} };
    const first = intakeOf(right()).accept({
      ...request,
      sendTask: async () => {
        begun.resolve();
        await sending.promise;
      },
    });
    await begun.promise;
    let sent = 0;
    const wrong = processWith({ aheadMs });
    const second = intakeOf(wrong).accept({ ...request, sendTask: async () => (sent += 1) });
    await eventually('a look at the row', () => wrong.requests() >= 4 || sent > 0);
    sending.resolve();
    await Promise.all([first, second]);
    expect(sent).toBe(0);
  });
});

describe.each([
  ['forward', 12 * HOUR_MS],
  ['back', -12 * HOUR_MS],
])('a process whose clock is set %s while it runs', (_what, aheadMs) => {
  test('renews its claim by the true time, and takes over no other task', async () => {
    const clock = { aheadMs: 0 };
    const { store } = processWith(clock);
    const [own, others] = [randomUUID(), randomUUID()];
    const row = await store.attempts.claim(claimOf(own, 'set'));
    await right().store.attempts.claim(claimOf(others, 'right'));
    clock.aheadMs = aheadMs;
    const held = { taskId: own, claimId: row?.claimId ?? '', token: row?.token ?? 0 };
    await expect(store.attempts.renew(held, LEASE_SECONDS)).resolves.toBe(true);
    const renewed = await store.read(own);
    expect(Math.abs(leftMs(renewed?.leaseUntilMs) - LEASE_SECONDS * 1000)).toBeLessThan(EXACT_MS);
    clock.aheadMs = aheadMs * 2;
    await expect(store.attempts.claim(claimOf(others, 'set'))).resolves.toMatchObject({ owner: 'right' });
  });
});

/** Stands in for the SQS client: accepts every request. Its process knows that its clock is ahead. */
function wrongSqs(aheadMs: number) {
  const commands: { readonly name: string; readonly input: Record<string, unknown> }[] = [];
  const send = async (command: { input: { Entries: { Id: string }[] } }) => {
    commands.push({ name: command.constructor.name, input: command.input });
    return { Successful: command.input.Entries.map(({ Id }) => ({ Id })), Failed: [] };
  };
  const sqs = { send, middlewareStack: new SQSClient({ region: 'us-east-1' }).middlewareStack };
  const watch = new ClockWatch('SQS', { now: () => Date.now() + aheadMs });
  watch.listenTo(sqs);
  watch.hear(new Date().toUTCString(), performance.now());
  return { sqs: sqs as never, commands };
}

test('the envelope of a task has the true time, even if the clock of its sender is wrong', async () => {
  const { sqs, commands } = wrongSqs(HOUR_MS);
  const tasks = new TaskClient({ sqs, queueUrls: backends.queueUrls, source: 'tests' });
  await tasks.send(untracked, { text: 'four' });
  const [{ MessageBody = '' } = {}] = (commands[0]?.input['Entries'] ?? []) as { MessageBody?: string }[];
  expect(Math.abs(Date.parse(decodeEnvelope(MessageBody).time) - Date.now())).toBeLessThan(EXACT_MS);
});

test('a message that is new by the clock of SQS does not become a dead letter because of its age', async () => {
  const { sqs, commands } = wrongSqs(10 * 24 * HOUR_MS);
  const consume = createLambdaConsumer({
    sqs,
    queueUrls: backends.queueUrls,
    send: (async () => ({ taskId: '' })) as never,
    logger,
    worker: { id: 'w-1', version: '1' },
    implementations: new Implementations([
      implement(untracked, () => {
        throw new Error('not yet');
      }),
    ]),
  });
  const record = {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body: bodyOf(untracked.name),
    attributes: {
      ApproximateReceiveCount: '1',
      SentTimestamp: String(Date.now() - 60_000),
      ApproximateFirstReceiveTimestamp: String(Date.now()),
    },
    messageAttributes: {},
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:default',
  };
  await consume({ Records: [record] } as never, { getRemainingTimeInMillis: () => 30_000 });
  expect(commands.map(({ name }) => name)).toEqual(['ChangeMessageVisibilityBatchCommand']);
});

test.each([
  ['12 h behind runs a task whose time has come', -12 * HOUR_MS, -60_000, 'done'],
  ['12 h ahead does not run a task whose time has not come', 12 * HOUR_MS, 60_000, 'release'],
])('a process whose clock is %s', async (_what, aheadMs, dueInMs, kind) => {
  const { store } = processWith({ aheadMs });
  const processing = {
    implementations: new Implementations([implement(work, () => ({ length: 4 }))]),
    send: (async () => ({ taskId: '' })) as never,
    tracker: new StoreTracker({ store, forward: async () => undefined, leaseSeconds: LEASE_SECONDS, logger }),
    logger,
    worker: { id: 'w-1', version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 1,
  };
  const body = bodyOf(work.name, new Date(Date.now() + dueInMs).toISOString());
  const host = { signal: new AbortController().signal, outlivedBy: () => undefined };
  await expect(processMessage(receivedMessage({ body }), 'default', host, processing)).resolves.toMatchObject(
    {
      kind,
    },
  );
});
