import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CreateQueueCommand } from '@aws-sdk/client-sqs';
import { defineTask, type TaskStatus } from 'baton-tasks';
import { type Backends, startBackends } from 'baton-dev/testing/backends';
import { read, RunningService } from 'baton-dev/testing/service';
import * as z from 'zod';
import { environmentOf, newName, StoredTasks } from './stored-tasks.ts';

const addNumbers = defineTask({
  name: 'tests.add',
  queue: 'default',
  payload: z.object({ numbers: z.array(z.number()) }),
  result: z.object({ sum: z.number() }),
  retry: { maxAttempts: 3, baseSeconds: 1 },
  timeoutSeconds: 30,
  tracked: true,
});
const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as unknown;

let backends: Backends;
let service: RunningService;
let url: string;
let stored: StoredTasks;

beforeAll(async () => {
  backends = await startBackends(['worker']);
  await backends.sqs.send(new CreateQueueCommand({ QueueName: `baton-${backends.stage}-listeners` }));
  stored = new StoredTasks(backends);
  service = await RunningService.start('task-service', environmentOf(backends));
  ({ url } = service);
});
afterAll(async () => {
  await service.program.stop();
  await backends.stop();
});

interface TaskList {
  readonly tasks: TaskStatus[];
  readonly nextCursor: string | null;
}

async function listed(query: string): Promise<TaskList> {
  const response = await fetch(`${url}/tasks?${query}`);
  expect(response.status).toBe(200);
  return (await response.json()) as TaskList;
}

const idsOf = ({ tasks }: TaskList): string[] => tasks.map(({ taskId }) => taskId);
const taskAt = (taskId: string) => service.get(`/tasks/${taskId}`);
const cancel = (taskId: string) => fetch(`${url}/tasks/${taskId}/cancel`, { method: 'POST' });

