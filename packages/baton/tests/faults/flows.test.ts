import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { chain, group, member, type TaskStatus } from 'baton-tasks';
import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { laterStepIds } from '../../src/send/flow-places.ts';
import { type Backends, startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';
import { count, sum, told } from '../support/tracked-tasks.ts';

const LONG_MS = 1000;
const three = chain([count, count, count]);

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
let sink: EffectSink;
let workers: Map<string, Program>;
let started: number;

beforeEach(async () => {
  backends = await startBackends(['default']);
  const { documents, tasksTable, sqs, queueUrls, stage } = backends;
  store = new TaskStore({ documents, table: tasksTable });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
  sink = await EffectSink.create(documents, `baton-${stage}-effects`);
  workers = new Map();
  started = 0;
  await Promise.all([startWorker(), startWorker()]);
});
afterEach(async () => {
  for (const worker of workers.values()) await worker.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(): Promise<void> {
  const id = `worker-${(started += 1)}`;
  const worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    EFFECTS_TABLE: sink.table,
    WORKER_ID: id,
    WORKER_CONCURRENCY: '3',
    WORKER_WAIT_SECONDS: '1',
    WORKER_LEASE_SECONDS: '3',
    HEALTH_PORT: String(await freePort()),
  });
  workers.set(id, worker);
  await worker.says('worker started');
}

/** Kills the worker that runs a task, once the task's effect is kept, and starts another in its place. */
async function killTheWorkerOf(taskId: string): Promise<void> {
  const owner = await eventually(
    `${taskId} between its effect and its end`,
    async () => {
      const row = await store.read(taskId);
      return row?.state === 'running' && row.effects?.['count'] !== undefined && row.owner;
    },
    20_000,
  );
  await workers.get(owner)?.stop('SIGKILL');
  workers.delete(owner);
  await startWorker();
}

const stepsOf = (firstId: string): string[] => [firstId, ...laterStepIds(firstId, 3)];

async function statesOf(taskIds: readonly string[]): Promise<TaskStatus['state'][]> {
  return (await store.readAll(taskIds)).map(({ state }) => state);
}

const keysOf = (taskIds: readonly string[]): Map<string, number> =>
  new Map(taskIds.map((taskId) => [`${taskId}:count`, 0]));

const queueEmpty = () =>
  eventually('an empty queue', async () => {
    const counts = await countMessages(backends, backends.queueUrls.of('default'));
    return Object.values(counts).every((messages) => messages === 0);
  });

test('a chain ends with each effect once, even if the worker of each step is killed', async () => {
  const handle = await tasks.start(three, { number: 1, ms: LONG_MS }, { taskId: 'chain' });
  for (const taskId of stepsOf('chain')) await killTheWorkerOf(taskId);
  await expect(handle.result()).resolves.toMatchObject({ number: 4 });
  await expect(sink.rows()).resolves.toEqual(keysOf(stepsOf('chain')));
  const rows = await store.readAll(stepsOf('chain'));
  // A crash does not count as a failed attempt
  expect(rows.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
  await queueEmpty();
});

test('the listener of a chain is told its end, even if the worker of each step is killed', async () => {
  const handle = await tasks.start(three, { number: 1, ms: LONG_MS }, { taskId: 'chain', onEnd: told });
  for (const taskId of stepsOf('chain')) await killTheWorkerOf(taskId);
  await handle.result();
  const { token } = (await store.read(handle.taskId)) ?? {};
  await eventually('the listener', async () =>
    (await sink.rows()).has(`${handle.taskId} succeeded ${token}`),
  );
  const ends = [...(await sink.rows())].filter(([effect]) => effect.startsWith(`${handle.taskId} `));
  expect(ends).toEqual([[`${handle.taskId} succeeded ${token}`, 0]]);
  await queueEmpty();
});

test('a group joins all results with each effect once, even if workers are killed', async () => {
  const members = [10, 20, 30, 40, 50].map((number) => member(count, { number, ms: LONG_MS }));
  const handle = await tasks.start(group(members, sum), { taskId: 'group' });
  const { memberIds = [] } = (await store.groups.find('group')) ?? {};
  await Promise.all(memberIds.slice(0, 2).map(killTheWorkerOf));
  await expect(handle.result()).resolves.toEqual({ sum: 155 });
  const rows = await sink.rows();
  expect(new Set(rows.keys())).toEqual(
    new Set([...memberIds.map((taskId) => `${taskId}:count`), `${handle.taskId}:sum`]),
  );
  await queueEmpty();
});

test('a rejected step cancels the steps after it, and a cancelled chain runs no further step', async () => {
  const rejecting = await tasks.start(three, { number: 1, rejectsAt: 2 }, { taskId: 'rejecting' });
  await expect(rejecting.result()).rejects.toMatchObject({ name: 'TaskCancelledError' });
  await expect(statesOf(stepsOf('rejecting'))).resolves.toEqual(['succeeded', 'failed', 'cancelled']);
  const [, second = ''] = stepsOf('rejecting');
  await expect(tasks.handle(count, second).result()).rejects.toMatchObject({
    name: 'TaskFailedError',
    reason: 'rejected',
  });
  await expect(sink.rows()).resolves.toEqual(keysOf(stepsOf('rejecting').slice(0, 2)));

  const cancelled = await tasks.start(three, { number: 1, ms: 60_000 }, { taskId: 'cancelled' });
  await eventually('its first step', async () => (await store.read('cancelled'))?.state === 'running');
  await expect(cancelled.cancel()).resolves.toMatchObject({ state: 'cancelled' });
  await expect(cancelled.result()).rejects.toMatchObject({ name: 'TaskCancelledError' });
  await expect(statesOf(stepsOf('cancelled'))).resolves.toEqual(['cancelled', 'cancelled', 'cancelled']);
  // The worker learns it from a heartbeat, aborts the handler long before its 60 s are over, and deletes the message
  await queueEmpty();
  await expect(sink.rows()).resolves.toEqual(keysOf(stepsOf('rejecting').slice(0, 2)));
});

test("a rejected member cancels the group's join", async () => {
  const members = [1, 2, 3].map((number) => member(count, { number, rejectsAt: 2 }));
  const handle = await tasks.start(group(members, sum));
  await expect(handle.result()).rejects.toMatchObject({ name: 'TaskCancelledError' });
  await queueEmpty();
  const rows = await sink.rows();
  expect(rows.has(`${handle.taskId}:sum`)).toBe(false);
  expect(rows.size).toBe(3);
});
