import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { BrokenAnswerError } from '../../aws/answers.ts';
import { chain, group, member } from '../../task/flow.ts';
import { TaskClient } from '../task-client.ts';
import { KeptTaskHandle } from '../task-handle.ts';
import type { TaskHandle } from '../../task/send-task.ts';
import type { TaskRecords } from '../task-records.ts';
import type { Conclusion, HeldClaim } from '../../tracked/task-attempts.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { work, WORK_HASH } from '../../tracked/tests/tracked-work.ts';
import * as z from 'zod';

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;

beforeAll(async () => {
  backends = await startBackends(['default']);
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
  const { sqs, queueUrls } = backends;
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
});
afterAll(() => backends.stop());

/** Writes the row of a waiting task. Returns its handle. */
async function waiting(): Promise<TaskHandle<typeof work.result>> {
  const taskId = randomUUID();
  await store.create({ taskId, task: work.name, queue: work.queue });
  return tasks.handle(work, taskId);
}

async function begun(taskId: string): Promise<HeldClaim> {
  const claimId = randomUUID();
  const claim = {
    taskId,
    task: work.name,
    queue: work.queue,
    claimId,
    owner: 'w-1',
    payloadHash: WORK_HASH,
    leaseSeconds: 30,
  };
  const row = await store.attempts.claim(claim);
  return { taskId, claimId, token: row?.token ?? 0 };
}

/** Writes the row of a task and ends it. Returns its handle. */
async function ended(conclusion: Conclusion): Promise<TaskHandle<typeof work.result>> {
  const handle = await waiting();
  await store.attempts.conclude(await begun(handle.taskId), conclusion);
  return handle;
}

describe('the handle of a tracked task', () => {
  test('waits for the result, which has the type of the contract', async () => {
    const handle = await waiting();
    const result = handle.result();
    await store.attempts.conclude(await begun(handle.taskId), {
      state: 'succeeded',
      result: '{"length":4,"more":1}',
    });
    await expect(result).resolves.toEqual({ length: 4 });
  });

  test('continues to wait while the task store is away', async () => {
    const { taskId } = await ended({ state: 'succeeded', result: '{"length":4}' });
    let looks = 0;
    const find: TaskRecords['find'] = async (id) => {
      looks += 1;
      if (looks < 3) throw new BrokenAnswerError('GetItem', 'it is HTML');
      return store.find(id);
    };
    const handle = new KeptTaskHandle({ find } as TaskRecords, work, taskId, async () => undefined);
    await expect(handle.result()).resolves.toEqual({ length: 4 });
    looks = -Infinity;
    await expect(handle.result({ timeoutSeconds: 0.1 })).rejects.toMatchObject({
      name: 'ResultTimeoutError',
      cause: { name: 'BrokenAnswerError' },
    });
  });

  test('stops the wait after its timeout with an error that has the status; the task continues', async () => {
    const handle = await waiting();
    const held = await begun(handle.taskId);
    await expect(handle.result({ timeoutSeconds: 0.1 })).rejects.toMatchObject({
      name: 'ResultTimeoutError',
      message: expect.stringContaining('within 0.1 s; its state is running') as unknown,
    });
    await store.attempts.conclude(held, { state: 'succeeded', result: '{"length":4}' });
    await expect(handle.result()).resolves.toEqual({ length: 4 });
  });

  test('reports a task without a row as unknown', async () => {
    const handle = tasks.handle(work, randomUUID());
    await expect(handle.status()).resolves.toBeUndefined();
    await expect(handle.cancel()).resolves.toBeUndefined();
    await expect(handle.result({ timeoutSeconds: 0 })).rejects.toThrow('its state is unknown');
  });

  test('ends the wait when its signal aborts', async () => {
    const handle = await waiting();
    const abort = new AbortController();
    const result = handle.result({ signal: abort.signal });
    abort.abort();
    await expect(result).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('reads the store less and less often', async () => {
    let looks = 0;
    const records = { find: async () => void (looks += 1) } as unknown as TaskRecords;
    const handle = new KeptTaskHandle(records, work, 'any', async () => undefined);
    await expect(handle.result({ timeoutSeconds: 0.5 })).rejects.toMatchObject({
      name: 'ResultTimeoutError',
    });
    // At once, after 50, 125, 237 and 406 ms, and at the end. With a fixed rest of 50 ms it would be eleven times
    expect(looks).toBeGreaterThan(2);
    expect(looks).toBeLessThan(9);
  });

  test.each([
    ['failed', 'rejected', 'RejectTask'],
    ['dead', 'attempts-exhausted', 'RangeError'],
    ['dead', 'timed-out', 'TaskTimeoutError'],
  ] as const)('rejects if the task is %s with the reason %s', async (state, reason, name) => {
    const handle = await ended({ state, error: { name, message: 'no', reason } });
    await expect(handle.result()).rejects.toMatchObject({
      name: 'TaskFailedError',
      taskId: handle.taskId,
      reason,
      errorName: name,
      message: expect.stringContaining('no') as unknown,
    });
  });

  test('cancels a waiting task, and then rejects', async () => {
    const handle = await waiting();
    await expect(handle.cancel()).resolves.toMatchObject({ state: 'cancelled' });
    await expect(handle.result()).rejects.toMatchObject({ name: 'TaskCancelledError' });
    await expect(handle.cancel()).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('does not cancel an ended task', async () => {
    const handle = await ended({ state: 'succeeded', result: '{"length":4}' });
    await expect(handle.cancel()).resolves.toMatchObject({ state: 'succeeded', result: { length: 4 } });
    await expect(handle.result()).resolves.toEqual({ length: 4 });
  });

  test('reads the status from the task store', async () => {
    const handle = await waiting();
    await expect(handle.status()).resolves.toMatchObject({ state: 'queued', attempts: 0, task: work.name });
    await begun(handle.taskId);
    await eventually('it runs', async () => (await handle.status())?.state === 'running');
  });
});

test("the row of a group has the version of the task that gets its members' results", async () => {
  const sum = { ...work, name: 'tests.sum', version: 3, payload: z.array(work.result) };
  await tasks.start(group([member(work, { text: 'x' })], sum), { taskId: 'group-1' });
  const [memberId = ''] = (await store.groups.find('group-1'))?.memberIds ?? [];
  await store.attempts.conclude(await begun(memberId), { state: 'succeeded', result: '{"length":1}' });
  await expect(store.groups.find('group-1')).resolves.toMatchObject({ next: { version: 3 } });
});

test('the handle of a chain cancels all its tasks', async () => {
  const again = { ...work, name: 'tests.again', version: 2, payload: work.result, result: work.payload };
  const handle = await tasks.start(chain([work, again, work]), { text: 'x' }, { taskId: 'chain-1' });
  const [, before] = await store.readAll(['chain-1', handle.taskId]);
  expect(before).toMatchObject({ taskId: handle.taskId, state: 'queued', task: work.name });
  const first = await store.read('chain-1');
  expect(first?.next).toMatchObject({ task: again.name, version: 2 });
  await handle.cancel();
  const ids = ['chain-1', first?.next?.taskId ?? '', handle.taskId];
  const rows = await store.readAll(ids);
  expect(rows.map(({ state }) => state)).toEqual(['cancelled', 'cancelled', 'cancelled']);
});
