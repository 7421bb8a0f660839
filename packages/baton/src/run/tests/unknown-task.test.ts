import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { Implementations } from '../../task/implementation.ts';
import { processMessage } from '../process-message.ts';
import type { ForwardTask } from '../../send/task-continuation.ts';
import { payloadHashOf } from '../../send/prepared-task.ts';
import { StoreTracker } from '../../tracked/store-tracker.ts';
import { TaskStore } from '../../tracked/task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Backends, startBackends } from '../../../tests/support/backends.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { messageBody, receivedMessage, textAttributes } from '../../../tests/support/messages.ts';

const DAY_MS = 86_400_000;
const logger = createLogger({ service: 'tests', level: 'silent' });

let backends: Backends;
let store: TaskStore;
/** The task store an hour ago. */
let earlier: TaskStore;
let taskId: string;
/** Records the listeners that are told. */
const forward = jest.fn<ForwardTask>();

beforeAll(async () => {
  backends = await startBackends([]);
  const options = { documents: backends.documents, table: backends.tasksTable };
  store = new TaskStore(options);
  earlier = new TaskStore({ ...options, now: () => Date.now() - 3_600_000 });
});
beforeEach(() => {
  taskId = randomUUID();
  forward.mockReset();
});
afterAll(() => backends.stop());

/** A message, as a process receives it. */
interface Received {
  readonly notBefore?: string;
  readonly receiveCount?: number;
  readonly notes?: Readonly<Record<string, string>>;
}

/** Lets a process that knows no tasks run a message. Other processes have released it so many times before. */
function run(releases: number, { notBefore, receiveCount = 1, notes = {} }: Received = {}) {
  const body = messageBody({ taskId, task: 'tests.new', notBefore });
  const attributes = textAttributes({ 'baton.unknown-times': String(releases), ...notes });
  return processMessage(
    receivedMessage({ body, receiveCount, attributes }),
    'default',
    { signal: new AbortController().signal, outlivedBy: () => undefined },
    {
      implementations: new Implementations([]),
      send: jest.fn() as never,
      tracker: new StoreTracker({ store, forward, leaseSeconds: 30, logger }),
      logger,
      worker: { id: 'old', version: '1' },
      unknownTaskPatienceSeconds: 60,
      abortGraceSeconds: 1,
    },
  );
}

/** A message in the queue waits for a worker that knows its task for 60 s at most, by the row too. */
const created = (change: object = {}, to = earlier) =>
  to.create({ taskId, task: 'tests.new', queue: 'default', ...change });

/** Lets a process that knows the task start an attempt. */
async function begun(leaseSeconds = 30) {
  const claimId = randomUUID();
  const claim = {
    taskId,
    task: 'tests.new',
    queue: 'default',
    claimId,
    owner: 'new',
    payloadHash: payloadHashOf({}),
    leaseSeconds,
  };
  const { token = 0, leaseUntilMs = 0 } = (await store.attempts.claim(claim)) ?? {};
  return { taskId, claimId, token, leaseUntilMs };
}

/** Lets such a process die: its lease has expired. */
async function died() {
  const claim = await begun(0);
  await eventually('its lease to end', () => Date.now() > claim.leaseUntilMs);
  return claim;
}

const unknown = { kind: 'dead-letter', reason: 'unknown-task' };

