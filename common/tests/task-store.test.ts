import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { TaskConflictError } from '@baton/common/queue/errors';
import type { NewTask } from '@baton/common/queue/tracking';
import { TaskHistory } from '@baton/common/state/task-history';
import { TaskStore } from '@baton/common/state/task-store';
import { type Backends, startBackends } from '@baton/tests/backends';

const DAY_MS = 86_400_000;

let backends: Backends;
let nowMs: number;
let store: TaskStore;
let history: TaskHistory;

beforeAll(async () => {
  backends = await startBackends([]);
});
afterAll(() => backends.stop());
beforeEach(() => {
  nowMs = Date.parse('2026-11-24T10:00:00.000Z');
  const now = () => nowMs;
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable, now });
  history = new TaskHistory(backends.documents, backends.tasksTable, now);
});

function newTask(change: Partial<NewTask> = {}): NewTask {
  return { taskId: randomUUID(), task: 'tests.work', queue: 'default', payloadHash: 'hash', ...change };
}

const claimOf = ({ taskId, task, queue }: NewTask, owner = 'w-1') => ({
  taskId,
  task,
  queue,
  owner,
  claimId: randomUUID(),
  leaseSeconds: 30,
});

/** A task with an attempt under way. */
async function running(change: Partial<NewTask> = {}) {
  const task = newTask(change);
  await store.create(task);
  const claim = claimOf(task);
  const row = await store.claim(claim);
  return { task, held: { taskId: task.taskId, claimId: claim.claimId, token: row?.token ?? 0 } };
}

