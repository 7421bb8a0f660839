import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { encodeEnvelope } from '@baton/common/queue/envelope';
import { RejectTask } from '@baton/common/queue/errors';
import { implement, Implementations, type TrackedTaskContext } from '@baton/common/queue/implementation';
import { processMessage } from '@baton/common/queue/process-message';
import type { ReceivedMessage } from '@baton/common/queue/received-message';
import { defineTask } from '@baton/common/queue/task';
import type { ForwardTask } from '@baton/common/state/task-continuation';
import { StoreTracker } from '@baton/common/state/store-tracker';
import { TaskStore } from '@baton/common/state/task-store';
import { createLogger } from '@baton/common/telemetry/logger';
import { type Backends, startBackends } from '@baton/tests/backends';
import { eventually } from '@baton/tests/eventually';
import { z } from 'zod';

const work = defineTask({
  name: 'tests.tracked',
  queue: 'default',
  payload: z.object({ text: z.string() }),
  result: z.object({ length: z.int(), filler: z.string().optional() }),
  retry: { maxAttempts: 3, baseSeconds: 60 },
  timeoutSeconds: 20,
  tracked: true,
});
type Handler = (payload: { text: string }, context: TrackedTaskContext) => unknown;

const logger = createLogger({ service: 'tests', level: 'silent' });
const forward = jest.fn<ForwardTask>(async () => undefined);
const alive = new AbortController().signal;
const done: Handler = ({ text }) => ({ length: text.length });

let backends: Backends;
let store: TaskStore;
let taskId: string;

beforeAll(async () => {
  backends = await startBackends([]);
  store = new TaskStore({ documents: backends.documents, table: backends.tasksTable });
});
afterAll(() => backends.stop());
beforeEach(() => {
  taskId = randomUUID();
  forward.mockClear();
});

/** Has a worker run a message of the task, or another worker the same. */
function run(
  handler: Handler,
  { owner = 'w-1', leaseSeconds = 30, change = {}, notBefore = '', signal = alive } = {},
) {
  const tracker = new StoreTracker({ store, forward, leaseSeconds, logger });
  const processing = {
    implementations: new Implementations([implement(work, handler as never)]),
    send: (async () => ({ taskId: 'sent' })) as never,
    tracker,
    logger,
    worker: { id: owner, version: '1' },
    unknownTaskPatienceSeconds: 600,
    abortGraceSeconds: 0.2,
  };
  const envelope = {
    taskId,
    task: work.name,
    source: 'tests',
    time: '2026-11-24T10:00:00.000Z',
    trace: undefined,
  };
  const message: ReceivedMessage = {
    messageId: 'm-1',
    receiptHandle: 'r-1',
    receiveCount: 1,
    sentAtMs: Date.now(),
    firstReceivedAtMs: 0,
    body: encodeEnvelope({
      ...envelope,
      data: { text: 'four' },
      ...(notBefore && { notBefore }),
    }),
    attributes: {},
    ...change,
  };
  return processMessage(message, 'default', { signal, outlivedBy: () => undefined }, processing);
}

/** Ends the claim of a task as a clock that stands still would. */
const leaseEnded = (TableName: string, id: string) =>
  new UpdateCommand({
    TableName,
    Key: { taskId: id },
    UpdateExpression: 'SET leaseUntilMs = :zero',
    ExpressionAttributeValues: { ':zero': 0 },
  });

const untilAborted: Handler = (_payload, { signal }) =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));