describe('task-service, with every other service stopped,', () => {
  test('is live, and ready', async () => {
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  test('shows a task that a service has sent', async () => {
    const notBefore = new Date(Date.now() + 600_000);
    const options = { parentId: 'p-1', notBefore, subject: 'order 1' };
    const { taskId } = await backends.tasks.send(addNumbers, { numbers: [1, 2] }, options);
    await expect(taskAt(taskId)).resolves.toEqual({
      taskId,
      task: 'tests.add',
      queue: 'default',
      state: 'queued',
      attempts: 0,
      createdAt: time,
      updatedAt: time,
      notBefore: time,
      subject: 'order 1',
      parentId: 'p-1',
      traceparent: expect.stringMatching(/^00-/) as unknown,
    });
  });

  test('shows the progress of a running task', async () => {
    const { taskId, held } = await stored.running();
    await stored.store.attempts.progress(held, { fraction: 0.5, message: 'half way' });
    const progress = { fraction: 0.5, message: 'half way', at: time };
    await expect(taskAt(taskId)).resolves.toMatchObject({
      state: 'running',
      attempts: 1,
      startedAt: time,
      progress,
    });
  });

  test('shows how a task ended', async () => {
    const succeeded = await stored.ended('succeeded');
    await expect(taskAt(succeeded.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      result: { sum: 3 },
      finishedAt: time,
    });
    const dead = await stored.running();
    const error = { name: 'TypeError', message: 'no such number', reason: 'attempts-exhausted' };
    await dead.end({ state: 'dead', error });
    await expect(taskAt(dead.taskId)).resolves.toMatchObject({ state: 'dead', error });
  });

  test('shows why a task waits for its next attempt, and until when', async () => {
    const { taskId, end } = await stored.running();
    const error = { name: 'PostponeTask', message: 'the bank is away' };
    await end({ state: 'queued', counts: false, waiting: { reason: 'postponed', error }, restSeconds: 300 });
    await expect(taskAt(taskId)).resolves.toMatchObject({
      state: 'queued',
      attempts: 0,
      waiting: { reason: 'postponed', error, until: time },
    });
  });

  test('does not show what only the task store needs', async () => {
    const { taskId, held } = await stored.running({ payloadHash: 'hash', groupId: 'g-1' });
    await stored.store.attempts.keepEffect(held, 'pay', '{"paid":1}');
    const members = Object.keys(await taskAt(taskId)).join(' ');
    expect(members).toBe('taskId task queue state attempts createdAt updatedAt startedAt');
  });

  test.each(['', '/some', '/nowhere'])('answers HEAD of /tasks%s as GET, without a body', async (path) => {
    await stored.store.create({ taskId: 'some', task: 'tests.work', queue: 'default' });
    const [get, head] = [
      await fetch(`${url}/tasks${path}`),
      await fetch(`${url}/tasks${path}`, { method: 'HEAD' }),
    ];
    expect([head.status, await head.text()]).toEqual([get.status, '']);
    expect(get.status).toBe(path === '/nowhere' ? 404 : 200);
  });
});

describe('a list of tasks', () => {
  test('is newest first, 20 a page by default', async () => {
    const ids = await stored.several(21);
    const page = await listed('');
    expect(idsOf(page)).toEqual(ids.slice(0, 20));
    expect(idsOf(await listed(`limit=1&cursor=${page.nextCursor}`))).toEqual(ids.slice(20));
  });

  test.each([1, 2, 4, 5, 6, 100])('comes in pages of %d, and the last one has no cursor', async (limit) => {
    const name = newName();
    const ids = await stored.several(5, { task: name });
    for (const filter of [`name=${name}`, `name=${name}&state=queued`]) {
      const pages: string[][] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: TaskList = await listed(`${filter}&limit=${limit}${cursor && `&cursor=${cursor}`}`);
        pages.push(idsOf(page));
        cursor = page.nextCursor;
      }
      expect([pages.flat(), pages.length]).toEqual([ids, Math.ceil(ids.length / limit)]);
    }
  });

  test('may be filtered by name, state, or both', async () => {
    const task = newName();
    const [{ taskId: retrying }, { taskId: queued }, { taskId: failed }] = [
      await stored.ended('retrying', { task }),
      await stored.queued({ task }),
      await stored.ended('failed', { task }),
    ];
    await stored.queued();
    expect(idsOf(await listed(`name=${task}`)).toSorted()).toEqual([retrying, queued, failed].toSorted());
    expect(idsOf(await listed(`name=${task}&state=failed`))).toEqual([failed]);
    expect(idsOf(await listed('state=failed&limit=1'))).toEqual([failed]);
    expect(idsOf(await listed('state=retrying&limit=1'))).toEqual([retrying]);
    const nothing = { tasks: [], nextCursor: null };
    await expect(listed(`name=${task}&state=dead`)).resolves.toEqual(nothing);
    await expect(listed(`name=${newName()}`)).resolves.toEqual(nothing);
  });

  test.each([
    { state: 'succeeded' as const, result: '{"sum":3}' },
    { state: 'dead' as const, error: { name: 'TypeError', message: 'no', reason: 'timed-out' } },
  ])('has all of a task that is $state but its result', async (conclusion) => {
    const name = newName();
    const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const notBefore = new Date().toISOString();
    const task = await stored.running({ task: name, parentId: 'p-1', notBefore, traceparent });
    await stored.store.attempts.progress(task.held, { fraction: 1 });
    await task.end(conclusion);
    const { result: _result, ...rest } = await taskAt(task.taskId);
    expect(Object.keys(rest)).toEqual(expect.arrayContaining(['progress', 'notBefore', 'traceparent']));
    const state = `state=${conclusion.state}&`;
    for (const query of ['', state, `name=${name}&`, `name=${name}&${state}`]) {
      expect((await listed(`${query}limit=1`)).tasks).toEqual([rest]);
    }
  });

  test('continues from the same place if the cursor is from a list with another filter', async () => {
    const name = newName();
    const ids = await stored.several(6, { task: name });
    for (const taskId of [ids[1], ids[4]]) await stored.store.cancel(taskId ?? '');
    for (const filter of ['', `name=${name}`, 'state=queued', `name=${name}&state=queued`]) {
      const { tasks, nextCursor } = await listed(`${filter}&limit=3`);
      const behind = ids.slice(ids.indexOf(tasks[2]?.taskId ?? '') + 1);
      const idsAt = async (query: string) => idsOf(await listed(`${query}&cursor=${nextCursor}`));
      await expect(idsAt(`limit=${behind.length}`)).resolves.toEqual(behind);
      await expect(idsAt(`name=${name}`)).resolves.toEqual(behind);
      await expect(idsAt('state=cancelled&limit=1')).resolves.toEqual([ids[4]]);
      await expect(idsAt(`name=${name}&state=cancelled`)).resolves.toEqual([ids[4]]);
    }
  });
});

describe('cancelling', () => {
  test('leaves a listener that no contract declares to a worker: the tasks are cancelled, 200', async () => {
    const onEnd = [{ task: 'tests.listening', queue: 'listeners' }];
    const next = await stored.queued({ onEnd, subject: 'o-1' });
    const { taskId } = await stored.queued({ onEnd, subject: 'o-1', next });
    expect((await cancel(taskId)).status).toBe(200);
    for (const id of [taskId, next.taskId])
      await expect(taskAt(id)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test.each([
    ['is queued', () => stored.queued()],
    ['runs', () => stored.running()],
    ['waits for its next attempt', () => stored.ended('retrying')],
  ])('cancels a task that %s: 200, however often', async (_what, make) => {
    const { taskId } = await make();
    const first = await cancel(taskId);
    expect(first.status).toBe(200);
    const answer = await read(first);
    expect(answer).toMatchObject({ taskId, state: 'cancelled', finishedAt: time });
    const again = await cancel(taskId);
    expect([again.status, await read(again)]).toEqual([200, answer]);
    await expect(taskAt(taskId)).resolves.toEqual(answer);
  });

  test('ends the claim of the attempt that is running', async () => {
    const { taskId, held, end } = await stored.running();
    await cancel(taskId);
    await expect(stored.store.attempts.renew(held, 30)).resolves.toBe(false);
    await expect(end({ state: 'succeeded', result: '1' })).resolves.toBeUndefined();
  });
});
