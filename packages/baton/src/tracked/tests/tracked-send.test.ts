import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { randomUUID } from 'node:crypto';
import type { SQSClient } from '@aws-sdk/client-sqs';
import { decodeEnvelope } from '../../sqs/envelope.ts';
import { chain, group, member } from '../../task/flow.ts';
import { QueueUrls } from '../../sqs/queue-urls.ts';
import { defineTask } from '../../task/task.ts';
import { TaskClient } from '../../send/task-client.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import * as z from 'zod';
import { work } from './tracked-work.ts';

const DAY_SECONDS = 86_400;
const queueUrls = new QueueUrls('http://sqs/0/');

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
  readonly DelaySeconds?: number;
}

const again = defineTask({ ...work, name: 'tests.again' });
const plain = defineTask({ ...work, name: 'tests.plain', tracked: false });
const measure = defineTask({ ...work, name: 'tests.measure', payload: work.result });
const total = defineTask({ ...work, name: 'tests.total', payload: z.array(work.result) });

let backends: Backends;
let store: TaskStore;
/** The messages that SQS has accepted. */
let taken: Entry[];
/** Called after SQS has accepted messages. */
let afterwards: () => void;
let tasks: TaskClient;

beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  taken = [];
  afterwards = () => undefined;
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
  const send = async ({ input: { Entries } }: { input: { Entries: Entry[] } }): Promise<object> => {
    taken.push(...Entries);
    afterwards();
    return { Successful: Entries };
  };
  tasks = clientOf(send);
});

function clientOf(send: (command: never) => Promise<object>): TaskClient {
  return new TaskClient({
    sqs: { send } as unknown as SQSClient,
    queueUrls,
    source: 'tests',
    records: store,
  });
}

const timesOut = (): never => {
  throw Object.assign(new Error('no answer'), { name: 'TimeoutError', $metadata: { httpStatusCode: 400 } });
};

/** Claims a task, as a worker does. */
const begin = (taskId: string) =>
  store.attempts.claim({
    taskId,
    task: work.name,
    queue: work.queue,
    claimId: randomUUID(),
    owner: 'w-1',
    payloadHash: payloadHashOf({ text: 'x' }),
    leaseSeconds: 30,
  });

describe('a tracked task', () => {
  test('is in the store before it is in the queue', async () => {
    const create = jest.spyOn(store, 'create').mockRejectedValueOnce(new Error('no table'));
    await expect(tasks.send(work, { text: 'x' })).rejects.toThrow('no table');
    expect(taken).toEqual([]);
    create.mockRestore();
    const { taskId } = await tasks.send(work, { text: 'x' }, { parentId: 'parent' });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued', parentId: 'parent' });
    expect(taken.map(({ MessageBody }) => decodeEnvelope(MessageBody).taskId)).toEqual([taskId]);
  });

  test('is refused by a client without the option records, and nothing is sent', async () => {
    const sqs = { send: jest.fn() };
    const client = new TaskClient({ sqs: sqs as unknown as SQSClient, queueUrls, source: 'tests' });
    await expect(client.send(work, { text: 'x' })).rejects.toThrow(
      /tests\.tracked needs a task store.*"records"/,
    );
    expect(() => client.handle(work, 'x')).toThrow('"records"');
    expect(sqs.send).not.toHaveBeenCalled();
  });
});

