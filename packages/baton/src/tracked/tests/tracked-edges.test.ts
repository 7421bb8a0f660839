import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { isClaim } from '../../run/task-tracker.ts';
import { StoreTracker } from '../store-tracker.ts';
import { TaskContinuation } from '../../send/task-continuation.ts';
import { TaskStore } from '../task-store.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { type Handler, TrackedWork, work, WORK_HASH } from './tracked-work.ts';
import { receivedMessage, testEnvelope } from '../../../tests/support/messages.ts';

const DAY_MS = 86_400_000;
const done: Handler = ({ text }) => ({ length: text.length });
const circle: { self?: unknown } = {};
circle.self = circle;
const failing: Handler = () => {
  throw new Error('no');
};

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

/** Creates a task with a new id in the store. */
async function noted(change: object = {}) {
  const task = { taskId: randomUUID(), task: work.name, queue: work.queue, ...change };
  await tracked.store.create(task);
  return task;
}

/** Runs and ends a task as a worker does. */
async function ends(taskId: string, state: 'succeeded' | 'failed', result = '1') {
  const claim = {
    taskId,
    task: work.name,
    queue: work.queue,
    claimId: randomUUID(),
    owner: 'w-1',
    payloadHash: WORK_HASH,
    leaseSeconds: 30,
  };
  const row = await tracked.store.attempts.claim(claim);
  const held = { taskId, claimId: claim.claimId, token: row?.token ?? 0 };
  await tracked.store.attempts.conclude(held, { state, ...(state === 'succeeded' && { result }) });
}

describe('a tracked task whose message was received often', () => {
  test('continues in a copy before SQS dead-letters it without a reason', async () => {
    const change = { receiveCount: 20 };
    await expect(tracked.run(failing, { change })).resolves.toMatchObject({ kind: 'retry', asCopy: true });
  });

  test('rests longer each time while the task store is away, and continues in a copy', async () => {
    const away = jest
      .spyOn(tracked.backends.documents, 'send')
      .mockRejectedValue(new Error('no table') as never);
    const change = { receiveCount: 20, sentAtMs: Date.now() - 1_200_000 };
    const outcome = await tracked.run(done, { change }).finally(() => away.mockRestore());
    expect(outcome).toMatchObject({ kind: 'release', asCopy: true });
    expect((outcome as { delaySeconds: number }).delaySeconds).toBeGreaterThanOrEqual(150);
    await expect(tracked.run(done)).resolves.toMatchObject({ kind: 'done' });
  });
});

describe('a tracked task', () => {
  test.each([
    ['a number that JSON cannot carry', { big: 5n }],
    ['a value that contains itself', circle],
  ])('that returns %s is rejected with an error that says why', async (_what, result) => {
    const logger = createLogger({ service: 'tests', level: 'silent' });
    const { store, taskId } = tracked;
    const tracker = new StoreTracker({ store, forward: async () => undefined, leaseSeconds: 30, logger });
    const envelope = testEnvelope({ taskId, task: work.name });
    const message = receivedMessage({ sentAtMs: 0 });
    const { signal } = new AbortController();
    const asked = { message, envelope, queue: work.queue, contract: work, owner: 'w-1', signal };
    const claim = await tracker.claim({ ...asked, graceSeconds: 1 });
    const outcome = isClaim(claim) && (await claim.conclude({ kind: 'done', result }));
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'rejected' });
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('not JSON') as unknown },
    });
  });

  test('does not run before its delay is over, even if it was sent again without a delay', async () => {
    const notBefore = new Date(Date.now() + DAY_MS).toISOString();
    await tracked.store.create({ taskId: tracked.taskId, task: work.name, queue: work.queue, notBefore });
    const never = jest.fn<Handler>();
    const outcome = await tracked.run(never);
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
    expect((outcome as { delaySeconds: number }).delaySeconds).toBeGreaterThan(86_000);
    expect(never).not.toHaveBeenCalled();
  });

  test('that has ended does not run again while DynamoDB still has its expired row', async () => {
    await tracked.run(done);
    const clock = jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 15 * DAY_MS);
    const never = jest.fn<Handler>();
    const outcome = await tracked.run(never).finally(() => clock.mockRestore());
    expect(outcome).toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
  });

  test('is kept for 14 more days if it starts late', async () => {
    const { taskId } = await noted();
    const later = () => Date.now() + 13 * DAY_MS;
    const { documents, tasksTable: table } = tracked.backends;
    const store = new TaskStore({ documents, table, now: later });
    const claim = {
      taskId,
      task: work.name,
      queue: work.queue,
      claimId: 'c',
      owner: 'w-1',
      payloadHash: WORK_HASH,
      leaseSeconds: 30,
    };
    const row = await store.attempts.claim(claim);
    expect(row?.expiresAt).toBeGreaterThan((later() + 13 * DAY_MS) / 1000);
  });

  test.each([
    ['another next step', { next: { taskId: 'other', task: work.name, queue: work.queue } }],
    ['another group', { groupId: 'other' }],
  ])('is refused as a conflict if its id belongs to a task with %s', async (_what, change) => {
    const { taskId } = await noted(change);
    await expect(noted({ taskId })).rejects.toMatchObject({ name: 'TaskConflictError' });
  });
});

describe('the flow after a task', () => {
  const forward = jest.fn(async () => undefined);
  const continuation = () => new TaskContinuation({ records: tracked.store, forward });
  beforeEach(() => {
    forward.mockClear();
  });

  test('is cancelled to its end with the reason if a step was cancelled before its turn', async () => {
    const last = await noted();
    const second = await noted({ next: last });
    const first = await noted({ next: second });
    await tracked.store.cancel(second.taskId);
    await ends(first.taskId, 'succeeded');
    const row = await tracked.store.read(first.taskId);
    if (row) await continuation().ended(row);
    await expect(tracked.store.find(last.taskId)).resolves.toMatchObject({
      state: 'cancelled',
      error: { message: expect.stringContaining(second.taskId) as unknown },
    });
    expect(forward).not.toHaveBeenCalled();
  });

  test('waits for all members of a group that starts again with the id of an expired group', async () => {
    const { documents, tasksTable: table } = tracked.backends;
    let nowMs = Date.now();
    const store = new TaskStore({ documents, table, now: () => nowMs });
    const group = { groupId: randomUUID(), memberIds: [randomUUID(), randomUUID()], next: await noted() };
    await store.groups.create(group);
    for (const taskId of group.memberIds) await store.groups.memberDone(group.groupId, taskId);
    nowMs += 15 * DAY_MS;
    await expect(store.groups.memberDone(group.groupId, 'late')).resolves.toBeUndefined();
    await store.groups.create(group);
    const [first = ''] = group.memberIds;
    const again = await store.groups.memberDone(group.groupId, first);
    expect(again?.done).toEqual(new Set([first]));
  });

  test('is refused as a conflict if its id belongs to another group', async () => {
    const group = { groupId: randomUUID(), memberIds: ['a'], next: await noted() };
    await tracked.store.groups.create(group);
    const other = { ...group, memberIds: ['a', 'b'] };
    await expect(tracked.store.groups.create(other)).rejects.toMatchObject({ name: 'TaskConflictError' });
  });
});