describe('a tracked task that no process knows', () => {
  test('keeps waiting, also in its row, while a deploy may bring it', async () => {
    await created();
    await expect(run(17)).resolves.toMatchObject({ kind: 'release', asCopy: true });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued', attempts: 0 });
  });

  test('is dead in its row once it is a dead letter, with the same reason', async () => {
    await created();
    await expect(run(18)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'dead',
      attempts: 0,
      error: { name: 'UnknownTaskError', reason: 'unknown-task' },
      finishedAt: expect.any(String) as unknown,
    });
  });

  test('is not given up before it has waited so long by its row too, because a sender can write any count', async () => {
    await created({}, store);
    const outcome = await run(999_999);
    expect(outcome).toMatchObject({ kind: 'release', asCopy: true, error: { name: 'UnknownTaskError' } });
    expect((outcome as { delaySeconds: number }).delaySeconds).toBeGreaterThan(50);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued' });
  });

  test('whose delay was over a moment ago is not given up yet', async () => {
    await created({ notBefore: new Date(Date.now() - 1000).toISOString() });
    await expect(run(999_999)).resolves.toMatchObject({ kind: 'release', asCopy: true });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued' });
  });

  test('cancels the tasks that would have followed it', async () => {
    const next = { taskId: `${taskId}-next`, task: 'tests.new', queue: 'default' };
    await store.create(next);
    await created({ next });
    await run(18);
    await expect(store.find(next.taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('does not become a dead letter before its delay is over', async () => {
    await created();
    const outcome = await run(18, { notBefore: new Date(Date.now() + DAY_MS).toISOString() });
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'queued' });
  });

  test('is neither dead-lettered nor given up while another process runs it', async () => {
    await created();
    await begun();
    await expect(run(18)).resolves.toMatchObject({ kind: 'release', error: { name: 'TaskRunningError' } });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'running' });
  });

  test('is dead once the lease of a process that knew it and died has expired', async () => {
    await created({ onEnd: [{ task: 'tests.listening', queue: 'default' }] });
    const held = await died();
    await expect(run(17)).resolves.toMatchObject({ kind: 'release', asCopy: true });
    await expect(run(18)).resolves.toMatchObject(unknown);
    const row = await store.read(taskId);
    expect(row).toMatchObject({ state: 'dead', attempts: 0, error: { reason: 'unknown-task' } });
    expect([row?.owner, row?.leaseUntilMs, row?.claimId]).toEqual([undefined, undefined, undefined]);
    expect(forward.mock.calls).toMatchObject([[{ task: 'tests.listening' }, { taskId, state: 'dead' }, {}]]);
    await expect(store.attempts.conclude(held, { state: 'succeeded' })).resolves.toBeUndefined();
  });

  test('keeps the attempt of a process that died while the task ran alone', async () => {
    await created();
    await died();
    await store.attempts.begins(await died(), 'alone');
    await run(18);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'dead', attempts: 1 });
  });

  test('is dead at once if a note of its message names the running claim as unconcluded', async () => {
    await created();
    const { claimId } = await begun();
    await expect(run(18, { notes: { 'baton.unconcluded': claimId } })).resolves.toMatchObject(unknown);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'dead', attempts: 0 });
  });

  test('continues in a copy while another process runs it, before SQS dead-letters it', async () => {
    await created();
    await begun();
    const outcome = await run(18, { receiveCount: 20 });
    const notes = { 'baton.unknown-times': '18' };
    expect(outcome).toMatchObject({
      kind: 'release',
      asCopy: true,
      notes,
      error: { name: 'TaskRunningError' },
    });
  });

  test('does not become a dead letter while its row cannot be written', async () => {
    await created();
    const away = jest.spyOn(backends.documents, 'send').mockRejectedValue(new Error('no table') as never);
    const outcome = await run(18).finally(() => away.mockRestore());
    expect(outcome).toMatchObject({ kind: 'release' });
  });
});

test('an untracked task that no process knows uses no attempt while the task store is away', async () => {
  const away = jest.spyOn(backends.documents, 'send').mockRejectedValue(new Error('no table') as never);
  const outcome = await run(18, { receiveCount: 4 }).finally(() => away.mockRestore());
  const notes = { 'baton.unknown-times': '18', 'baton.earlier-receives': '3', 'baton.first-id': 'm-1' };
  expect(outcome).toMatchObject({ kind: 'release', asCopy: true, notes });
});

test('an untracked task that no process knows becomes a dead letter and has no row', async () => {
  await expect(run(18)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'unknown-task' });
  await expect(store.find(taskId)).resolves.toBeUndefined();
});
