import { describe, expect, jest, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { PostponeTask, RejectTask, RetryTask } from '../../task/errors.ts';
import { implement, type TaskHandler, type TrackedTaskContext } from '../../task/implementation.ts';
import { runTask } from '../run-task.ts';
import { charge, greet, ship } from './work.ts';

type Charge = TaskHandler<(typeof charge)['payload'], (typeof charge)['result'], true>;

const greeting = (handler: () => never) => implement(greet, handler);
const charging = (handler: Charge) => implement(charge, handler);
const charged = charging(async (_payload, { effect }) => effect('charge', () => ({ receipt: 'r-1' })));
const cents = { cents: 100 };

describe('an attempt in memory', () => {
  test('returns the result of the handler, checked by the schemas of payload and result', async () => {
    const seen: unknown[] = [];
    const greeter = implement(greet, (payload, { attempt, maxAttempts, taskId }) => {
      seen.push(payload, attempt, maxAttempts, taskId);
      return { text: `Hello, ${payload.name}`, more: 'is left out' };
    });
    const run = await runTask(greeter, { name: 'Ada' }, { taskId: 't-1' });
    expect(run.outcome).toEqual({ kind: 'done', result: { text: 'Hello, Ada' } });
    expect([run.result?.text, run.error, run.effects]).toEqual(['Hello, Ada', undefined, {}]);
    expect(seen).toEqual([{ name: 'Ada', loud: false }, 1, 3, 't-1']);
  });

  test('leads to a dead letter if the payload breaks its schema', async () => {
    const greeter = implement(greet, () => ({ text: 'never' }));
    const { outcome } = await runTask(greeter, { name: 7 } as never);
    expect(outcome).toMatchObject({ kind: 'dead-letter', reason: 'invalid-payload' });
  });

  test('fails if the result breaks its schema', async () => {
    const run = await runTask(
      implement(greet, () => ({ text: 7 }) as never),
      { name: 'Ada' },
    );
    expect(run.outcome).toMatchObject({ kind: 'retry', error: { name: 'InvalidValueError' } });
    expect([run.result, run.error?.name]).toEqual([undefined, 'InvalidValueError']);
  });

  test.each([
    ['an error', new Error('no'), 1, { kind: 'retry' }],
    [
      'an error at the last attempt',
      new Error('no'),
      3,
      { kind: 'dead-letter', reason: 'attempts-exhausted' },
    ],
    ['RetryTask', new RetryTask('later', { delaySeconds: 7 }), 2, { kind: 'retry', delaySeconds: 7 }],
    ['PostponeTask', new PostponeTask('later', { delaySeconds: 7 }), 3, { kind: 'release', delaySeconds: 7 }],
    ['RejectTask', new RejectTask('never'), 1, { kind: 'dead-letter', reason: 'rejected' }],
  ])(
    'has the same outcome as in a worker if its handler throws %s',
    async (_what, error, attempt, outcome) => {
      const seen: number[] = [];
      const fails = implement(greet, (_payload, context) => {
        seen.push(context.attempt);
        throw error;
      });
      const run = await runTask(fails, { name: 'Ada' }, { attempt });
      expect(run.outcome).toMatchObject({ ...outcome, error: { message: error.message } });
      expect(seen).toEqual([attempt]);
      const tracked = charging(() => {
        throw error;
      });
      await expect(runTask(tracked, cents, { attempt })).resolves.toMatchObject({ outcome });
    },
  );

  test('rests for the time of the retry policy', async () => {
    const fails = greeting(() => {
      throw new Error('no');
    });
    const { outcome } = await runTask(fails, { name: 'Ada' }, { attempt: 2 });
    if (outcome.kind !== 'retry') throw new Error(`It is ${outcome.kind}`);
    expect(outcome.delaySeconds).toBeGreaterThanOrEqual(60);
    expect(outcome.delaySeconds).toBeLessThanOrEqual(120);
  });

  test('is retried after its time limit, and is given up if it is the last', async () => {
    const waits = charging(async (_payload, { signal }) => {
      await sleep(10_000, undefined, { signal });
      return { receipt: 'never' };
    });
    const limit = { timeoutSeconds: 0.05 };
    await expect(runTask(waits, cents, limit)).resolves.toMatchObject({
      outcome: { kind: 'retry', error: { name: 'TaskTimeoutError' } },
    });
    await expect(runTask(waits, cents, { ...limit, attempt: 3 })).resolves.toMatchObject({
      outcome: { kind: 'dead-letter', reason: 'timed-out' },
    });
  });

  test('is released if its worker must stop', async () => {
    const stop = new AbortController();
    const waits = charging(async (_payload, { signal }) => {
      setImmediate(() => stop.abort(new Error('The worker stops')));
      await sleep(10_000, undefined, { signal });
      return { receipt: 'never' };
    });
    const run = await runTask(waits, cents, { signal: stop.signal });
    expect(run.outcome).toMatchObject({ kind: 'release', error: { message: 'The worker stops' } });
  });

  test('keeps the results of its effects, and does not run kept effects', async () => {
    const first = await runTask(charged, cents);
    expect(first.effects).toEqual({ charge: { receipt: 'r-1' } });
    const pay = jest.fn(() => ({ receipt: 'r-2' }));
    const again = charging(async (_payload, { effect }) => effect('charge', pay));
    const second = await runTask(again, cents, { attempt: 2, effects: first.effects });
    expect([second.result, pay.mock.calls]).toEqual([{ receipt: 'r-1' }, []]);
    expect(second.effects).toEqual(first.effects);
  });

  test('calls inDoubt for an effect that an earlier attempt started', async () => {
    const asked: string[] = [];
    const inDoubt = (key: string) => {
      asked.push(key);
      return { result: { receipt: 'r-9' } };
    };
    const doubts = charging(async (_payload, { effect }) =>
      effect('charge', () => ({ receipt: 'r-1' }), { inDoubt }),
    );
    const options = { taskId: 't-1', attempt: 2, effectsInDoubt: ['charge'] };
    await expect(runTask(doubts, cents, options)).resolves.toMatchObject({ result: { receipt: 'r-9' } });
    expect(asked).toEqual(['t-1:charge']);
    await runTask(doubts, cents);
    expect(asked).toHaveLength(1);
  });

  test.each([
    [
      'uses the key of an effect twice',
      async ({ effect }: TrackedTaskContext) => {
        await effect('charge', () => 1);
        return effect('charge', () => 2);
      },
      { kind: 'retry', error: { name: 'EffectUsedTwiceError' } },
    ],
    [
      'has an effect with a result that is too large',
      ({ effect }: TrackedTaskContext) => effect('charge', () => 'x'.repeat(5000)),
      { kind: 'dead-letter', reason: 'rejected' },
    ],
  ])('fails if its handler %s', async (_what, run, outcome) => {
    const wrong = charging(async (_payload, context) => {
      await run(context);
      return { receipt: 'never' };
    });
    await expect(runTask(wrong, cents)).resolves.toMatchObject({ outcome });
  });

  test('shows the sends, the progress and the log lines of the handler', async () => {
    const busy = charging(async (_payload, { send, progress, logger, token }) => {
      progress({ fraction: 0.5 });
      progress({ fraction: 7, message: 'nearly' });
      await send(ship, { receipt: 'r-1' }, { taskId: 't-2', subject: 'order-7' });
      await send(greet, { name: 'Ada' });
      logger.info({ token }, 'charged');
      return { receipt: 'r-1' };
    });
    const run = await runTask(busy, cents, { taskId: 't-1' });
    expect(run.sends).toEqual([
      {
        task: 'tests.ship',
        taskId: 't-2',
        payload: { receipt: 'r-1' },
        options: { taskId: 't-2', subject: 'order-7' },
      },
      { task: 'tests.greet', taskId: expect.any(String) as unknown, payload: { name: 'Ada' }, options: {} },
    ]);
    expect(run.progress).toEqual([{ fraction: 0.5 }, { fraction: 1, message: 'nearly' }]);
    expect(run.logs).toContainEqual(
      expect.objectContaining({ message: 'charged', taskId: 't-1', token: 1, attempt: 1 }),
    );
  });

  test('refuses an invalid send, as a worker does', async () => {
    const wrong = charging(async (_payload, { send }) => {
      await send(ship, { receipt: 7 } as never);
      return { receipt: 'never' };
    });
    const run = await runTask(wrong, cents);
    expect([run.sends, run.error?.name]).toEqual([[], 'InvalidValueError']);
  });

  test('fails at once if the handler waits for the result of a task, because nothing runs it', async () => {
    const waits = charging(async (_payload, { send }) => {
      const parcel = await send(ship, { receipt: 'r-1' }, { taskId: 't-2' });
      await parcel.result();
      return { receipt: 'never' };
    });
    const { error } = await runTask(waits, cents);
    expect(error?.message).toContain('nothing runs the task t-2');
    expect(error?.message).toContain('expected a TestBroker');
  });

  test('gives a later attempt a greater token', async () => {
    const tokens: number[] = [];
    const counts = charging((_payload, { token }) => {
      tokens.push(token);
      return { receipt: 'r-1' };
    });
    for (const attempt of [1, 2, 3]) await runTask(counts, cents, { attempt });
    expect(tokens).toEqual([1, 2, 3]);
  });

  test('is refused if its number exceeds the contract, or if an untracked task has effects', async () => {
    const greeter = implement(greet, () => ({ text: '' }));
    await expect(runTask(greeter, { name: '' }, { attempt: 4 })).rejects.toThrow('expected 1 to 3, got 4');
    await expect(runTask(greeter, { name: '' }, { attempt: 0 })).rejects.toThrow(RangeError);
    await expect(runTask(greeter, { name: '' }, { effects: { a: 1 } })).rejects.toThrow('is not tracked');
  });
});
