import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { TaskConflictError } from '../../task/errors.ts';
import type { NewTask } from '../../send/task-records.ts';
import { TaskStore } from '../task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';

const DAY_MS = 86_400_000;

let backends: Backends;
let nowMs: number;
let store: TaskStore;

beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  nowMs = Date.parse('2026-11-24T10:00:00.000Z');
  const now = () => nowMs;
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable, now });
});

function newTask(change: Partial<NewTask> = {}): NewTask {
  return { taskId: randomUUID(), task: 'tests.work', queue: 'default', payloadHash: 'hash', ...change };
}

const claimOf = ({ taskId, task, queue, payloadHash = '' }: NewTask, owner = 'w-1') => ({
  taskId,
  task,
  queue,
  owner,
  claimId: randomUUID(),
  payloadHash,
  leaseSeconds: 30,
});

/** Creates a task and starts an attempt. */
async function running(change: Partial<NewTask> = {}) {
  const task = newTask(change);
  await store.create(task);
  const claim = claimOf(task);
  const row = await store.attempts.claim(claim);
  return { task, held: { taskId: task.taskId, claimId: claim.claimId, token: row?.token ?? 0 } };
}

describe('a task in the store', () => {
  test('is queued after it is created, and may be sent again until it has started', async () => {
    const task = newTask({ parentId: 'parent', traceparent: 'trace' });
    await expect(store.create(task)).resolves.toBe(true);
    await expect(store.find(task.taskId)).resolves.toMatchObject({
      taskId: task.taskId,
      task: 'tests.work',
      queue: 'default',
      state: 'queued',
      attempts: 0,
      createdAt: '2026-11-24T10:00:00.000Z',
      parentId: 'parent',
      traceparent: 'trace',
    });
    // Its message may never have been sent
    await expect(store.create(task)).resolves.toBe(true);
    await store.attempts.claim(claimOf(task));
    await expect(store.create(task)).resolves.toBe(false);
  });

  test.each([
    ['another payload', { payloadHash: 'other' }],
    ['another contract', { task: 'tests.other' }],
  ])('refuses a second task with the same id and %s', async (_what, change) => {
    const task = newTask();
    await store.create(task);
    await expect(store.create({ ...task, ...change })).rejects.toThrow(TaskConflictError);
  });

  test('is claimed by only one of two workers, until the lease of this worker expires', async () => {
    const task = newTask();
    await store.create(task);
    const claims = [claimOf(task, 'w-1'), claimOf(task, 'w-2')];
    const rows = await Promise.all(claims.map((claim) => store.attempts.claim(claim)));
    expect(new Set(rows.map((row) => row?.claimId)).size).toBe(1);
    expect(rows[0]).toMatchObject({ state: 'running', attempts: 1, token: 1 });
    nowMs += 29_000;
    const early = claimOf(task, 'w-3');
    expect((await store.attempts.claim(early))?.claimId).not.toBe(early.claimId);
    nowMs += 2000;
    const late = claimOf(task, 'w-3');
    await expect(store.attempts.claim(late)).resolves.toMatchObject({
      claimId: late.claimId,
      attempts: 1,
      crashes: 1,
      token: 2,
    });
  });

  test('without a row has one once it is claimed, because its message can come before its row', async () => {
    const task = newTask();
    await store.attempts.claim(claimOf(task));
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'running', task: 'tests.work' });
    // For its sender too, although the row has no hash of the payload
    await expect(store.create(task)).resolves.toBe(false);
    await expect(store.create({ ...task, task: 'tests.other' })).rejects.toThrow(TaskConflictError);
  });

  test('keeps the result of its attempt', async () => {
    const { task, held } = await running();
    const concluded = await store.attempts.conclude(held, { state: 'succeeded', result: '{"sum":3}' });
    expect(concluded).toEqual(await store.read(task.taskId));
    await expect(store.find(task.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      result: { sum: 3 },
      finishedAt: '2026-11-24T10:00:00.000Z',
    });
    const again = claimOf(task);
    expect((await store.attempts.claim(again))?.claimId).not.toBe(again.claimId);
  });

  test('accepts no writes from an attempt whose task another worker has taken over', async () => {
    const { task, held } = await running();
    nowMs += 31_000;
    await store.attempts.claim(claimOf(task, 'w-2'));
    const writes = [
      store.attempts.conclude(held, { state: 'succeeded', result: '"stale"' }),
      store.attempts.renew(held, 30),
      store.attempts.progress(held, { fraction: 0.5 }),
    ];
    expect((await Promise.all<unknown>(writes)).filter(Boolean)).toEqual([]);
    const found = await store.find(task.taskId);
    expect(found).toMatchObject({ state: 'running', attempts: 1 });
    expect([found?.result, found?.progress]).toEqual([undefined, undefined]);
  });

  test('uses no attempt if it is released, and one attempt with an error if it is retried', async () => {
    const { task, held } = await running();
    await store.attempts.conclude(held, { state: 'queued', counts: false });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    const second = claimOf(task);
    const row = await store.attempts.claim(second);
    const error = { name: 'Error', message: 'no' };
    const retrying = { taskId: task.taskId, claimId: second.claimId, token: row?.token ?? 0 };
    await store.attempts.conclude(retrying, { state: 'retrying', error });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'retrying', attempts: 1, error });
  });

  test('keeps the results of its effects for the next attempt', async () => {
    const { task, held } = await running();
    await store.attempts.keepEffect(held, 'pay', '{"paid":1}');
    await store.attempts.conclude(held, { state: 'retrying' });
    await expect(store.attempts.claim(claimOf(task))).resolves.toMatchObject({
      effects: { pay: '{"paid":1}' },
    });
  });

  test.each(['queued', 'running'] as const)(
    'that is %s can be cancelled, and then stays cancelled',
    async (state) => {
      const { task, held } = await running();
      if (state === 'queued') await store.attempts.conclude(held, { state: 'queued', counts: false });
      await expect(store.cancel(task.taskId)).resolves.toMatchObject({ state: 'cancelled' });
      await expect(
        store.attempts.conclude(held, { state: 'succeeded', result: '1' }),
      ).resolves.toBeUndefined();
      const later = claimOf(task);
      await expect(store.attempts.claim(later)).resolves.toMatchObject({ state: 'cancelled' });
    },
  );

  test('that has ended or does not exist cannot be cancelled', async () => {
    const { task, held } = await running();
    await store.attempts.conclude(held, { state: 'succeeded', result: '1' });
    await expect(store.cancel(task.taskId)).resolves.toMatchObject({ state: 'succeeded' });
    await expect(store.cancel('nowhere')).resolves.toBeUndefined();
    await expect(store.find('nowhere')).resolves.toBeUndefined();
  });

  test('says who cancelled it first, in 255 characters at most', async () => {
    const { task } = await running();
    await store.cancel(task.taskId, { by: 'operator' });
    await store.cancel(task.taskId, { by: 'another' });
    await expect(store.find(task.taskId)).resolves.toMatchObject({
      cancelledBy: 'operator',
      finishedAt: expect.any(String) as unknown,
    });
    const { task: other } = await running();
    const { cancelledBy } = (await store.cancel(other.taskId, { by: 'n'.repeat(300) })) ?? {};
    expect(cancelledBy).toHaveLength(255);
  });

  test('is cancelled even if its dead letter is put back at the same moment', async () => {
    const { task, held } = await running();
    await store.attempts.conclude(held, { state: 'dead' });
    const reviving = {
      send: async (command: never) => {
        if ((command as object) instanceof GetCommand) {
          await store.revive(task.taskId, { deadAt: '2026-11-24T10:00:01.000Z' });
        }
        return backends.documents.send(command);
      },
    };
    const racing = new TaskStore({
      documents: reviving as never,
      table: backends.tasksTable,
      now: () => nowMs,
    });
    await expect(racing.cancel(task.taskId)).resolves.toMatchObject({ state: 'cancelled' });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('starts again if its dead letter is put back, but not for an older dead letter', async () => {
    const { task, held } = await running();
    await store.attempts.conclude(held, {
      state: 'dead',
      error: { name: 'E', message: 'no', reason: 'timed-out' },
    });
    await store.revive(task.taskId, { deadAt: '2026-11-24T09:59:59.000Z' });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'dead' });
    await store.revive(task.taskId, { deadAt: '2026-11-24T10:00:00.005Z' });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    const again = claimOf(task);
    await expect(store.attempts.claim(again)).resolves.toMatchObject({ claimId: again.claimId, attempts: 1 });
  });

  test('is not found 14 days after its end, even if DynamoDB has not deleted it yet', async () => {
    const { task, held } = await running();
    nowMs += DAY_MS;
    await store.attempts.conclude(held, { state: 'succeeded', result: '1' });
    nowMs += 14 * DAY_MS - 1000;
    await expect(store.find(task.taskId)).resolves.toBeDefined();
    nowMs += 2000;
    await expect(store.find(task.taskId)).resolves.toBeUndefined();
    await expect(store.create({ ...task, payloadHash: 'new' })).resolves.toBe(true);
    nowMs += 15 * DAY_MS;
    await expect(store.cancel(task.taskId)).resolves.toBeUndefined();
  });

  test('can be forgotten if it was never sent, but not if it has started', async () => {
    const task = newTask();
    await store.create(task);
    await store.forget(task.taskId);
    await expect(store.find(task.taskId)).resolves.toBeUndefined();
    const begun = await running();
    await store.forget(begun.task.taskId);
    await expect(store.find(begun.task.taskId)).resolves.toBeDefined();
  });
});
