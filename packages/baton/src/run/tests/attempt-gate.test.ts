import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { implement, Implementations, type TrackedTaskContext } from '../../task/implementation.ts';
import type { AttemptHost } from '../attempt.ts';
import { processMessage } from '../process-message.ts';
import { defineTask } from '../../task/task.ts';
import type { SendTask } from '../../task/send-task.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { eventually } from 'baton-dev/testing/eventually';
import * as z from 'zod';
import {
  type Handler,
  type RunOptions,
  TrackedWork,
  work,
  WORK_HASH,
} from '../../tracked/tests/tracked-work.ts';
import { messageBody, receivedMessage } from '../../../tests/support/messages.ts';

let tracked: TrackedWork;
const pay = jest.fn(() => ({ receipt: 1 }));
const send = jest.fn<SendTask>();
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => {
  tracked.begin();
  pay.mockClear();
  send.mockReset().mockResolvedValue({ taskId: 'sent' });
});
afterEach(() => {
  jest.restoreAllMocks();
});
afterAll(() => tracked.stop());

/** A contract with a short time limit. */
const short = { ...work, timeoutSeconds: 0.05 };

/** Tries a progress, an effect and a send. Returns what happened to the last two. */
async function tryAll({ effect, progress, send: sendTask }: TrackedTaskContext) {
  progress({ fraction: 0.5, message: 'too late' });
  const results = await Promise.allSettled([effect('pay', pay), sendTask(work, { text: 'child' })]);
  return results.map((result) =>
    result.status === 'fulfilled' ? 'begun' : (result.reason as Error & { cause: Error }),
  );
}

/** Runs a handler that continues after its attempt is over. Returns what happened to its later steps. */
async function triedAfter(until: (context: TrackedTaskContext) => unknown, options: RunOptions = {}) {
  const tried = Promise.withResolvers<Awaited<ReturnType<typeof tryAll>>>();
  const progress = jest.spyOn(tracked.store.attempts, 'progress');
  const stubborn: Handler = async (_payload, context) => {
    await until(context);
    tried.resolve(await tryAll(context));
    return { length: 1 };
  };
  await tracked.run(stubborn, { send: send as never, ...options });
  const results = await tried.promise;
  return { results, progress };
}

const ended = (signal: AbortSignal) =>
  new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));

/** Blocks the event loop, so that no timer fires. */
function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

/** Sets the wall clock ahead, as after the machine was suspended. */
function setClockAhead(ms: number): void {
  const now = Date.now;
  jest.spyOn(Date, 'now').mockImplementation(() => now() + ms);
}

const over = (cause: string) =>
  expect.objectContaining({
    name: 'AttemptOverError',
    cause: expect.objectContaining({ name: cause }) as unknown,
  }) as unknown;

