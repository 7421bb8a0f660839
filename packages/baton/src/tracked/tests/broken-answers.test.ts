import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { ANYBODY } from '../../http/caller.ts';
import { createRouter } from '../../http/router.ts';
import { route } from '../../http/route.ts';
import type { Outcome } from '../../task/outcome.ts';
import { Settler } from '../../sqs/settler.ts';
import { createSqsClient } from '../../sqs/sqs-client.ts';
import { TaskClient } from '../../send/task-client.ts';
import { isTransient } from '../../aws/answers.ts';
import { createDocumentClient } from '../../aws/documents.ts';
import { Intake } from '../../http/intake.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskHistory } from '../task-history.ts';
import { TaskSchedules } from '../task-schedules.ts';
import { TaskStore } from '../task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { createNotesTable } from '../../../tests/support/notes-table.ts';
import { BROKEN_ANSWERS, type BrokenAnswer } from 'baton-dev/testing/broken-answers';
import { Proxy } from 'baton-dev/testing/proxy';
import { work } from './tracked-work.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

const logger = createLogger({ service: 'tests', level: 'silent' });
const plain = { ...work, name: 'tests.plain', tracked: false as const };
const scheduled = { ...work, schedule: { cron: '* * * * *', timeZone: 'UTC' } };

let backends: Backends;
let dynamoDb: Proxy;
let queues: Proxy;
let broken: Proxy | undefined;
let store: TaskStore;
let schedules: TaskSchedules;
let history: TaskHistory;
let intake: Intake<{ status: string }>;
let tasks: TaskClient;
let settler: Settler;
const before = { ...process.env };
const clients: { destroy(): void }[] = [];

beforeAll(async () => {
  backends = await startBackends([]);
  const { environment, tasksTable: table, queueUrls } = backends;
  const notes = await createNotesTable(backends);
  dynamoDb = await Proxy.start(environment['AWS_ENDPOINT_URL_DYNAMODB'] ?? '');
  queues = await Proxy.start(environment['AWS_ENDPOINT_URL_SQS'] ?? '');
  Object.assign(process.env, environment, {
    AWS_ENDPOINT_URL_DYNAMODB: dynamoDb.endpoint,
    AWS_ENDPOINT_URL_SQS: queues.endpoint,
  });
  const documents = createDocumentClient();
  const sqs = createSqsClient();
  const receiving = createSqsClient({ attempts: 1 });
  clients.push(documents, sqs, receiving);
  store = new TaskStore({ documents, table });
  schedules = new TaskSchedules({ documents, table });
  history = new TaskHistory(documents, table);
  intake = new Intake({ documents, table: notes, key: 'noteId', logger });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
  settler = new Settler(receiving, queueUrls, 'default');
});
afterEach(() => {
  broken?.change('pass');
  broken = undefined;
});
afterAll(async () => {
  process.env = { ...before };
  for (const client of clients) client.destroy();
  await Promise.all([dynamoDb.stop(), queues.stop()]);
  await backends.stop();
});

/** Lets a proxy give this answer to each request until the test ends. */
function breaks(proxy: Proxy, answer: BrokenAnswer): void {
  proxy.change('garbage', answer);
  broken = proxy;
}

const held = { taskId: 'held', claimId: 'claim', token: 1 };
const row = { taskId: 't', task: work.name, queue: work.queue };
const claiming = { ...row, claimId: 'claim', owner: 'w-1', payloadHash: 'any', leaseSeconds: 30 };
const next = { ...row, taskId: 'next' };
const failure = { name: 'Error', message: 'no' };

