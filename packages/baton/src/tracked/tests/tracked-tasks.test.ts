import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { RejectTask } from '../../task/errors.ts';
import { eventually } from 'baton-dev/testing/eventually';
import { type Handler, TrackedWork, work, WORK_HASH } from './tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

const done: Handler = ({ text }) => ({ length: text.length });

/** Lets the claim of a task expire, although its worker does not notice. */
const leaseEnded = () =>
  new UpdateCommand({
    TableName: tracked.backends.tasksTable,
    Key: { taskId: tracked.taskId },
    UpdateExpression: 'SET leaseUntilMs = :zero',
    ExpressionAttributeValues: { ':zero': 0 },
  });

const untilAborted: Handler = (_payload, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('a tracked task', () => {
  test('whose handler returns has succeeded, with its result', async () => {
    await expect(tracked.run(done)).resolves.toMatchObject({ kind: 'done' });
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      result: { length: 4 },
      attempts: 1,
    });
  });

  test('does not run again if its message comes again, which is deleted', async () => {
    await tracked.run(done);
    const never = jest.fn<Handler>();
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
  });

  test('that runs in another worker is released until the lease of that worker expires', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const first = tracked.run(() => promise);
    await eventually(
      'the task running',
      async () => (await tracked.store.find(tracked.taskId))?.state === 'running',
    );
    const never = jest.fn<Handler>();
    const second = await tracked.run(never, { owner: 'w-2' });
    expect(second).toMatchObject({ kind: 'release', error: { name: 'TaskRunningError' } });
    expect((second as { delaySeconds: number }).delaySeconds).toBeGreaterThan(25);
    expect((second as { delaySeconds: number }).delaySeconds).toBeLessThanOrEqual(30);
    expect(never).not.toHaveBeenCalled();
    resolve({ length: 1 });
    await first;
  });

  test('counts its attempts in the task store, not the receives of SQS, and counts no releases', async () => {
    const attempts: number[] = [];
    const failing: Handler = (_payload, { attempt }) => {
      attempts.push(attempt);
      throw new Error('no');
    };
    const stop = new AbortController();
    stop.abort(new Error('stopping'));
    const change = { receiveCount: 17 };
    await expect(tracked.run(failing, { change })).resolves.toMatchObject({ kind: 'retry' });
    await expect(tracked.run(untilAborted, { change, signal: stop.signal })).resolves.toMatchObject({
      kind: 'release',
    });
    // A worker that stops waits for the store for 0.2 s only. A slow store writes the release after that
    await eventually('the release written', async () => {
      return (await tracked.store.read(tracked.taskId))?.state === 'queued';
    });
    await expect(tracked.run(failing, { change })).resolves.toMatchObject({ kind: 'retry' });
    await expect(tracked.run(failing, { change })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'attempts-exhausted',
    });
    expect(attempts).toEqual([1, 2, 3]);
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'dead',
      attempts: 3,
      error: {
        name: 'Error',
        message: 'no',
        reason: 'attempts-exhausted',
      },
    });
  });

  test('is sent as a copy before SQS deletes its message, and keeps its count of attempts', async () => {
    const failing: Handler = () => {
      throw new Error('no');
    };
    const change = { sentAtMs: Date.now() - 5 * 86_400_000 };
    await expect(tracked.run(failing, { change })).resolves.toMatchObject({ kind: 'retry', asCopy: true });
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'retrying',
      attempts: 1,
    });
  });

  test('that its handler rejects has failed, and becomes a dead letter again if its message comes again', async () => {
    const rejecting: Handler = () => {
      throw new RejectTask('never');
    };
    const rejected = { kind: 'dead-letter', reason: 'rejected', error: { message: 'never' } };
    await expect(tracked.run(rejecting)).resolves.toMatchObject(rejected);
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({ state: 'failed' });
    await expect(tracked.run(done)).resolves.toMatchObject(rejected);
  });

  test('starts again if its dead letter is put back', async () => {
    await tracked.run(() => {
      throw new RejectTask('never');
    });
    const deadAt = new Date(Date.now() + 5).toISOString();
    const attributes = { 'baton.details': { DataType: 'String', StringValue: JSON.stringify({ deadAt }) } };
    await expect(tracked.run(done, { change: { attributes } })).resolves.toMatchObject({ kind: 'done' });
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({
      state: 'succeeded',
      attempts: 1,
    });
  });

  test('accepts no writes from a worker once another worker has claimed it', async () => {
    const slow: Handler = async () => {
      const thief = {
        taskId: tracked.taskId,
        task: work.name,
        queue: 'default',
        claimId: 'thief',
        owner: 'w-2',
        payloadHash: WORK_HASH,
        leaseSeconds: 30,
      };
      // The lease expires and this worker does not notice, for example because its clock stood still
      await tracked.backends.documents.send(leaseEnded());
      await tracked.store.attempts.claim(thief);
      return { length: 1 };
    };
    await expect(tracked.run(slow)).resolves.toMatchObject({
      kind: 'release',
      error: { name: 'ClaimLostError' },
    });
    const row = await tracked.store.read(tracked.taskId);
    expect(row).toMatchObject({ state: 'running', owner: 'w-2', attempts: 1 });
    expect(row?.result).toBeUndefined();
  });

  test('keeps its claim while it runs longer than its lease', async () => {
    const slow: Handler = async (_payload, { signal }) => {
      const { leaseUntilMs = Infinity } = (await tracked.store.read(tracked.taskId)) ?? {};
      await eventually('its first lease over', () => Date.now() > leaseUntilMs + 200);
      return { length: signal.aborted ? 0 : 1 };
    };
    await expect(tracked.run(slow, { leaseSeconds: 0.5 })).resolves.toMatchObject({
      kind: 'done',
      result: { length: 1 },
    });
  });

  test('that is cancelled while it waits never runs', async () => {
    await tracked.store.create({ taskId: tracked.taskId, task: work.name, queue: 'default' });
    await tracked.store.cancel(tracked.taskId);
    const never = jest.fn<Handler>();
    await expect(tracked.run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('that is cancelled while it runs has its signal aborted within a heartbeat', async () => {
    let aborted: unknown;
    const cancelled: Handler = async (_payload, { signal }) => {
      await tracked.store.cancel(tracked.taskId);
      const cancelledAtMs = performance.now();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = [signal.reason, performance.now() - cancelledAtMs];
      throw signal.reason;
    };
    await expect(tracked.run(cancelled, { leaseSeconds: 1 })).resolves.toMatchObject({ kind: 'done' });
    expect(aborted).toEqual([expect.objectContaining({ name: 'TaskCancelledError' }), expect.any(Number)]);
    expect((aborted as [unknown, number])[1]).toBeLessThan(900);
    await expect(tracked.store.find(tracked.taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('that is cancelled stays cancelled, even if its handler returns', async () => {
    await tracked.run(async () => {
      await tracked.store.cancel(tracked.taskId);
      return { length: 1 };
    });
    const found = await tracked.store.find(tracked.taskId);
    expect([found?.state, found?.result]).toEqual(['cancelled', undefined]);
  });

  test('whose result is too large for the task store is rejected', async () => {
    const filler = 'x'.repeat(70_000);
    await expect(tracked.run(() => ({ length: 1, filler }))).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'rejected',
      error: { message: expect.stringContaining('65536') as unknown },
    });
  });

  test('is released until its delay is over, and sent as a copy before SQS deletes its message', async () => {
    const never = jest.fn<Handler>();
    const notBefore = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const early = await tracked.run(never, { notBefore });
    expect(early).toMatchObject({ kind: 'release', asCopy: false });
    expect((early as { delaySeconds: number }).delaySeconds).toBeCloseTo(3 * 86_400, -1);
    const sentAtMs = Date.now() - 5.1 * 86_400_000;
    await expect(tracked.run(never, { notBefore, change: { sentAtMs } })).resolves.toMatchObject({
      kind: 'release',
      asCopy: true,
    });
    expect(never).not.toHaveBeenCalled();
    await expect(tracked.store.find(tracked.taskId)).resolves.toBeUndefined();
  });

  test('rests while the task store does not answer, and is neither lost nor run', async () => {
    const away = jest
      .spyOn(tracked.backends.documents, 'send')
      .mockRejectedValue(new Error('no table') as never);
    const never = jest.fn<Handler>();
    try {
      const outcome = await tracked.run(never);
      expect(outcome).toMatchObject({ kind: 'release', error: { message: 'no table' } });
      expect((outcome as { delaySeconds: number }).delaySeconds).toBeGreaterThanOrEqual(5);
    } finally {
      away.mockRestore();
    }
    expect(never).not.toHaveBeenCalled();
  });
});
