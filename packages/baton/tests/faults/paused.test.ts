import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { TaskClient, TaskStore } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';
import { count } from '../support/tracked-tasks.ts';

/** The task's time. Its effect runs after half of it. */
const WORK_MS = 2000;

let backends: Backends;
let store: TaskStore;
let tasks: TaskClient;
let sink: EffectSink;
let workers: Map<string, Program>;

beforeEach(async () => {
  backends = await startBackends(['default']);
  const { documents, tasksTable, sqs, queueUrls, stage } = backends;
  store = new TaskStore({ documents, table: tasksTable });
  tasks = new TaskClient({ sqs, queueUrls, source: 'tests', records: store });
  sink = await EffectSink.create(documents, `baton-${stage}-effects`);
  workers = new Map();
});
afterEach(async () => {
  for (const worker of workers.values()) await worker.stop('SIGKILL');
  await backends.stop();
});

async function startWorker(id: string): Promise<Program> {
  const worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...backends.environment,
    EFFECTS_TABLE: sink.table,
    WORKER_ID: id,
    WORKER_CONCURRENCY: '1',
    WORKER_WAIT_SECONDS: '1',
    WORKER_LEASE_SECONDS: '3',
    HEALTH_PORT: String(await freePort()),
  });
  workers.set(id, worker);
  await worker.says('worker started');
  return worker;
}

/** SIGSTOP does not stop the clocks, but no timer of a stopped process fires. */
test('a worker paused for longer than its lease does not run an effect that another worker has run', async () => {
  const stopped = await startWorker('stopped');
  const { taskId } = await tasks.send(count, { number: 1, ms: WORK_MS });
  await stopped.says('count begins');
  stopped.signal('SIGSTOP');
  await startWorker('other');
  await eventually(
    'the task done by the other',
    async () => (await store.read(taskId))?.state === 'succeeded',
    30_000,
  );
  await expect(sink.rows()).resolves.toEqual(new Map([[`${taskId}:count`, 0]]));

  stopped.signal('SIGCONT');
  await stopped.says('lease lost');
  await stopped.says('released');
  // One row, and no second request for it
  await expect(sink.rows()).resolves.toEqual(new Map([[`${taskId}:count`, 0]]));
  await expect(store.read(taskId)).resolves.toMatchObject({
    state: 'succeeded',
    attempts: 1,
    result: expect.any(String),
  });
  await eventually('an empty queue', async () => {
    const counts = await countMessages(backends, backends.queueUrls.of('default'));
    return Object.values(counts).every((messages) => messages === 0);
  });
});
