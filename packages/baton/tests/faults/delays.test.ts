import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { SendMessageCommand } from '@aws-sdk/client-sqs';
import { encodeEnvelope, TaskStore } from 'baton-tasks/tooling';
import { type Backends, startBackends } from '../support/backends.ts';
import { EffectSink } from '../support/effect-sink.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { countMessages } from 'baton-dev/testing/message-counts';
import { freePort, Program } from 'baton-dev/testing/program';
import { count } from '../support/tracked-tasks.ts';

const LEASE_SECONDS = 3;
/** The delay of the task: longer than two leases. */
const DELAY_MS = 8000;

let backends: Backends;
let worker: Program | undefined;
beforeEach(async () => {
  backends = await startBackends(['default']);
});
afterEach(async () => {
  await worker?.stop('SIGKILL');
  await backends.stop();
});

test('a tracked task that arrives two leases before its start time runs once, on time and as attempt 1', async () => {
  const { documents, sqs, queueUrls, environment, stage, tasksTable } = backends;
  const sink = await EffectSink.create(documents, `baton-${stage}-effects`);
  const store = new TaskStore({ documents, table: tasksTable });
  worker = new Program('packages/baton/tests/support/test-worker.ts', {
    ...environment,
    EFFECTS_TABLE: sink.table,
    WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
    WORKER_WAIT_SECONDS: '1',
    HEALTH_PORT: String(await freePort()),
  });
  await worker.says('worker started');

  const taskId = randomUUID();
  const dueAtMs = Date.now() + DELAY_MS;
  const body = encodeEnvelope({
    taskId,
    task: count.name,
    source: 'tests',
    time: new Date().toISOString(),
    trace: undefined,
    notBefore: new Date(dueAtMs).toISOString(),
    data: { number: 1 },
  });
  // Without DelaySeconds, and twice, as SQS may deliver it
  for (let copy = 0; copy < 2; copy += 1)
    await sqs.send(new SendMessageCommand({ QueueUrl: queueUrls.of('default'), MessageBody: body }));
  await worker.says('tests.count released');

  const row = await eventually(
    'the end of the task',
    async () => {
      const found = await store.read(taskId);
      return found?.state === 'succeeded' && found;
    },
    DELAY_MS + 10_000,
  );
  expect(row).toMatchObject({ attempts: 1, result: '{"number":2,"ms":0,"failures":0}' });
  const lateMs = Date.parse(row.startedAt ?? '') - dueAtMs;
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(2000);
  await eventually('an empty queue', async () => {
    const counts = await countMessages(backends, queueUrls.of('default'));
    return Object.values(counts).every((messages) => messages === 0);
  });
  const begins = worker.lines.filter((line) => line['message'] === 'count begins');
  expect(begins.map((line) => line['attempt'])).toEqual([1]);
  await expect(sink.rows()).resolves.toEqual(new Map([[`${taskId}:count`, 0]]));
});
