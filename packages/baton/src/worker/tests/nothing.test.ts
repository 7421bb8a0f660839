import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { decodeEnvelope } from '../../sqs/envelope.ts';
import { chain, group, member } from '../../task/flow.ts';
import { implement, Implementations } from '../../task/implementation.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { runQueue } from './in-process-worker.ts';
import * as z from 'zod';
import { messageBody } from '../../../tests/support/messages.ts';

const shared = {
  queue: 'default',
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 5,
  tracked: true,
} as const;
const nothing = defineTask({ ...shared, name: 'tests.nothing', payload: z.void(), result: z.void() });
const unset = defineTask({ ...shared, name: 'tests.unset', payload: z.undefined(), result: z.undefined() });
const none = defineTask({ ...shared, name: 'tests.none', payload: z.null(), result: z.null() });
const perhaps = defineTask({
  ...shared,
  name: 'tests.perhaps',
  payload: z.int().optional(),
  result: z.string().optional(),
});
const gather = defineTask({
  ...shared,
  name: 'tests.gather',
  payload: z.tuple([z.string().optional(), z.void(), z.null(), z.undefined(), z.string().optional()]),
  result: z.array(z.string()),
});
const plain = defineTask({
  ...shared,
  name: 'tests.plain',
  payload: z.void(),
  result: z.void(),
  tracked: false,
});

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
const ran: unknown[] = [];
const ranUntracked: unknown[] = [];

beforeAll(async () => {
  backends = await startBackends(['default']);
  const { sqs, queueUrls, documents, tasksTable: table } = backends;
  store = new TaskStore({ documents, table });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
afterAll(() => backends.stop());

const implementations = new Implementations([
  implement(nothing, (payload) => void ran.push(payload)),
  implement(unset, () => undefined),
  implement(none, () => null),
  implement(perhaps, (payload) => (payload === undefined ? undefined : String(payload))),
  implement(gather, (results) => results.map((result) => String(result))),
  implement(plain, (payload) => void ranUntracked.push(payload)),
]);

const work = () => runQueue(backends, store, tasks, implementations);

describe('a task without a payload and a result', () => {
  test.each([
    ['with z.void()', nothing],
    ['with z.undefined()', unset],
    ['with optional values', perhaps],
  ])('%s succeeds, and its result can be read', async (_what, contract) => {
    const handle = await tasks.send(contract as typeof nothing, undefined);
    await work();
    await expect(handle.result()).resolves.toBeUndefined();
    const status = await store.find(handle.taskId);
    expect(status).toMatchObject({ state: 'succeeded', attempts: 1 });
    expect(JSON.parse(JSON.stringify(status))).not.toHaveProperty('result');
  });

  test('with z.null() returns null', async () => {
    const handle = await tasks.send(none, null);
    await work();
    await expect(handle.result()).resolves.toBeNull();
  });

  test('also runs untracked', async () => {
    await tasks.send(plain, undefined);
    await work();
    // SQS may deliver the message twice
    expect(new Set(ranUntracked)).toEqual(new Set([undefined]));
  });

  test('can be a step of a chain', async () => {
    ran.length = 0;
    const handle = await tasks.start(chain([nothing, nothing, nothing]), undefined);
    await work();
    await expect(handle.result()).resolves.toBeUndefined();
    expect(ran).toHaveLength(3);
  });

  test('keeps its place among the results of a group', async () => {
    const members = [
      member(perhaps, 1),
      member(nothing, undefined),
      member(none, null),
      member(unset, undefined),
      member(perhaps, undefined),
    ] as const;
    const handle = await tasks.start(group(members, gather));
    await work();
    await expect(handle.result()).resolves.toEqual(['1', 'undefined', 'null', 'undefined', 'undefined']);
  });

  test('has a readable result if an earlier version kept an empty text for it', async () => {
    const { taskId } = await tasks.send(nothing, undefined);
    const claim = {
      taskId,
      task: nothing.name,
      queue: 'default',
      claimId: 'c',
      owner: 'w-1',
      payloadHash: payloadHashOf(undefined),
      leaseSeconds: 30,
    };
    const row = await store.attempts.claim(claim);
    await store.attempts.conclude(
      { taskId, claimId: 'c', token: row?.token ?? 0 },
      { state: 'succeeded', result: '' },
    );
    await expect(tasks.handle(nothing, taskId).result()).resolves.toBeUndefined();
  });
});

test('an envelope may have no data', () => {
  const body = messageBody({ task: 'tests.nothing', data: undefined });
  expect(JSON.parse(body)).not.toHaveProperty('data');
  expect(decodeEnvelope(body).data).toBeUndefined();
});

test.each([[[1, undefined, null]], [[undefined]], [[undefined, undefined, { a: 1 }]]])(
  'the list %j arrives unchanged',
  (data) => {
    expect(decodeEnvelope(messageBody({ task: 'tests.gather', data })).data).toEqual(data);
  },
);