describe('a deduplication key', () => {
  test('gives one task for each contract', async () => {
    const options = { deduplicationKey: 'order 1 / mail' };
    const [first, second, other] = [
      await tasks.send(work, { text: 'x' }, options),
      await tasks.send(work, { text: 'x' }, options),
      await tasks.send(again, { text: 'x' }, options),
    ];
    expect(second.taskId).toBe(first.taskId);
    expect(other.taskId).not.toBe(first.taskId);
  });

  test('sends nothing once the task has started', async () => {
    const options = { deduplicationKey: randomUUID() };
    const { taskId } = await tasks.send(work, { text: 'x' }, options);
    await begin(taskId);
    await expect(tasks.send(work, { text: 'x' }, options)).resolves.toMatchObject({ taskId });
    expect(taken).toHaveLength(1);
  });

  test('is refused with another payload', async () => {
    const options = { deduplicationKey: randomUUID() };
    await tasks.send(work, { text: 'x' }, options);
    await expect(tasks.send(work, { text: 'y' }, options)).rejects.toMatchObject({
      name: 'TaskConflictError',
      message: expect.stringContaining('another payload of tests.tracked') as unknown,
    });
    expect(taken).toHaveLength(1);
  });

  test('gives one task to two sends of the same moment, and refuses one if their payloads differ', async () => {
    const options = { deduplicationKey: randomUUID() };
    const sent = await Promise.all([1, 2].map(() => tasks.send(work, { text: 'x' }, options)));
    expect(new Set(sent.map(({ taskId }) => taskId)).size).toBe(1);
    const other = { deduplicationKey: randomUUID() };
    const both = await Promise.allSettled(['x', 'y'].map((text) => tasks.send(work, { text }, other)));
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(both).toContainEqual(
      expect.objectContaining({ reason: expect.objectContaining({ name: 'TaskConflictError' }) as unknown }),
    );
  });

  test.each([
    ['that is empty', { deduplicationKey: '' }],
    ['of more than 255 characters', { deduplicationKey: 'x'.repeat(256) }],
    ['beside a task id', { deduplicationKey: 'x', taskId: 'y' }],
  ])('%s is refused', async (_what, options) => {
    await expect(tasks.send(work, { text: 'x' }, options)).rejects.toMatchObject({
      name: 'InvalidValueError',
      message: expect.stringContaining('deduplicationKey') as unknown,
    });
    expect(taken).toEqual([]);
  });
});

describe('a delay', () => {
  test.each([
    [900, 900],
    [901, 900],
    [14 * DAY_SECONDS, 900],
  ])('of %d s is a delay of %d s in SQS, and a time in the envelope', async (delaySeconds, keptBySqs) => {
    const before = Date.now();
    const { taskId } = await tasks.send(work, { text: 'x' }, { delaySeconds });
    const { notBefore = '' } = decodeEnvelope(taken[0]?.MessageBody ?? '');
    expect(taken[0]?.DelaySeconds).toBe(keptBySqs);
    expect(Date.parse(notBefore)).toBeGreaterThanOrEqual(before + delaySeconds * 1000);
    expect(Date.parse(notBefore)).toBeLessThan(Date.now() + delaySeconds * 1000 + 1);
    await expect(store.find(taskId)).resolves.toMatchObject({ notBefore });
    const row = await store.read(taskId);
    expect((row?.expiresAt ?? 0) * 1000).toBeGreaterThan(Date.parse(notBefore) + 13 * DAY_SECONDS * 1000);
  });

  test('until a past time means now', async () => {
    await tasks.send(work, { text: 'x' }, { notBefore: new Date(0) });
    expect(taken[0]?.DelaySeconds).toBeUndefined();
    expect(decodeEnvelope(taken[0]?.MessageBody ?? '').notBefore).toBeUndefined();
  });

  test.each([
    ['beyond 14 days', work, { delaySeconds: 14 * DAY_SECONDS + 1 }, 'expected 0 to 1209600'],
    [
      'until a time in more than 14 days',
      work,
      { notBefore: new Date(Date.now() + 15 * 864e5) },
      'notBefore',
    ],
    ['until an invalid date', work, { notBefore: new Date(Number.NaN) }, 'notBefore: expected a valid Date'],
    ['below 0', work, { delaySeconds: -1 }, 'delaySeconds'],
    ['of NaN seconds', work, { delaySeconds: NaN }, 'delaySeconds'],
    ['that is given twice', work, { delaySeconds: 1, notBefore: new Date() }, 'no delaySeconds beside it'],
    ['of an untracked task beyond 900 s', plain, { delaySeconds: 901 }, 'only tracked tasks may have more'],
  ])('%s is refused', async (_what, contract, options, says) => {
    await expect(tasks.send(contract, { text: 'x' }, options)).rejects.toMatchObject({
      name: 'InvalidValueError',
      message: expect.stringContaining(says) as unknown,
    });
    expect(taken).toEqual([]);
  });

  test.each(['chain', 'group'])('of a %s lets the store keep all its rows longer', async (kind) => {
    const options = { taskId: randomUUID(), delaySeconds: 14 * DAY_SECONDS };
    const { taskId } =
      kind === 'chain'
        ? await tasks.start(chain([work, measure]), { text: 'x' }, options)
        : await tasks.start(group([member(work, { text: 'x' })], total), options);
    const last = await store.read(taskId);
    const inDays = ((last?.expiresAt ?? 0) - Date.now() / 1000) / DAY_SECONDS;
    expect(inDays).toBeCloseTo(28, 1);
    // The row of the group, or undefined for a chain
    const of = await store.groups.find(options.taskId);
    expect(of?.expiresAt).toBe(last?.expiresAt);
  });
});

