import { describe, expect, test } from '@jest/globals';
import { PostponeTask, RejectTask } from '../../task/errors.ts';
import { chain, group, member } from '../../task/flow.ts';
import { implement, type Implementation } from '../../task/implementation.ts';
import type { TaskEnd } from '../../task/task-end.ts';
import { TestBroker } from '../test-broker.ts';
import { charge, greet, ship, sum, sweep, told } from './work.ts';

const now = new Date('2026-11-29T12:00:00.000Z');
const charger = implement(charge, ({ cents }) => ({ receipt: `r-${cents}` }));
const shipper = implement(ship, ({ receipt }) => ({ parcel: `p-${receipt}` }));
const summer = implement(sum, (receipts) => ({ receipts: receipts.map(({ receipt }) => receipt).join() }));
const greeter = implement(greet, ({ name }) => ({ text: `Hello, ${name}` }));

function brokerOf(...implementations: readonly Implementation[]): TestBroker {
  return new TestBroker({ implementations, now });
}

describe('a test broker', () => {
  test('keeps sent tasks until a test runs them', async () => {
    const broker = brokerOf(greeter);
    const { taskId } = await broker.send(greet, { name: 'Ada' });
    expect(broker.attempts).toEqual([]);
    expect(broker.queued).toEqual([
      {
        task: 'tests.greet',
        taskId,
        payload: { name: 'Ada', loud: false },
        queue: 'orders',
        lane: undefined,
        dueAt: now,
      },
    ]);
    const made = await broker.runAll();
    expect(made).toEqual([
      {
        task: 'tests.greet',
        taskId,
        attempt: 1,
        payload: { name: 'Ada', loud: false },
        outcome: { kind: 'done', result: { text: 'Hello, Ada' } },
      },
    ]);
    expect([broker.queued, broker.attempts, broker.deadLetters]).toEqual([[], made, []]);
  });

  test('runs a task and all tasks before it if a test waits for its result', async () => {
    const broker = brokerOf(charger, shipper);
    const [first, second] = [
      await broker.send(charge, { cents: 1 }),
      await broker.send(ship, { receipt: 'r' }),
    ];
    await expect(second.result()).resolves.toEqual({ parcel: 'p-r' });
    await expect(first.status()).resolves.toMatchObject({ state: 'succeeded', attempts: 1 });
    await expect(first.result()).resolves.toEqual({ receipt: 'r-1' });
  });

  test('serves several waits at once', async () => {
    const broker = brokerOf(charger, shipper);
    const handles = await Promise.all([1, 2, 3].map((cents) => broker.send(charge, { cents })));
    await expect(Promise.all(handles.map((handle) => handle.result()))).resolves.toHaveLength(3);
  });

  test('names the task whose implementation is missing at once', async () => {
    const broker = brokerOf(charger);
    const handle = await broker.send(ship, { receipt: 'r' });
    await expect(handle.result()).rejects.toThrow('expected an implementation of tests.ship');
    await expect(broker.tasks.handle(ship, 'nobody').result()).rejects.toThrow('it is in no queue');
    expect(broker.queued).toMatchObject([{ task: 'tests.ship' }]);
  });

  test('retries after the rest of the retry policy by its own clock, which takes no real time', async () => {
    const attempts: number[] = [];
    const broker = brokerOf(
      implement(charge, (_payload, { attempt }) => {
        attempts.push(attempt);
        if (attempt < 3) throw new Error('no');
        return { receipt: 'r' };
      }),
    );
    const startedAtMs = performance.now();
    const handle = await broker.send(charge, { cents: 1 });
    await broker.runDue();
    await expect(handle.status()).resolves.toMatchObject({ state: 'retrying', error: { message: 'no' } });
    await expect(handle.result()).resolves.toEqual({ receipt: 'r' });
    expect(attempts).toEqual([1, 2, 3]);
    expect(broker.now.getTime() - now.getTime()).toBeGreaterThanOrEqual(90_000);
    expect(performance.now() - startedAtMs).toBeLessThan(5000);
  });

  test('shows dead letters, and rejects the waits for their results', async () => {
    const broker = brokerOf(
      implement(charge, () => {
        throw new RejectTask('stolen');
      }),
      implement(greet, () => {
        throw new Error('no');
      }),
    );
    const handle = await broker.send(charge, { cents: 1 }, { lane: 'high' });
    await broker.send(greet, { name: 'Ada' });
    await expect(handle.result()).rejects.toMatchObject({ reason: 'rejected', errorName: 'RejectTask' });
    expect(broker.deadLetters).toMatchObject([
      {
        task: 'tests.charge',
        taskId: handle.taskId,
        queue: 'orders',
        reason: 'rejected',
        error: { name: 'RejectTask', message: 'stolen' },
        attempts: 1,
      },
      { task: 'tests.greet', payload: { name: 'Ada' }, reason: 'attempts-exhausted', attempts: 3 },
    ]);
    await expect(broker.status(handle.taskId)).resolves.toMatchObject({ state: 'failed' });
  });

  test('keeps the results of effects for the next attempt', async () => {
    let charges = 0;
    const broker = brokerOf(
      implement(charge, async (_payload, { attempt, effect }) => {
        const receipt = await effect('charge', () => `r-${(charges += 1)}`);
        if (attempt === 1) throw new Error('no');
        return { receipt };
      }),
    );
    await expect((await broker.send(charge, { cents: 1 })).result()).resolves.toEqual({ receipt: 'r-1' });
    expect(charges).toBe(1);
  });

  test('skips delays', async () => {
    const broker = brokerOf(greeter, charger);
    await broker.send(charge, { cents: 1 }, { delaySeconds: 86_400 });
    await broker.send(greet, { name: 'Ada' }, { delaySeconds: 60 });
    await expect(broker.runDue()).resolves.toEqual([]);
    await expect(broker.advance({ seconds: 59 })).resolves.toEqual([]);
    await expect(broker.advance({ seconds: 1 })).resolves.toMatchObject([{ task: 'tests.greet' }]);
    expect(broker.now).toEqual(new Date(now.getTime() + 60_000));
    await expect(broker.runAll()).resolves.toMatchObject([{ task: 'tests.charge' }]);
    expect(broker.now.getTime() - now.getTime()).toBeGreaterThanOrEqual(86_400_000);
    await expect(broker.advance({ seconds: -1 })).rejects.toThrow(RangeError);
  });

  test('runs the tasks that handlers send, and listeners', async () => {
    const ends: TaskEnd[] = [];
    const broker = brokerOf(
      implement(charge, async (_payload, { send }) => {
        await send(greet, { name: 'Ada' });
        return { receipt: 'r' };
      }),
      greeter,
      implement(told, (end) => {
        ends.push(end);
      }),
    );
    const { taskId } = await broker.send(charge, { cents: 1 }, { subject: 'order-7' });
    await expect(broker.runAll()).resolves.toMatchObject([
      { task: 'tests.charge' },
      { task: 'tests.greet' },
      { task: 'tests.told' },
    ]);
    expect(ends).toMatchObject([
      { taskId, subject: 'order-7', state: 'succeeded', result: { receipt: 'r' } },
    ]);
  });

  test('runs a task beside the handler that waits for its result', async () => {
    const broker = brokerOf(
      implement(charge, async (_payload, { send }) => {
        const { parcel } = await (await send(ship, { receipt: 'r' })).result();
        return { receipt: parcel };
      }),
      shipper,
    );
    await expect((await broker.send(charge, { cents: 1 })).result()).resolves.toEqual({ receipt: 'p-r' });
  });

  test('runs chains and groups, and cancels tasks that can no longer run', async () => {
    const broker = brokerOf(charger, shipper, summer);
    const parcel = await broker.tasks.start(chain([charge, ship]), { cents: 7 });
    await expect(parcel.result()).resolves.toEqual({ parcel: 'p-r-7' });
    const members = [member(charge, { cents: 1 }), member(charge, { cents: 2 })] as const;
    const receipts = await broker.tasks.start(group(members, sum));
    await expect(receipts.result()).resolves.toEqual({ receipts: 'r-1,r-2' });
    const broken = brokerOf(
      implement(charge, () => {
        throw new RejectTask('stolen');
      }),
      shipper,
    );
    const never = await broken.tasks.start(chain([charge, ship]), { cents: 7 });
    await expect(never.result()).rejects.toMatchObject({ name: 'TaskCancelledError' });
  });

  test('does not run a cancelled task', async () => {
    const broker = brokerOf(charger);
    const handle = await broker.send(charge, { cents: 1 });
    await expect(handle.cancel()).resolves.toMatchObject({ state: 'cancelled' });
    await expect(broker.runAll()).resolves.toEqual([]);
    // At the cancellation, and when its message was received: a listener may be told twice
    expect(broker.queued).toMatchObject([{ task: 'tests.told' }, { task: 'tests.told' }]);
  });

  test('refuses the same sends as a task client', async () => {
    const broker = brokerOf(charger);
    await expect(broker.send(charge, { cents: 0 })).rejects.toMatchObject({ name: 'InvalidValueError' });
    await broker.send(charge, { cents: 1 }, { deduplicationKey: 'k' });
    await broker.send(charge, { cents: 1 }, { deduplicationKey: 'k' });
    await expect(broker.send(charge, { cents: 2 }, { deduplicationKey: 'k' })).rejects.toMatchObject({
      name: 'TaskConflictError',
    });
    await expect(broker.runAll()).resolves.toHaveLength(1);
  });

  test('sends the ticks of schedules if a test moves its clock forward', async () => {
    const at: string[] = [];
    const broker: TestBroker = brokerOf(
      implement(sweep, () => {
        at.push(broker.now.toISOString());
      }),
    );
    await broker.runAll();
    expect(at).toEqual([]);
    await broker.advance({ seconds: 2 * 86_400 });
    expect(at).toEqual(['2026-11-30T03:00:00.000Z', '2026-12-01T03:00:00.000Z']);
    expect(broker.now).toEqual(new Date(now.getTime() + 2 * 86_400_000));
    await expect(broker.status('schedule.tests.sweep.2026-11-30T03:00:00Z')).resolves.toMatchObject({
      state: 'succeeded',
    });
  });

  test('ends if tasks send each other for ever, or if a task is postponed for ever', async () => {
    const forever = new TestBroker({
      implementations: [
        implement(greet, async ({ name }, { send }) => {
          await send(greet, { name });
          return { text: '' };
        }),
      ],
      maxAttempts: 50,
    });
    await forever.send(greet, { name: 'Ada' });
    await expect(forever.runAll()).rejects.toThrow(
      'The broker has made 50 attempts, the last at tests.greet',
    );
    const postponed = brokerOf(
      implement(greet, () => {
        throw new PostponeTask('not now', { delaySeconds: 3600 });
      }),
    );
    await postponed.send(greet, { name: 'Ada' });
    await postponed.runAll();
    // After 5 days, as in a worker
    expect(postponed.deadLetters).toMatchObject([
      { reason: 'attempts-exhausted', error: { name: 'PostponeTask' } },
    ]);
    expect(postponed.attempts.length).toBeGreaterThan(100);
  });
});
