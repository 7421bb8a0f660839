import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { eventually } from 'baton-dev/testing/eventually';
import { type Handler, TrackedWork, work, WORK_HASH } from '../../tracked/tests/tracked-work.ts';

let tracked: TrackedWork;
beforeAll(async () => {
  tracked = await TrackedWork.start();
});
beforeEach(() => tracked.begin());
afterAll(() => tracked.stop());

describe('progress', () => {
  test('is written at most once a second, and the last progress at the end', async () => {
    const writes = jest.spyOn(tracked.store.attempts, 'progress');
    await tracked.run(async (_payload, { progress }) => {
      for (let step = 1; step <= 20; step += 1) progress({ fraction: step / 20, message: `step ${step}` });
      await eventually('the first progress to be written', () => writes.mock.calls.length === 1);
      progress({ fraction: 2, message: 'x'.repeat(300) });
      return { length: 1 };
    });
    expect(writes.mock.calls.map(([, progress]) => progress.message)).toEqual(['step 20']);
    writes.mockRestore();
    const progress = (await tracked.store.find(tracked.taskId))?.progress;
    expect(progress).toMatchObject({ fraction: 1, message: 'x'.repeat(200) });
  });
});

describe('an effect', () => {
  test('runs once for a task, however often it is tried, and returns the same result', async () => {
    const keys: string[] = [];
    const paying: Handler = async (_payload, { effect, attempt }) => {
      const { receipt } = await effect('pay', (key) => {
        keys.push(key);
        return { receipt: `r-${keys.length}` };
      });
      if (attempt === 1) throw new Error('after the payment');
      return { length: receipt.length };
    };
    await tracked.run(paying);
    await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'done', result: { length: 3 } });
    expect(keys).toEqual([`${tracked.taskId}:pay`]);
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
    await expect(tracked.run(failing)).resolves.toMatchObject({
      kind: 'retry',
      error: { message: 'declined' },
    });
    await expect(tracked.run(failing)).resolves.toMatchObject({ kind: 'done', result: { length: 2 } });
  });

  test.each([
    ['a text with a space', 'a b'],
    ['an empty text', ''],
    ['the name __proto__', '__proto__'],
    ['a number', 5],
    ['a list', ['pay']],
    ['a String object', Object('pay')],
    ['a symbol', Symbol('pay')],
    ['missing', undefined],
    ['null', null],
  ] as [string, string][])('does not run if its key is %s', async (_what, key) => {
    const pay = jest.fn(() => 1);
    await expect(
      tracked.run(async (_payload, { effect }) => {
        await effect(key, pay);
        return { length: 1 };
      }),
    ).resolves.toMatchObject({ kind: 'retry', error: { name: 'InvalidValueError' } });
    expect(pay).not.toHaveBeenCalled();
  });

  test.each([
    ['more than can be kept', 'x'.repeat(5000), '4096'],
    ['a value that is not JSON', 5n, 'not JSON'],
  ])('that returns %s does not run again: its task is rejected', async (_what, result, says) => {
    const pay = jest.fn(() => result);
    const paying: Handler = async (_payload, { effect }) => {
      await effect('pay', pay);
      return { length: 1 };
    };
    const rejected = { kind: 'dead-letter', reason: 'rejected' };
    const message = expect.stringContaining(says) as unknown;
    await expect(tracked.run(paying)).resolves.toMatchObject({ ...rejected, error: { message } });
    expect(pay).toHaveBeenCalledTimes(1);
  });

  test.each([
    ['more than can be kept', 'x'.repeat(5000)],
    ['a value that is not JSON', 5n],
  ])(
    'that returns %s does not run again, even if the handler throws another error',
    async (_what, result) => {
      const pay = jest.fn(() => result);
      const paying: Handler = async (_payload, { effect, attempt }) => {
        await effect('pay', pay).catch((cause: unknown) => {
          throw attempt === 1 ? new Error('payment failed', { cause }) : cause;
        });
        return { length: 1 };
      };
      await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'retry' });
      await expect(tracked.run(paying)).resolves.toMatchObject({
        kind: 'dead-letter',
        reason: 'rejected',
        error: { name: 'RejectTask', message: expect.stringContaining('The effect pay of') },
      });
      expect(pay).toHaveBeenCalledTimes(1);
    },
  );

  test('whose result could not be kept calls inDoubt in the next attempt, if it has that option', async () => {
    const pay = jest.fn<() => unknown>(() => 5n);
    const inDoubt = jest.fn(() => ({ result: 'paid' as unknown }));
    const seen: unknown[] = [];
    const paying: Handler = async (_payload, { effect, attempt }) => {
      seen.push(
        await effect('pay', pay, { inDoubt }).catch((cause: unknown) => {
          throw attempt === 1 ? new Error('payment failed', { cause }) : cause;
        }),
      );
      return { length: 1 };
    };
    await tracked.run(paying);
    await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'done' });
    expect([seen, pay.mock.calls.length, inDoubt.mock.calls.length]).toEqual([['paid'], 1, 1]);
  });

  test('beyond the fiftieth of a task does not run, even if the effects run side by side', async () => {
    let runs = 0;
    const paying: Handler = async (_payload, { effect }) => {
      const keys = Array.from({ length: 60 }, (_, index) => `pay-${index}`);
      await Promise.all(keys.map((key) => effect(key, () => (runs += 1))));
      return { length: 1 };
    };
    await expect(tracked.run(paying)).resolves.toMatchObject({ kind: 'retry' });
    expect(runs).toBe(50);
  });

  test('returns the same value the first time and later: its JSON, read again', async () => {
    const seen: unknown[] = [];
    const paying: Handler = async (_payload, { effect, attempt }) => {
      seen.push(await effect('pay', () => ({ at: new Date(0) })));
      if (attempt === 1) throw new Error('try again');
      return { length: 1 };
    };
    await tracked.run(paying);
    await tracked.run(paying);
    expect(seen).toEqual([{ at: '1970-01-01T00:00:00.000Z' }, { at: '1970-01-01T00:00:00.000Z' }]);
  });

  test('that fails does not end the process if no code awaits it', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const ended = Promise.withResolvers<void>();
    await tracked.run((_payload, { effect }) => {
      void effect('pay', async () => {
        await ended.promise;
        throw new Error('too late');
      });
      return { length: 1 };
    });
    ended.resolve();
    await new Promise((turn) => setTimeout(turn, 20));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test.each([
    [
      'one after the other',
      async (pay: (customer: string) => Promise<unknown>) => [await pay('a'), await pay('b')],
    ],
    ['at the same time', (pay: (customer: string) => Promise<unknown>) => Promise.all([pay('a'), pay('b')])],
  ])('rejects with an error that names its key if a handler uses the key twice, %s', async (_what, both) => {
    const paid: string[] = [];
    const looping: Handler = async (_payload, { effect }) => {
      const pay = (customer: string) => effect('charge', () => paid.push(customer));
      await both(pay);
      return { length: 1 };
    };
    const twice = {
      name: 'EffectUsedTwiceError',
      message: `The effect key "charge" was used twice in one attempt at tests.tracked (task ${tracked.taskId}); expected another key for each effect`,
    };
    await expect(tracked.run(looping)).resolves.toMatchObject({ kind: 'retry', error: twice });
    expect(paid).toEqual(['a']);
    // The first call gets the kept result of an earlier attempt, and no other call does
    await expect(tracked.run(looping)).resolves.toMatchObject({ kind: 'retry', error: twice });
    expect(paid).toEqual(['a']);
  });

  test('rejects if another attempt has the task, and is kept for it', async () => {
    let thrown: unknown;
    const { taskId, store } = tracked;
    await tracked.run(async (_payload, { effect }) => {
      const { claimId = '', token = 0 } = (await store.read(taskId)) ?? {};
      await store.attempts.conclude({ taskId, claimId, token }, { state: 'retrying' });
      const other = {
        taskId,
        task: work.name,
        queue: 'default',
        owner: 'w-2',
        payloadHash: WORK_HASH,
        leaseSeconds: 30,
      };
      await store.attempts.claim({ ...other, claimId: randomUUID() });
      thrown = await effect('pay', () => 1).catch((error: unknown) => error);
      return { length: 1 };
    });
    expect(thrown).toMatchObject({ name: 'ClaimLostError' });
    expect((await store.read(taskId))?.effects).toEqual({ pay: '1' });
  });

  test('that ran while the task was cancelled is kept, and the handler learns of the cancellation', async () => {
    let thrown: unknown;
    let reason: unknown;
    await tracked.run(async (_payload, { effect, signal }) => {
      await tracked.store.cancel(tracked.taskId);
      thrown = await effect('pay', () => 1).catch((error: unknown) => error);
      ({ reason } = signal);
      return { length: 1 };
    });
    expect(thrown).toMatchObject({ message: 'The effect pay was kept, but the task was cancelled' });
    expect(reason).toMatchObject({ name: 'TaskCancelledError' });
    await expect(tracked.store.read(tracked.taskId)).resolves.toMatchObject({
      state: 'cancelled',
      effects: { pay: '1' },
    });
  });
});

