import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { TaskHistory, taskPositionSchema } from '../task-history.ts';
import { TaskStore } from '../task-store.ts';
import { readSharedPart } from 'baton-dev/stack/part';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';

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

/** Creates a waiting task. */
async function queued(change: { readonly task: string; readonly taskId?: string }) {
  const task = { taskId: randomUUID(), queue: 'default', payloadHash: 'hash', ...change };
  await store.create(task);
  return task;
}

/** Starts the first attempt of a new task, and ends it as a worker does if `ends`. */
async function begun(task: string, ends: boolean): Promise<string> {
  const { taskId, queue } = await queued({ task });
  const claimId = randomUUID();
  const row = await store.attempts.claim({
    taskId,
    task,
    queue,
    owner: 'w-1',
    claimId,
    payloadHash: 'hash',
    leaseSeconds: 30,
  });
  const held = { taskId, claimId, token: row?.token ?? 0 };
  if (ends) await store.attempts.conclude(held, { state: 'succeeded', result: '1' });
  return taskId;
}

interface Index {
  readonly KeySchema: readonly [{ readonly AttributeName: string }];
  readonly Projection: { readonly NonKeyAttributes: readonly string[] };
}

test('all lists have the same attributes of a task', () => {
  const { TasksTable } = readSharedPart('test').resources?.Resources ?? {};
  const indexes = (TasksTable?.Properties['GlobalSecondaryIndexes'] ?? []) as Index[];
  const [all = [], ...others] = indexes.map(
    ({ KeySchema: [{ AttributeName: key }], Projection: { NonKeyAttributes } }) =>
      [...NonKeyAttributes, ...(key === 'listedIn' ? [] : [key])].toSorted(),
  );
  expect(others).toEqual([all, all]);
});

describe('the history of tasks', () => {
  test('lists all tasks, or those of a name, a state or both, newest first and in pages', async () => {
    const name = `tests.${randomUUID()}`;
    const ids: string[] = [];
    for (let index = 0; index < 7; index += 1) {
      nowMs += 1000;
      ids.unshift(await begun(name, index % 2 === 0));
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

  /** Creates this many tasks with a new name. Returns their ids, newest first. */
  async function created(count: number) {
    const name = `tests.${randomUUID()}`;
    const ids = Array.from(
      { length: count },
      (_, index) => `${String(count - index).padStart(4, '0')}-${name}`,
    );
    await Promise.all(ids.map((taskId) => queued({ taskId, task: name })));
    return { name, ids };
  }

  test('lists a hundred tasks with one request', async () => {
    const { name } = await created(101);
    const { counter, history: list } = counted();
    const page = await list.list({ name, limit: 100 });
    expect([page.tasks.length, counter.requests]).toEqual([100, 1]);
  });

  test.each([
    ['a name', {}],
    ['a name and a state', { state: 'queued' as const }],
  ])('of %s has a next page only if there are more tasks', async (_what, filter) => {
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
  });

  test('finds the only task of a state among many of its name with few requests', async () => {
    const { name, ids } = await created(250);
    await store.cancel(ids[150] ?? '');
    const { counter, history: list } = counted();
    const page = await list.list({ name, state: 'cancelled', limit: 1 });
    expect([page.tasks.map(({ taskId }) => taskId), page.next]).toEqual([[ids[150]], undefined]);
    expect(counter.requests).toBe(3);
  });

  test('ends a page after 20 requests without a task, and says where to continue', async () => {
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
      broken: [],
      next: { listedAt: '20', taskId: 't' },
    });
    expect(requests).toBe(20);
  });

  test('continues after a task that has left the list, and from a place of another list', async () => {
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

test('a row whose attributes have other types is left out of all lists, and the others are shown', async () => {
  const name = `broken-${randomUUID()}`;
  const rows = await Promise.all([1, 2, 3, 4, 5].map(() => queued({ task: name })));
  const [number, queue, long, larger] = rows;
  const write = (taskId: string, attribute: string, value: unknown) =>
    backends.documents.send(
      new UpdateCommand({
        TableName: backends.tasksTable,
        Key: { taskId },
        UpdateExpression: `SET ${attribute} = :value`,
        ExpressionAttributeValues: { ':value': value },
      }),
    );
  await write(number?.taskId ?? '', 'attempts', 9_007_199_254_740_993n);
  await write(larger?.taskId ?? '', 'attempts', 10n ** 100n);
  await write(queue?.taskId ?? '', 'queue', 5);
  await write(long?.taskId ?? '', 'listedAt', '9999'.repeat(200));
  await write(long?.taskId ?? '', 'queue', 5);
  const first = await history.list({ name, limit: 1 });
  const shown = [...first.tasks];
  const broken = [...first.broken];
  for (let { next } = first; next;) {
    expect(taskPositionSchema.parse(next)).toEqual(next);
    const page = await history.list({ name, limit: 1, after: next });
    shown.push(...page.tasks);
    broken.push(...page.broken);
    next = page.next;
  }
  expect(shown.map(({ taskId }) => taskId)).toEqual([rows[4]?.taskId]);
  expect(new Set(broken)).toEqual(new Set(rows.slice(0, 4).map(({ taskId }) => taskId)));
});