describe('a task in the store', () => {
  test('is queued when it is created, and once', async () => {
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
    // It may never have been sent
    await expect(store.create(task)).resolves.toBe(true);
    await store.claim(claimOf(task));
    await expect(store.create(task)).resolves.toBe(false);
  });

  test.each([
    ['another payload', { payloadHash: 'other' }],
    ['another contract', { task: 'tests.other' }],
  ])('refuses its id to %s', async (_what, change) => {
    const task = newTask();
    await store.create(task);
    await expect(store.create({ ...task, ...change })).rejects.toThrow(TaskConflictError);
  });

  test('is claimed by one of two, whose attempt it is until its lease ends', async () => {
    const task = newTask();
    await store.create(task);
    const claims = [claimOf(task, 'w-1'), claimOf(task, 'w-2')];
    const rows = await Promise.all(claims.map((claim) => store.claim(claim)));
    expect(new Set(rows.map((row) => row?.claimId)).size).toBe(1);
    expect(rows[0]).toMatchObject({ state: 'running', attempts: 1, token: 1 });
    nowMs += 29_000;
    const early = claimOf(task, 'w-3');
    expect((await store.claim(early))?.claimId).not.toBe(early.claimId);
    nowMs += 2000;
    const late = claimOf(task, 'w-3');
    await expect(store.claim(late)).resolves.toMatchObject({ claimId: late.claimId, attempts: 2, token: 2 });
  });

  test('that is not known is known once it is claimed: its message came before its row', async () => {
    const task = newTask();
    await store.claim(claimOf(task));
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'running', task: 'tests.work' });
    // To its sender, too, though it has no hash of its payload
    await expect(store.create(task)).resolves.toBe(false);
    await expect(store.create({ ...task, task: 'tests.other' })).rejects.toThrow(TaskConflictError);
  });

  test('keeps what its attempt gave', async () => {
    const { task, held } = await running();
    await expect(store.conclude(held, { state: 'succeeded', result: '{"sum":3}' })).resolves.toBe(true);
    await expect(store.find(task.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      result: { sum: 3 },
      finishedAt: '2026-11-24T10:00:00.000Z',
    });
    const again = claimOf(task);
    expect((await store.claim(again))?.claimId).not.toBe(again.claimId);
  });

  test('is not written by an attempt that was overtaken', async () => {
    const { task, held } = await running();
    nowMs += 31_000;
    await store.claim(claimOf(task, 'w-2'));
    const writes = [
      store.conclude(held, { state: 'succeeded', result: '"stale"' }),
      store.renew(held, 30),
      store.progress(held, { fraction: 0.5 }),
      store.keepEffect(held, 'pay', '1'),
    ];
    await expect(Promise.all(writes)).resolves.toEqual([false, false, false, false]);
    const found = await store.find(task.taskId);
    expect(found).toMatchObject({ state: 'running', attempts: 2 });
    expect([found?.result, found?.progress]).toEqual([undefined, undefined]);
  });

  test('that is released has not used up the attempt; one that is tried again has, and says why', async () => {
    const { task, held } = await running();
    await store.conclude(held, { state: 'queued', counts: false });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    const second = claimOf(task);
    const row = await store.claim(second);
    const error = { name: 'Error', message: 'no' };
    const retrying = { taskId: task.taskId, claimId: second.claimId, token: row?.token ?? 0 };
    await store.conclude(retrying, { state: 'retrying', error });
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'retrying', attempts: 1, error });
  });

  test('keeps its effects from attempt to attempt', async () => {
    const { task, held } = await running();
    await store.keepEffect(held, 'pay', '{"paid":1}');
    await store.conclude(held, { state: 'retrying' });
    await expect(store.claim(claimOf(task))).resolves.toMatchObject({ effects: { pay: '{"paid":1}' } });
  });

  test.each(['queued', 'running'] as const)(
    'that is %s can be cancelled, and never ends otherwise',
    async (state) => {
      const { task, held } = await running();
      if (state === 'queued') await store.conclude(held, { state: 'queued', counts: false });
      await expect(store.cancel(task.taskId)).resolves.toMatchObject({ state: 'cancelled' });
      await expect(store.conclude(held, { state: 'succeeded', result: '1' })).resolves.toBe(false);
      const later = claimOf(task);
      await expect(store.claim(later)).resolves.toMatchObject({ state: 'cancelled' });
    },
  );

  test('that has ended, or never was, cannot be cancelled', async () => {
    const { task, held } = await running();
    await store.conclude(held, { state: 'succeeded', result: '1' });
    await expect(store.cancel(task.taskId)).resolves.toMatchObject({ state: 'succeeded' });
    await expect(store.cancel('nowhere')).resolves.toBeUndefined();
    await expect(store.find('nowhere')).resolves.toBeUndefined();
  });

  test('that is put back while it is being cancelled is cancelled all the same', async () => {
    const { task, held } = await running();
    await store.conclude(held, { state: 'dead' });
    const reviving = {
      send: async (command: never) => {
        if ((command as object) instanceof GetCommand) {
          await store.revive(task.taskId, '2026-11-24T10:00:01.000Z');
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

  test('begins anew when its dead letter is put back, and only by that one', async () => {
    const { task, held } = await running();
    await store.conclude(held, { state: 'dead', error: { name: 'E', message: 'no', reason: 'timed-out' } });
    await store.revive(task.taskId, '2026-11-24T09:59:59.000Z');
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'dead' });
    await store.revive(task.taskId, '2026-11-24T10:00:00.005Z');
    await expect(store.find(task.taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
    const again = claimOf(task);
    await expect(store.claim(again)).resolves.toMatchObject({ claimId: again.claimId, attempts: 1 });
  });

  test('is as none once it has expired, though DynamoDB still has it: 14 days after its end', async () => {
    const { task, held } = await running();
    nowMs += DAY_MS;
    await store.conclude(held, { state: 'succeeded', result: '1' });
    nowMs += 14 * DAY_MS - 1000;
    await expect(store.find(task.taskId)).resolves.toBeDefined();
    nowMs += 2000;
    await expect(store.find(task.taskId)).resolves.toBeUndefined();
    await expect(store.create({ ...task, payloadHash: 'new' })).resolves.toBe(true);
    nowMs += 15 * DAY_MS;
    await expect(store.cancel(task.taskId)).resolves.toBeUndefined();
  });

  test('that was never sent is forgotten; one that has begun is not', async () => {
    const task = newTask();
    await store.create(task);
    await store.forget(task.taskId);
    await expect(store.find(task.taskId)).resolves.toBeUndefined();
    const begun = await running();
    await store.forget(begun.task.taskId);
    await expect(store.find(begun.task.taskId)).resolves.toBeDefined();
  });
});

describe('the history of tasks', () => {
  test('is newest first: of all, of one name, of one state, of both; in pages', async () => {
    const name = `tests.${randomUUID()}`;
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      nowMs += 1000;
      const { task, held } = await running({ task: name });
      ids.unshift(task.taskId);
      if (index % 2 === 0) await store.conclude(held, { state: 'succeeded', result: '1' });
    }
    const list = async (query: object, limit = 100) => {
      const seen: string[] = [];
      for (let after; ;) {
        const page = await history.list({ limit, ...query, ...(after && { after }) });
        seen.push(...page.tasks.map(({ taskId }) => taskId));
        after = page.next;
        if (!after) return seen.filter((taskId) => ids.includes(taskId));
      }
    };
    await expect(list({ name })).resolves.toEqual(ids);
    await expect(list({ name }, 2)).resolves.toEqual(ids);
    await expect(list({})).resolves.toEqual(ids);
    const succeeded = ids.filter((_, index) => index % 2 === 0);
    await expect(list({ state: 'succeeded' }, 3)).resolves.toEqual(succeeded);
    await expect(list({ name, state: 'succeeded' }, 3)).resolves.toEqual(succeeded);
    const { tasks } = await history.list({ name, limit: 1 });
    expect(tasks[0]).toMatchObject({ task: name, state: 'succeeded', attempts: 1, queue: 'default' });
    nowMs += 30 * DAY_MS;
    await expect(list({ name })).resolves.toEqual([]);
  });

  /** A history that counts its requests. */
  function counted() {
    const counter = { requests: 0 };
    const counting = {
      send: (command: never) => ((counter.requests += 1), backends.documents.send(command)),
    };
    return { counter, history: new TaskHistory(counting as never, backends.tasksTable, () => nowMs) };
  }

  /** So many tasks of a name of their own, newest first. */
  async function created(count: number) {
    const name = `tests.${randomUUID()}`;
    const ids = Array.from(
      { length: count },
      (_, index) => `${String(count - index).padStart(4, '0')}-${name}`,
    );
    await Promise.all(ids.map((taskId) => store.create(newTask({ taskId, task: name }))));
    return { name, ids };
  }

  test('gives a hundred tasks in one request', async () => {
    const { name } = await created(101);
    const { counter, history: list } = counted();
    const page = await list.list({ name, limit: 100 });
    expect([page.tasks.length, counter.requests]).toEqual([100, 1]);
  });

  test.each([
    ['a name', {}],
    ['a name and a state', { state: 'queued' as const }],
  ])(
    'of %s says where the next page begins where there is one, and never otherwise',
    async (_what, filter) => {
      for (const count of [0, 1, 2, 3, 4]) {
        const { name, ids } = await created(count);
        for (const limit of [1, 2, 3, 4]) {
          const pages: string[][] = [];
          for (let after; ;) {
            const page = await history.list({ name, ...filter, limit, ...(after && { after }) });
            pages.push(page.tasks.map(({ taskId }) => taskId));
            after = page.next;
            if (!after) break;
          }
          expect(pages.flat()).toEqual(ids);
          expect(pages).toHaveLength(Math.max(1, Math.ceil(count / limit)));
        }
      }
    },
  );

  test('finds the one of a state far down among those of its name, in few requests', async () => {
    const { name, ids } = await created(250);
    await store.cancel(ids[150] ?? '');
    const { counter, history: list } = counted();
    const page = await list.list({ name, state: 'cancelled', limit: 1 });
    expect([page.tasks.map(({ taskId }) => taskId), page.next]).toEqual([[ids[150]], undefined]);
    expect(counter.requests).toBe(3);
  });

  test('gives up a page after 20 requests that found nothing, and says where to go on', async () => {
    let requests = 0;
    const barren = {
      send: async () => {
        requests += 1;
        return {
          Items: [],
          LastEvaluatedKey: { listedAt: String(requests), taskId: 't', task: 'tests.work' },
        };
      },
    };
    const list = new TaskHistory(barren as never, backends.tasksTable);
    await expect(list.list({ name: 'tests.work', state: 'dead', limit: 1 })).resolves.toEqual({
      tasks: [],
      next: { listedAt: '20', taskId: 't' },
    });
    expect(requests).toBe(20);
  });

  test('goes on behind a task that has left the list, and from a place of one list in another', async () => {
    const { name, ids } = await created(6);
    const { next } = await history.list({ name, state: 'queued', limit: 2 });
    for (const taskId of ids.slice(1, 4)) await store.cancel(taskId);
    const idsOf = async (query: object) =>
      (await history.list({ limit: 100, after: next, ...query })).tasks.map(({ taskId }) => taskId);
    const own = async (query: object) => (await idsOf(query)).filter((taskId) => ids.includes(taskId));
    await expect(own({ name, state: 'queued' })).resolves.toEqual(ids.slice(4));
    await expect(own({ name })).resolves.toEqual(ids.slice(2));
    await expect(own({})).resolves.toEqual(ids.slice(2));
    await expect(own({ state: 'cancelled' })).resolves.toEqual(ids.slice(2, 4));
  });
});
