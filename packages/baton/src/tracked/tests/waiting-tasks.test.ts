import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { eventually } from 'baton-dev/testing/eventually';
import { PostponeTask, RejectTask, RetryTask } from '../../task/errors.ts';
import { type Handler, TrackedWork, work } from './tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

const throwing =
  (error: Error): Handler =>
  () => {
    throw error;
  };
const status = () => tracked.store.find(tracked.taskId);

/** Runs a duplicate of the task's message after this many seconds. Returns its outcome. */
async function deliveredAfter(seconds: number, handler: Handler) {
  const nowMs = Date.now() + seconds * 1000;
  const clock = jest.spyOn(Date, 'now').mockReturnValue(nowMs);
  return tracked.run(handler, { owner: 'w-2' }).finally(() => clock.mockRestore());
}

describe('a duplicate message of a tracked task', () => {
  test.each([
    ['RetryTask asked for', new RetryTask('rate limit', { delaySeconds: 20 }), 20],
    ['PostponeTask asked for', new PostponeTask('server away', { delaySeconds: 300 }), 300],
    [
      'RetryTask asked for, up to the 12 h for which SQS hides a message',
      new RetryTask('no', { delaySeconds: 43_200 }),
      43_200,
    ],
  ])('waits for the rest that %s', async (_what, error, restSeconds) => {
    await tracked.run(throwing(error));
    const handler = jest.fn<Handler>(() => ({ length: 1 }));
    for (const afterSeconds of [0, restSeconds / 2, restSeconds - 3]) {
      const outcome = await deliveredAfter(afterSeconds, handler);
      expect(outcome).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
      const { delaySeconds } = outcome as { delaySeconds: number };
      expect(delaySeconds).toBeGreaterThan(restSeconds - afterSeconds - 2);
      expect(delaySeconds).toBeLessThanOrEqual(restSeconds - afterSeconds);
    }
    expect(handler).not.toHaveBeenCalled();
    await expect(deliveredAfter(restSeconds, handler)).resolves.toMatchObject({ kind: 'done' });
  });

  test('waits for the rest after an error', async () => {
    await tracked.run(throwing(new Error('no')), { baseSeconds: 60 });
    const until = Date.parse((await tracked.store.find(tracked.taskId))?.waiting?.until ?? '');
    expect(until).toBeGreaterThan(Date.now() + 25_000);
    const never = jest.fn<Handler>();
    await expect(deliveredAfter(1, never)).resolves.toMatchObject({ kind: 'release' });
    expect(never).not.toHaveBeenCalled();
  });

  test('runs at once after the worker of the first one had to stop', async () => {
    const stop = new AbortController();
    const stopped: Handler = (_payload, { signal }) => {
      stop.abort(new Error('stopping'));
      signal.throwIfAborted();
    };
    await tracked.run(stopped, { signal: stop.signal });
    await expect(tracked.run(() => ({ length: 1 }))).resolves.toMatchObject({ kind: 'done' });
  });
});

