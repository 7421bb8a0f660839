import { randomUUID } from 'node:crypto';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeEnvelope } from '../../sqs/envelope.ts';
import { chain, group, member } from '../../task/flow.ts';
import type { SendOptions } from '../../task/send-task.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskStore } from '../task-store.ts';
import { startTrace } from '../../telemetry/trace-context.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { Inbox } from 'baton-dev/testing/inbox';
import * as z from 'zod';

const shared = {
  queue: 'default',
  payload: z.object({}),
  result: z.object({}),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 5,
};
const untracked = defineTask({ ...shared, name: 'tests.untracked' });
const tracked = defineTask({ ...shared, name: 'tests.tracked', tracked: true });
const joined = defineTask({ ...shared, name: 'tests.joined', payload: z.array(z.object({})), tracked: true });
const daily = defineTask({
  ...shared,
  name: 'tests.daily',
  tracked: true,
  schedule: { cron: '0 4 * * *', timeZone: 'UTC' },
});

let backends: Backends;
let inbox: Inbox;
let store: TaskStore;
let tasks: TaskClient;
/** The ids of tasks whose rows were written. */
const noted: string[] = [];

beforeAll(async () => {
  backends = await startBackends(['default']);
  const { sqs, queueUrls, documents, tasksTable: table } = backends;
  inbox = new Inbox(sqs);
  store = new TaskStore({ documents, table });
  const create = store.create.bind(store);
  store.create = async (task) => {
    noted.push(task.taskId);
    return create(task);
  };
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
afterAll(() => backends.stop());

const ways: [string, (options: SendOptions<never>) => Promise<unknown>][] = [
  ['an untracked task', (options) => tasks.send(untracked, {}, options)],
  ['a tracked task', (options) => tasks.send(tracked, {}, options)],
  ['a scheduled task', (options) => tasks.send(daily, {}, options)],
  ['a chain', (options) => tasks.start(chain([tracked, tracked]), {}, options)],
  ['a group', (options) => tasks.start(group([member(tracked, {})], joined), options)],
];
const trace = startTrace();
const odd: [keyof SendOptions, readonly unknown[]][] = [
  ['depth', [1.5, -1, NaN, Infinity, '5', null, [1], 5n, true]],
  ['parentId', ['', 'a b', 'x'.repeat(129), 5, null, ['p-1'], {}, Object('p-1')]],
  ['taskId', ['', 'a b', 'a\n', 'x'.repeat(129), 5, null, ['t-1'], {}]],
  ['deduplicationKey', ['', 'x'.repeat(256), 5, null, ['k'], {}]],
  ['subject', ['', 'x'.repeat(129), '\uD800', 5, null, ['s']]],
  ['delaySeconds', [1.5, -1, NaN, Infinity, 1e9, '5', null, [5], 5n, Symbol('s')]],
  ['notBefore', [new Date(NaN), new Date(-1e15), new Date(8e15), '2026-11-29', 5, null]],
  [
    'trace',
    [
      null,
      {},
      'x',
      { ...trace, traceId: 'x' },
      { ...trace, traceId: '0'.repeat(32) },
      { ...trace, traceId: trace.traceId.replace(/^./, 'A') },
      { ...trace, spanId: '0'.repeat(16) },
      { ...trace, flags: '1' },
      { ...trace, flags: '01-x' },
    ],
  ],
  ['lane', ['high', 5, null, ['high'], 5n]],
  ['onEnd', [null, {}, 5, untracked]],
];
const each = odd.flatMap(([name, values]) =>
  values.map((value) => [name, shown(value), value] as [keyof SendOptions, string, unknown]),
);

describe.each(ways)('the options of %s', (_what, send) => {
  test.each(each)(
    'are refused if %s is %s, and no message or row is written',
    async (name, _shown, value) => {
      noted.length = 0;
      const error = await send({ [name]: value }).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'InvalidValueError' });
      expect((error as Error).message).not.toMatch(/undefined|\[object/);
      expect(noted).toEqual([]);
    },
  );
});

test('none of these sends reached SQS', async () => {
  const taskId = randomUUID();
  await tasks.send(untracked, {}, { taskId });
  const sent = await inbox.take(backends.queueUrls.of('default'), 2);
  expect(new Set(sent.map(({ Body = '' }) => decodeEnvelope(Body).taskId))).toEqual(new Set([taskId]));
});

test('valid options arrive unchanged', async () => {
  const options = {
    taskId: 'Az_9.:-',
    parentId: 'x'.repeat(128),
    depth: 1000,
    subject: '\u{1F680}\uFFFF',
    trace,
    delaySeconds: 0,
  };
  await tasks.send(tracked, {}, options);
  const sent = await inbox.take(backends.queueUrls.of('default'), 2);
  const { taskId, parentId, depth, subject } = options;
  expect(decodeEnvelope(sent[0]?.Body ?? '')).toMatchObject({ taskId, parentId, depth, subject });
  expect(decodeEnvelope(sent[0]?.Body ?? '').trace?.traceId).toBe(trace.traceId);
});

/** A value as the title of a test shows it. */
function shown(value: unknown): string {
  return inspect(value, { breakLength: Infinity, maxStringLength: 20 });
}