describe('a tracked task', () => {
  test('that returns is known to have succeeded, with its result', async () => {
    await expect(run(done)).resolves.toMatchObject({ kind: 'done' });
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'succeeded',
      result: { length: 4 },
      attempts: 1,
    });
  });

  test('is not run again when its message comes again: that is deleted', async () => {
    await run(done);
    const never = jest.fn<Handler>();
    await expect(run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
  });

  test('that runs elsewhere is put back for as long as its lease there', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const first = run(() => promise);
    await eventually('the task running', async () => (await store.find(taskId))?.state === 'running');
    const never = jest.fn<Handler>();
    const second = await run(never, { owner: 'w-2' });
    expect(second).toMatchObject({ kind: 'release', error: { name: 'TaskRunningError' } });
    expect((second as { delaySeconds: number }).delaySeconds).toBeGreaterThan(25);
    expect((second as { delaySeconds: number }).delaySeconds).toBeLessThanOrEqual(30);
    expect(never).not.toHaveBeenCalled();
    resolve({ length: 1 });
    await first;
  });

  test('counts its attempts in the store, whatever SQS has counted, and releases do not', async () => {
    const attempts: number[] = [];
    const failing: Handler = (_payload, { attempt }) => {
      attempts.push(attempt);
      throw new Error('no');
    };
    const stop = new AbortController();
    stop.abort(new Error('stopping'));
    const change = { receiveCount: 17 };
    await expect(run(failing, { change })).resolves.toMatchObject({ kind: 'retry' });
    await expect(run(untilAborted, { change, signal: stop.signal })).resolves.toMatchObject({
      kind: 'release',
    });
    await expect(run(failing, { change })).resolves.toMatchObject({ kind: 'retry' });
    await expect(run(failing, { change })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'attempts-exhausted',
    });
    expect(attempts).toEqual([1, 2, 3]);
    await expect(store.find(taskId)).resolves.toMatchObject({
      state: 'dead',
      attempts: 3,
      error: {
        name: 'Error',
        message: 'no',
        reason: 'attempts-exhausted',
      },
    });
  });

  test('that its handler rejects has failed, and is set aside again when its message comes again', async () => {
    const rejecting: Handler = () => {
      throw new RejectTask('never');
    };
    const rejected = { kind: 'dead-letter', reason: 'rejected', error: { message: 'never' } };
    await expect(run(rejecting)).resolves.toMatchObject(rejected);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'failed' });
    await expect(run(done)).resolves.toMatchObject(rejected);
  });

  test('runs anew when its dead letter is put back', async () => {
    await run(() => {
      throw new RejectTask('never');
    });
    const deadAt = new Date(Date.now() + 5).toISOString();
    const attributes = { 'baton.details': { DataType: 'String', StringValue: JSON.stringify({ deadAt }) } };
    await expect(run(done, { change: { attributes } })).resolves.toMatchObject({ kind: 'done' });
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'succeeded', attempts: 1 });
  });

  test('whose workers died at each attempt is not begun once more', async () => {
    for (let crash = 1; crash <= 3; crash += 1) {
      const claim = {
        taskId,
        task: work.name,
        queue: 'default',
        claimId: randomUUID(),
        owner: 'dead',
        leaseSeconds: 0,
      };
      await eventually('a claim', async () => (await store.claim(claim))?.claimId === claim.claimId);
    }
    const never = jest.fn<Handler>();
    await eventually(
      'the last lease to end',
      async () => ((await store.read(taskId))?.leaseUntilMs ?? 0) < Date.now(),
    );
    await expect(run(never)).resolves.toMatchObject({ kind: 'dead-letter', reason: 'attempts-exhausted' });
    expect(never).not.toHaveBeenCalled();
  });

  test('writes nothing once another has begun it', async () => {
    const slow: Handler = async () => {
      const thief = {
        taskId,
        task: work.name,
        queue: 'default',
        claimId: 'thief',
        owner: 'w-2',
        leaseSeconds: 30,
      };
      // Its lease has ended without this worker's knowledge: its clock stood still, say
      await backends.documents.send(leaseEnded(backends.tasksTable, taskId));
      await store.claim(thief);
      return { length: 1 };
    };
    await expect(run(slow)).resolves.toMatchObject({ kind: 'release', error: { name: 'ClaimLostError' } });
    const row = await store.read(taskId);
    expect(row).toMatchObject({ state: 'running', owner: 'w-2', attempts: 2 });
    expect(row?.result).toBeUndefined();
  });

  test('keeps its claim while it runs, beyond its lease', async () => {
    const slow: Handler = async (_payload, { signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 900));
      return { length: signal.aborted ? 0 : 1 };
    };
    await expect(run(slow, { leaseSeconds: 0.5 })).resolves.toMatchObject({
      kind: 'done',
      result: { length: 1 },
    });
  });

  test('that is cancelled while it waits is never run', async () => {
    await store.create({ taskId, task: work.name, queue: 'default' });
    await store.cancel(taskId);
    const never = jest.fn<Handler>();
    await expect(run(never)).resolves.toMatchObject({ kind: 'done' });
    expect(never).not.toHaveBeenCalled();
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('that is cancelled while it runs has its signal aborted within a heartbeat', async () => {
    let aborted: unknown;
    const cancelled: Handler = async (_payload, { signal }) => {
      await store.cancel(taskId);
      const cancelledAtMs = performance.now();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      aborted = [signal.reason, performance.now() - cancelledAtMs];
      throw signal.reason;
    };
    await expect(run(cancelled, { leaseSeconds: 1 })).resolves.toMatchObject({ kind: 'done' });
    expect(aborted).toEqual([expect.objectContaining({ name: 'TaskCancelledError' }), expect.any(Number)]);
    expect((aborted as [unknown, number])[1]).toBeLessThan(900);
    await expect(store.find(taskId)).resolves.toMatchObject({ state: 'cancelled' });
  });

  test('that is cancelled and returns all the same stays cancelled', async () => {
    await run(async () => {
      await store.cancel(taskId);
      return { length: 1 };
    });
    const found = await store.find(taskId);
    expect([found?.state, found?.result]).toEqual(['cancelled', undefined]);
  });

  test('whose result the store does not take is rejected', async () => {
    const filler = 'x'.repeat(70_000);
    await expect(run(() => ({ length: 1, filler }))).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'rejected',
      error: { message: expect.stringContaining('65536') as unknown },
    });
  });

  test('that is not due is put back until it is, and sent anew before SQS would forget it', async () => {
    const never = jest.fn<Handler>();
    const notBefore = new Date(Date.now() + 3 * 86_400_000).toISOString();
    const early = await run(never, { notBefore });
    expect(early).toMatchObject({ kind: 'release', anew: false });
    expect((early as { delaySeconds: number }).delaySeconds).toBeCloseTo(3 * 86_400, -1);
    const sentAtMs = Date.now() - 5.1 * 86_400_000;
    await expect(run(never, { notBefore, change: { sentAtMs } })).resolves.toMatchObject({
      kind: 'release',
      anew: true,
    });
    expect(never).not.toHaveBeenCalled();
    await expect(store.find(taskId)).resolves.toBeUndefined();
  });

  test('rests where the store does not answer, and is neither lost nor run', async () => {
    const away = jest.spyOn(backends.documents, 'send').mockRejectedValue(new Error('no table') as never);
    const never = jest.fn<Handler>();
    try {
      const outcome = await run(never);
      expect(outcome).toMatchObject({ kind: 'release', error: { message: 'no table' } });
      expect((outcome as { delaySeconds: number }).delaySeconds).toBeGreaterThanOrEqual(5);
    } finally {
      away.mockRestore();
    }
    expect(never).not.toHaveBeenCalled();
  });

  test('that is done while the store does not answer comes back, and is done when it does', async () => {
    let away: { mockRestore(): void } | undefined;
    const outcome = await run(
      () => {
        away = jest.spyOn(backends.documents, 'send').mockRejectedValue(new Error('no table') as never);
        return { length: 4 };
      },
      { leaseSeconds: 1 },
    );
    away?.mockRestore();
    expect(outcome).toMatchObject({ kind: 'release' });
    await eventually(
      'the claim to end',
      async () => ((await store.read(taskId))?.leaseUntilMs ?? 0) < Date.now(),
    );
    await expect(run(done)).resolves.toMatchObject({ kind: 'done' });
  });
});