describe('an effect in doubt', () => {
  const asked: string[] = [];
  const began = jest.fn();
  beforeEach(() => {
    asked.length = 0;
    began.mockClear();
  });

  /** A handler that pays. If an earlier payment is in doubt, it asks the bank. */
  const paying =
    (bank: () => { readonly result: string } | undefined, run: () => Promise<string> | string): Handler =>
    async (_payload, { effect }) => {
      const inDoubt = (key: string) => (asked.push(key), bank());
      const receipt = await effect('pay', () => (began(), run()), { inDoubt });
      return { length: receipt.length };
    };
  const unasked = () => {
    throw new Error('must not be asked');
  };
  const died = () => new Promise<never>(() => undefined);

  /** Lets an attempt start the effect, and its worker die before the result is kept. */
  async function crashed(): Promise<void> {
    const end = new AbortController();
    const dying = tracked.run(paying(unasked, died), { signal: end.signal });
    await eventually('the effect', () => began.mock.calls.length === 1);
    const row = await tracked.store.read(tracked.taskId);
    expect(row?.begunEffects).toEqual(new Set(['pay']));
    const held = { taskId: tracked.taskId, claimId: row?.claimId ?? '', token: row?.token ?? 0 };
    await tracked.store.attempts.conclude(held, { state: 'queued' });
    end.abort(new Error('its worker died'));
    await dying;
    began.mockClear();
  }

  test('does not run again if inDoubt says that the outside system has done it', async () => {
    await crashed();
    const done = tracked.run(paying(() => ({ result: 'r-1' }), unasked));
    await expect(done).resolves.toMatchObject({ kind: 'done', result: { length: 3 } });
    expect(asked).toEqual([`${tracked.taskId}:pay`]);
    expect(began).not.toHaveBeenCalled();
    expect((await tracked.store.read(tracked.taskId))?.effects).toEqual({ pay: '"r-1"' });
  });

  test('runs if inDoubt says that the outside system has not done it', async () => {
    await crashed();
    const done = tracked.run(
      paying(
        () => undefined,
        () => 'r-22',
      ),
    );
    await expect(done).resolves.toMatchObject({ kind: 'done', result: { length: 4 } });
    expect([asked.length, began.mock.calls.length]).toEqual([1, 1]);
  });

  test('is not in doubt if its result was kept, or if it never started', async () => {
    const once: Handler = async (payload, context) => {
      await paying(unasked, () => 'r-1')(payload, context);
      throw new Error('after the payment');
    };
    await expect(tracked.run(once)).resolves.toMatchObject({ error: { message: 'after the payment' } });
    await expect(tracked.run(paying(unasked, unasked))).resolves.toMatchObject({ kind: 'done' });
    expect(began).toHaveBeenCalledTimes(1);
  });

  test('does not start if the task was cancelled, even if the handler does not know it yet', async () => {
    const cancelled: Handler = async (payload, context) => {
      await tracked.store.cancel(tracked.taskId);
      return paying(unasked, () => 'r-1')(payload, context);
    };
    await expect(tracked.run(cancelled)).resolves.toMatchObject({ kind: 'done', result: undefined });
    expect(began).not.toHaveBeenCalled();
  });
});