/** All kinds of calls that make requests to DynamoDB. */
const asked: Readonly<Record<string, () => Promise<unknown>>> = {
  create: () => store.create(row),
  forget: () => store.forget('t'),
  find: () => store.find('t'),
  readAll: () => store.readAll(['t', 'u']),
  cancel: () => store.cancel('t'),
  revive: () => store.revive('t', { deadAt: new Date().toISOString() }),
  'give up': () => store.giveUp('t', failure),
  claim: () => store.attempts.claim(claiming),
  begin: () => store.attempts.begins(held, 'alone'),
  renew: () => store.attempts.renew(held, 30),
  'note progress': () => store.attempts.progress(held, { fraction: 0.5 }),
  'keep an effect': () => store.attempts.keepEffect(held, 'pay', '1'),
  conclude: () => store.attempts.conclude(held, { state: 'succeeded', result: '1' }),
  'note a group': () => store.groups.create({ groupId: 'g', memberIds: ['t'], next }),
  'note a member': () => store.groups.memberDone('g', 't'),
  'see a schedule': () => schedules.see(scheduled),
  'record a tick': () => schedules.record(scheduled, new Date()),
  'list tasks': () => history.list({ limit: 10 }),
  'send a tracked task': () => tasks.send(work, { text: 'x' }),
  'start a flow': () =>
    tasks.start({ kind: 'group', members: [{ contract: work, payload: { text: 'x' } }], next: work }),
  'ask a handle': () => tasks.handle(work, 't').status(),
  'take in': () =>
    intake.accept({
      id: randomUUID(),
      requestHash: 'h',
      row: {},
      listing: {},
      sendTask: async () => undefined,
    }),
};

const message = receivedMessage({ body: messageBody({ task: work.name, data: { text: 'x' } }) });
const error = new Error('no');
const outcomes: readonly Outcome[] = [
  { kind: 'done', result: {} },
  { kind: 'retry', delaySeconds: 5, error },
  { kind: 'release', error, asCopy: true },
  { kind: 'dead-letter', reason: 'rejected', error },
];

async function errorOf(call: () => Promise<unknown>): Promise<unknown> {
  return call().then(
    (value) => ({ resolvedTo: value }),
    (thrown: unknown) => thrown,
  );
}

/** Answers on whole connections. Tests with real processes show broken connections. */
const whole = BROKEN_ANSWERS.filter(([, { closes }]) => !closes);

describe.each(whole)('the answer %s', (_what, answer) => {
  test('of DynamoDB is a transient failure, whatever was requested', async () => {
    breaks(dynamoDb, answer);
    const failures = await Promise.all(
      Object.entries(asked).map(async ([what, call]) => {
        const thrown = await errorOf(call);
        return [what, isTransient(thrown) || thrown];
      }),
    );
    expect(Object.fromEntries(failures)).toEqual(
      Object.fromEntries(Object.keys(asked).map((what) => [what, true])),
    );
  });

  test('of DynamoDB releases a message without an attempt, and gives 503 in an API', async () => {
    breaks(dynamoDb, answer);
    const tracker = new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger });
    const envelope = {
      taskId: 't-1',
      task: work.name,
      source: 'tests',
      time: '',
      trace: undefined,
      data: {},
    };
    const { signal } = new AbortController();
    const routes = [route('GET', '/things', {}, async () => ({ status: 200, body: await store.find('t') }))];
    const event = {
      version: '2.0',
      rawPath: '/things',
      headers: {},
      requestContext: { http: { method: 'GET', path: '/things' } },
    };
    const [claimed, answered] = await Promise.all([
      tracker.claim({
        message,
        envelope,
        contract: work,
        queue: work.queue,
        owner: 'w-1',
        signal,
        graceSeconds: 1,
      }),
      createRouter({ logger, authenticate: async () => ANYBODY }, routes)(event as never, {}),
    ]);
    expect(claimed).toMatchObject({ kind: 'release' });
    expect(answered).toMatchObject({ statusCode: 503, headers: { 'retry-after': '5' } });
  });

  test('of SQS is a transient failure, whatever was sent or settled', async () => {
    breaks(queues, answer);
    const sent = await errorOf(() => tasks.send(plain, { text: 'x' }));
    expect(sent).toMatchObject({ name: 'SendError', transient: true });
    expect(isTransient(await errorOf(() => tasks.ping(plain)))).toBe(true);
    for (const outcome of outcomes) {
      const thrown = (await errorOf(() => settler.settle(message, outcome, 'w-1'))) as {
        senderFault?: boolean;
      };
      expect(isTransient(thrown) || thrown.senderFault === false || thrown).toBe(true);
    }
  });
});