describe('a waiting task shows', () => {
  test.each([
    [
      'the error of its last attempt if it waits for the next one',
      new RetryTask('rate limit', { delaySeconds: 20 }),
      'retrying',
      'retry',
    ],
    [
      'the error that postponed it',
      new PostponeTask('server away', { delaySeconds: 300 }),
      'queued',
      'postponed',
    ],
  ])('%s', async (_what, error, state, reason) => {
    await tracked.run(throwing(error));
    const { name, message, delaySeconds = 0 } = error;
    const found = await status();
    expect(found).toMatchObject({ state, waiting: { reason, error: { name, message } } });
    const untilMs = Date.parse(found?.waiting?.until ?? '');
    expect(Math.abs(untilMs - Date.now() - delaySeconds * 1000)).toBeLessThan(5000);
  });

  test('that its worker stopped, and no time to wait for', async () => {
    const stopped = tracked.run(throwing(new Error('no')), {
      signal: AbortSignal.abort(new Error('stopping')),
    });
    await expect(stopped).resolves.toMatchObject({ kind: 'release' });
    // A worker that stops waits for the store for 0.2 s only. A slow store writes the release after that
    await eventually('the release written', async () => (await status())?.state === 'queued');
    const found = await status();
    expect(found).toMatchObject({ waiting: { reason: 'released', error: { message: 'stopping' } } });
    expect(found?.waiting?.until).toBeUndefined();
  });

  test('no reason to wait once it runs or has ended', async () => {
    const error = new RetryTask('once more', { delaySeconds: 0 });
    await tracked.run(throwing(error));
    let running: unknown;
    await tracked.run(async () => {
      running = await status();
      return { length: 1 };
    });
    expect(running).toMatchObject({ state: 'running', waiting: undefined });
    await expect(status()).resolves.toMatchObject({ state: 'succeeded', waiting: undefined });

    tracked.begin();
    await tracked.run(throwing(error));
    await expect(tracked.store.cancel(tracked.taskId)).resolves.toMatchObject({ waiting: undefined });
  });

  test.each<[string, string, () => Promise<unknown>]>([
    ['cancelled', 'cancelled', () => tracked.store.cancel(tracked.taskId)],
    ['given up', 'dead', () => tracked.store.giveUp(tracked.taskId, { name: 'Error', message: 'no' })],
    [
      'dead-lettered, because no process knows it,',
      'dead',
      () =>
        tracked.run(() => ({ length: 1 }), {
          contract: { ...work, name: 'tests.other' },
          patienceSeconds: 0,
        }),
    ],
    ['rejected at its next attempt', 'failed', () => deliveredAfter(3601, throwing(new RejectTask('no')))],
  ])('no reason to wait once it was %s while it rested', async (_what, state, end) => {
    await tracked.run(throwing(new RetryTask('rate limit', { delaySeconds: 3600 })));
    await end();
    await expect(status()).resolves.toMatchObject({ state, waiting: undefined });
    const row = await tracked.store.read(tracked.taskId);
    const { nextAttemptAt, owner, leaseUntilMs, doubtedUntilMs } = row ?? {};
    expect([nextAttemptAt, owner, leaseUntilMs, doubtedUntilMs]).toEqual(Array(4).fill(undefined));
  });
});

describe('a note that a message must rest', () => {
  const run = (notBefore: string, handler: Handler) =>
    tracked.run(handler, {
      change: { attributes: { 'baton.not-before': { DataType: 'String', StringValue: notBefore } } },
    });
  const inHours = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString();

  test.each(['9999-12-31T00:00:00.000Z', '+275760-09-13T00:00:00.000Z', inHours(13), '9999', 'tomorrow'])(
    'is ignored if it is longer than Baton ever writes, or not a time: %s',
    async (notBefore) => {
      await expect(run(notBefore, () => ({ length: 1 }))).resolves.toMatchObject({ kind: 'done' });
      await expect(status()).resolves.toMatchObject({ state: 'succeeded' });
    },
  );

  test('is followed if Baton may have written it', async () => {
    const never = jest.fn<Handler>();
    const outcome = (await run(inHours(11), never)) as { delaySeconds: number };
    expect(outcome).toMatchObject({ kind: 'release', error: { name: 'TaskNotDueError' } });
    expect(outcome.delaySeconds).toBeLessThanOrEqual(11 * 3600);
    const { waiting } = (await status()) ?? {};
    expect(Date.parse(waiting?.until ?? '')).toBeLessThanOrEqual(Date.parse(inHours(11)) + 2000);
    expect(never).not.toHaveBeenCalled();
  });
});

describe('a message from elsewhere with an earliest start time', () => {
  const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
  const handler = jest.fn<Handler>(() => ({ length: 1 }));

  test('waits if a sender of Baton may ask for it: 14 days, and a day for its clock', async () => {
    await expect(tracked.run(handler, { notBefore: inDays(14.9) })).resolves.toMatchObject({
      kind: 'release',
    });
  });

  test.each([15.1, 365, 365 * 5000])('becomes a dead letter that says why, %d days ahead', async (days) => {
    const notBefore = inDays(days);
    await expect(tracked.run(handler, { notBefore })).resolves.toMatchObject({
      kind: 'dead-letter',
      reason: 'malformed',
      error: {
        message: `The notbefore of the envelope is too late: expected at most 1209600 s ahead, got ${notBefore}`,
      },
    });
    // It may name the task of another sender
    await expect(status()).resolves.toBeUndefined();
    expect(handler).not.toHaveBeenCalled();
  });
});