describe('progress', () => {
  test('is written down at most once a second, and the last of it in the end', async () => {
    const writes = jest.spyOn(store, 'progress');
    await run(async (_payload, { progress }) => {
      for (let step = 1; step <= 20; step += 1) progress({ fraction: step / 20, message: `step ${step}` });
      await eventually('the first to be written', () => writes.mock.calls.length === 1);
      progress({ fraction: 2, message: 'x'.repeat(300) });
      return { length: 1 };
    });
    expect(writes.mock.calls.map(([, progress]) => progress.message)).toEqual(['step 20']);
    writes.mockRestore();
    const progress = (await store.find(taskId))?.progress;
    expect(progress).toMatchObject({ fraction: 1, message: 'x'.repeat(200) });
  });
});

describe('an effect', () => {
  test('is run once for a task, whatever happens to its attempts, and gives the same', async () => {
    const keys: string[] = [];
    const paying: Handler = async (_payload, { effect, attempt }) => {
      const { receipt } = await effect('pay', (key) => {
        keys.push(key);
        return { receipt: `r-${keys.length}` };
      });
      if (attempt === 1) throw new Error('after the payment');
      return { length: receipt.length };
    };
    await run(paying);
    await expect(run(paying)).resolves.toMatchObject({ kind: 'done', result: { length: 3 } });
    expect(keys).toEqual([`${taskId}:pay`]);
  });

  test('that throws is not kept', async () => {
    let runs = 0;
    const failing: Handler = async (_payload, { effect }) => {
      await effect('pay', () => {
        runs += 1;
        if (runs === 1) throw new Error('declined');
      });
      return { length: runs };
    };
    await expect(run(failing)).resolves.toMatchObject({ kind: 'retry', error: { message: 'declined' } });
    await expect(run(failing)).resolves.toMatchObject({ kind: 'done', result: { length: 2 } });
  });

  test.each([
    ['a key that is none', 'a b', 1, '1 to 64 letters'],
    ['what is too much to keep', 'big', 'x'.repeat(5000), '4096'],
  ])('refuses %s', async (_what, key, result, says) => {
    await expect(
      run(async (_payload, { effect }) => {
        await effect(key, () => result);
        return { length: 1 };
      }),
    ).resolves.toMatchObject({ kind: 'retry', error: { message: expect.stringContaining(says) as unknown } });
  });

  test('keeps nothing where the task is another attempt’s, and says so', async () => {
    let thrown: unknown;
    await run(async (_payload, { effect }) => {
      await store.cancel(taskId);
      thrown = await effect('pay', () => 1).catch((error: unknown) => error);
      return { length: 1 };
    });
    expect(thrown).toMatchObject({ name: 'ClaimLostError' });
    expect((await store.read(taskId))?.effects).toEqual({});
  });
});