describe('no effect, send or progress starts', () => {
  test('after the time limit, even if the handler ignores its signal', async () => {
    const { results, progress } = await triedAfter(({ signal }) => ended(signal), { contract: short });
    expect(results).toEqual([over('TaskTimeoutError'), over('TaskTimeoutError')]);
    expect(results[0]).toMatchObject({
      message: expect.stringContaining(
        `Attempt 1 at tests.tracked (task ${tracked.taskId}) is over`,
      ) as unknown,
    });
    expect([pay, send, progress].map((each) => each.mock.calls.length)).toEqual([0, 0, 0]);
  });

  test('after the time limit, if the retry has paid already: the customer pays once', async () => {
    const late = Promise.withResolvers<void>();
    const tried = Promise.withResolvers<unknown>();
    const ignoring: Handler = async (_payload, { effect }) => {
      await late.promise;
      tried.resolve(await effect('pay', pay).catch((error: unknown) => error));
      return { length: 1 };
    };
    await expect(tracked.run(ignoring, { contract: short })).resolves.toMatchObject({ kind: 'retry' });
    const paying: Handler = async (_payload, { effect }) => ({ length: (await effect('pay', pay)).receipt });
    await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'done' });
    late.resolve();
    await expect(tried.promise).resolves.toEqual(over('TaskTimeoutError'));
    expect(pay).toHaveBeenCalledTimes(1);
  });

  test('after a cancellation that the claim has seen', async () => {
    const cancelled = async ({ signal }: TrackedTaskContext) => {
      await tracked.store.cancel(tracked.taskId);
      await ended(signal);
    };
    // A third of it is what a busy machine may be late by
    const { results } = await triedAfter(cancelled, { leaseSeconds: 1 });
    expect(results).toEqual([over('TaskCancelledError'), over('TaskCancelledError')]);
    expect([pay, send].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });

  test('after the worker must stop', async () => {
    const stop = new AbortController();
    const { results } = await triedAfter(() => stop.abort(new Error('stopping')), { signal: stop.signal });
    expect(results).toEqual([over('Error'), over('Error')]);
    expect([pay, send].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });

  test('after the lease of the message is lost, before the signal aborts', async () => {
    const lease = new AbortController();
    const confirm = () => {
      lease.abort(new Error('lost'));
      return Promise.resolve(false);
    };
    const { results } = await triedAfter(() => undefined, { signal: lease.signal, confirm });
    expect(results).toEqual([over('Error'), over('Error')]);
    expect([pay, send].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });

  test('after the event loop was blocked for longer than the claim, before any timer fires', async () => {
    const { results, progress } = await triedAfter(() => block(400), { leaseSeconds: 0.3 });
    expect(results).toEqual([over('ClaimLostError'), over('ClaimLostError')]);
    expect([pay, send, progress].map((each) => each.mock.calls.length)).toEqual([0, 0, 0]);
  });

  test('after the event loop was blocked for longer than the time limit', async () => {
    const { results } = await triedAfter(() => block(100), { contract: short });
    expect(results).toEqual([over('TaskTimeoutError'), over('TaskTimeoutError')]);
  });

  test('after the outcome is decided: code that the handler left running changes nothing', async () => {
    const tried = Promise.withResolvers<unknown>();
    const decided = Promise.withResolvers<void>();
    const leaving: Handler = (_payload, context) => {
      void decided.promise.then(async () => tried.resolve(await tryAll(context)));
      return { length: 1 };
    };
    await tracked.run(leaving, { send: send as never });
    decided.resolve();
    await expect(tried.promise).resolves.toEqual([over('OutcomeDecidedError'), over('OutcomeDecidedError')]);
    expect([pay, send].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });
});

describe('if only the wall clock says that the claim has expired', () => {
  test('the store is asked, and an attempt that still has the claim continues', async () => {
    const renew = jest.spyOn(tracked.store.attempts, 'renew');
    const { results } = await triedAfter(() => setClockAhead(60_000));
    expect(results).toEqual(['begun', 'begun']);
    expect(renew).toHaveBeenCalled();
  });

  test('the store is asked, and an attempt that has lost the task starts nothing', async () => {
    const suspended = async () => {
      setClockAhead(60_000);
      const { taskId } = tracked;
      const { name: task, queue } = work;
      const thief = {
        taskId,
        task,
        queue,
        claimId: 'thief',
        owner: 'w-2',
        payloadHash: WORK_HASH,
        leaseSeconds: 30,
      };
      await eventually('the claim of another attempt', async () => {
        const row = await tracked.store.attempts.claim(thief);
        return row?.claimId === 'thief';
      });
    };
    const { results } = await triedAfter(suspended);
    expect(results).toEqual([over('ClaimLostError'), over('ClaimLostError')]);
    expect([pay, send].map((each) => each.mock.calls.length)).toEqual([0, 0]);
  });

  test('nothing starts until the store answers', async () => {
    let asked = 0;
    const renew = tracked.store.attempts.renew.bind(tracked.store.attempts);
    jest.spyOn(tracked.store.attempts, 'renew').mockImplementation((...held) => {
      asked += 1;
      expect(pay).not.toHaveBeenCalled();
      return asked < 3 ? Promise.reject(new Error('no store')) : renew(...held);
    });
    const { results } = await triedAfter(() => setClockAhead(60_000), { leaseSeconds: 2 });
    expect(results).toEqual(['begun', 'begun']);
    expect(asked).toBeGreaterThanOrEqual(3);
  });
});

describe('an untracked task sends nothing', () => {
  const plain = defineTask({
    name: 'tests.plain',
    queue: 'default',
    payload: z.object({}),
    result: z.object({}),
    retry: { maxAttempts: 3, baseSeconds: 1 },
    timeoutSeconds: 20,
  });

  /** Runs a handler that sends after its attempt is over. Returns the result of the send, or its error. */
  async function sentAfter(until: () => unknown, host: Partial<AttemptHost> = {}, timeoutSeconds = 20) {
    const sent = Promise.withResolvers<unknown>();
    const implementation = implement({ ...plain, timeoutSeconds }, async (_payload, context) => {
      await until();
      sent.resolve(await context.send(plain, {}).catch((error: unknown) => error));
      return {};
    });
    const signal = new AbortController().signal;
    await processMessage(
      receivedMessage({ body: messageBody({ task: plain.name }) }),
      plain.queue,
      { signal, outlivedBy: () => undefined, ...host },
      {
        implementations: new Implementations([implementation]),
        send: send as never,
        logger: createLogger({ service: 'tests', level: 'silent' }),
        worker: { id: 'w-1', version: '1' },
        unknownTaskPatienceSeconds: 600,
        abortGraceSeconds: 0.1,
      },
    );
    return sent.promise;
  }

  test('after its time limit, even before a timer has fired', async () => {
    await expect(sentAfter(() => block(100), {}, 0.05)).resolves.toEqual(over('TaskTimeoutError'));
    expect(send).not.toHaveBeenCalled();
  });

  test('after its lease is lost, but sends while SQS confirms the lease', async () => {
    const lease = new AbortController();
    const lost = () => {
      lease.abort(new Error('lost'));
      return Promise.resolve(false);
    };
    const host = { signal: lease.signal, confirm: lost };
    await expect(sentAfter(() => undefined, host)).resolves.toEqual(over('Error'));
    expect(send).not.toHaveBeenCalled();
    const lasts = { confirm: () => Promise.resolve(true) };
    await expect(sentAfter(() => undefined, lasts)).resolves.toEqual({ taskId: 'sent' });
  });
});

test('an effect that ends after its attempt is kept for the next one', async () => {
  const paid = Promise.withResolvers<{ receipt: number }>();
  const late = Promise.withResolvers<unknown>();
  const slow: Handler = async (_payload, { effect }) => {
    late.resolve(effect('pay', () => paid.promise));
    return new Promise(() => undefined);
  };
  await expect(tracked.run(slow, { contract: short })).resolves.toMatchObject({ kind: 'retry' });
  paid.resolve({ receipt: 7 });
  await expect(late.promise).resolves.toEqual({ receipt: 7 });
  const paying: Handler = async (_payload, { effect }) => ({ length: (await effect('pay', pay)).receipt });
  await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'done', result: { length: 7 } });
  expect(pay).not.toHaveBeenCalled();
});
