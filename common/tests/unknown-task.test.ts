import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { Implementations } from '@baton/common/queue/implementation';
import { processMessage } from '@baton/common/queue/process-message';
import { StoreTracker } from '@baton/common/state/store-tracker';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger } from '@baton/common/telemetry/logger';
import { type Backends, startBackends } from '@baton/tests/backends';

const DAY_MS = 86_400_000;
const logger = createLogger({ service: 'tests', level: 'silent' });

let backends: Backends;
let store: TaskStore;
let taskId: string;

beforeAll(async () => {
  backends = await startBackends([]);
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
});
beforeEach(() => {
  taskId = randomUUID();
});
afterAll(() => backends.stop());

/** Has a process that knows no task at all run a message, which was put back so often before. */
function run(putBackTimes: number, notBefore?: string) {
  const time = new Date().toISOString();
  const body = encodeEnvelope({
    taskId,
    task: 'tests.new',
    source: 'tests',
    time,
    trace: undefined,
    notBefore,
    data: {},
  });
  const StringValue = String(putBackTimes);
  const message = {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    body,
    receiveCount: 1,
    sentAtMs: Date.now(),
    firstReceivedAtMs: Date.now(),
    attributes: { 'baton.unknown-times': { DataType: 'String', StringValue } },
  };
  return processMessage(
    message,
    'default',
    { signal: new AbortController().signal, outlivedBy: () => undefined },
    {
      implementations: new Implementations([]),
      send: jest.fn() as never,
      tracker: new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger }),
      logger,
      worker: { id: 'old', version: '1' },
      unknownTaskPatienceSeconds: 60,
      abortGraceSeconds: 1,
    },
  );
}

const created = (change: object = {}) =>
  store.create({ taskId, task: 'tests.new', queue: 'default', ...change });

describe('a tracked task that no process knows', () => {
  test('waits, in its row too, while a deploy may bring it', async () => {
    await created();
    await expect(run(17)).resolves.toMatchObject({ kind: 'release', anew: true });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('is dead in its row when it is a dead letter, with the same reason', async () => {
    await created();
    await expect(run(18)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'dead',
      attempts: 0,
      error: { name: 'UnknownTaskError', reason: 'unknown-task' },
      finishedAt: expect.any(String) as unknown,
    });
  });

  test('takes those that would have followed it along', async () => {
    const next = { taskId: `${taskId}-next`, task: 'tests.new', queue: 'default' };
    await store.create(next);
    await created({ next });
    await run(18);
    await expect(store.find(next.taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('uses no patience up before its time', async () => {
    await created();
    const outcome = await run(18, new Date(Date.now() + DAY_MS).toISOString());
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued' });
  });

  test('is neither set aside nor given up while another process runs it, which knows it', async () => {
    await created();
    await store.attempts.claim({
      taskId,
      task: 'tests.new',
      queue: 'default',
      claimId: 'c',
      owner: 'new',
      leaseSeconds: 30,
    });
    await expect(run(18)).resolves.toMatchObject({ kind: 'release', error: { name: 'TaskRunningError' } });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'running' });
  });

  test('is not set aside while its row cannot be written', async () => {
    await created();
    const away = jest.spyOn(backends.documents, 'send').mockRejectedValue(new Error('no table') as never);
    const outcome = await run(18).finally(() => away.mockRestore());
    expect(outcome).toMatchObject({ kind: 'release' });
  });
});

test('an untracked task that no process knows is a dead letter and makes no row', async () => {
  await expect(run(18)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
  await expect(store.find(taskId)).resolves.toBeUndefined();
});