describe('a send that fails after the row was written', () => {
  test('can be repeated with the same id, whose row stays because another process may have sent it', async () => {
    const failing = clientOf(async () => timesOut());
    const options = { taskId: randomUUID() };
    await expect(failing.send(work, { text: 'x' }, options)).rejects.toMatchObject({ name: 'SendError' });
    await expect(store.find(options.taskId)).resolves.toMatchObject({ state: 'queued' });
    await tasks.send(work, { text: 'x' }, options);
    expect(taken).toHaveLength(1);
  });

  test('deletes the row if no other process can know its id', async () => {
    const created = jest.spyOn(store, 'create');
    const failing = clientOf(async () => timesOut());
    await expect(failing.send(work, { text: 'x' })).rejects.toMatchObject({ name: 'SendError' });
    const [[{ taskId }] = [{ taskId: '' }]] = created.mock.calls;
    created.mockRestore();
    expect(taskId).not.toBe('');
    await expect(store.find(taskId)).resolves.toBeUndefined();
  });

  test('although SQS has accepted it: the task runs, has a row again, and is not sent again', async () => {
    const options = { taskId: randomUUID() };
    afterwards = timesOut;
    await expect(tasks.send(work, { text: 'x' }, options)).rejects.toMatchObject({ name: 'SendError' });
    const sent = taken.length;
    await begin(options.taskId);
    await expect(store.find(options.taskId)).resolves.toMatchObject({ state: 'running', task: work.name });
    afterwards = () => undefined;
    await expect(tasks.send(work, { text: 'x' }, options)).resolves.toMatchObject(options);
    expect(taken).toHaveLength(sent);
  });

  test('does not delete the row of a task that has run and was released, because it may have effects', async () => {
    const options = { taskId: randomUUID() };
    await store.create({ taskId: options.taskId, task: work.name, queue: work.queue });
    const row = await begin(options.taskId);
    const held = { taskId: options.taskId, claimId: row?.claimId ?? '', token: row?.token ?? 0 };
    await store.attempts.keepEffect(held, 'pay', '1');
    await store.attempts.conclude(held, { state: 'queued', counts: false });
    await store.forget(options.taskId);
    await expect(store.read(options.taskId)).resolves.toMatchObject({
      state: 'queued',
      effects: { pay: '1' },
    });
  });

  test.each(['chain', 'group'])(
    'of a %s keeps the rows of its later tasks, because SQS may have accepted it',
    async (kind) => {
      const taskId = randomUUID();
      afterwards = timesOut;
      const start = () =>
        kind === 'chain'
          ? tasks.start(chain([work, measure]), { text: 'x' }, { taskId })
          : tasks.start(group([member(work, { text: 'x' })], total), { taskId });
      await expect(start()).rejects.toMatchObject({ name: 'SendError' });
      const first = decodeEnvelope(taken[0]?.MessageBody ?? '').taskId;
      const row = await begin(first);
      expect(kind === 'chain' ? row?.next?.task : row?.groupId).toBe(
        kind === 'chain' ? measure.name : taskId,
      );
      const sent = taken.length;
      await expect(start()).resolves.toMatchObject({ taskId: expect.any(String) as unknown });
      expect(taken).toHaveLength(sent);
    },
  );
});
