import { beforeEach, describe, expect, jest, test } from '@jest/globals';
import { ExclusiveRuns } from '../../run/exclusive-runs.ts';
import type { Settler } from '../../sqs/settler.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { eventually } from 'baton-dev/testing/eventually';
import type { Execution, Executor } from '../executor.ts';
import { QueueRunner } from '../queue-runner.ts';
import { Slot } from '../slot.ts';
import { Slots } from '../slots.ts';
import { receivedMessage } from '../../../tests/support/messages.ts';

const extendLease = jest.fn<Settler['extendLease']>();
const settle = jest.fn<Settler['settle']>();
const done: Execution = { kind: 'done', result: undefined };
const logger = createLogger({ service: 'tests', level: 'silent' });

beforeEach(() => {
  extendLease.mockReset().mockResolvedValue(undefined);
  settle.mockReset().mockResolvedValue();
});

const message = (messageId: string) =>
  receivedMessage({ messageId, receiptHandle: messageId, sentAtMs: 0, firstReceivedAtMs: 0 });

function runnerOf(
  run: Executor['run'],
  {
    slots = new Slots(10),
    leaseSeconds = 30,
    exclusive,
  }: { slots?: Slots; leaseSeconds?: number; exclusive?: ExclusiveRuns } = {},
): QueueRunner {
  const settler = { extendLease, settle } as unknown as Settler;
  return new QueueRunner({
    queue: 'work',
    slots,
    executor: { kind: 'own', run },
    settler,
    leaseSeconds,
    workerId: 'w-1',
    logger,
    exclusive,
  });
}

describe('a queue runner', () => {
  test('settles messages with the outcomes of the executor, and then holds no messages', async () => {
    const runner = runnerOf(async () => done);
    await Promise.all(
      [message('a'), message('b')].map((each) => runner.runIfSlotIsFree(each, performance.now())),
    );
    await runner.whenIdle();
    expect(settle.mock.calls).toEqual([
      [message('a'), done, 'w-1', expect.any(Number)],
      [message('b'), done, 'w-1', expect.any(Number)],
    ]);
    expect(runner.held).toBe(0);
  });

  test('runs a message before it settles it', async () => {
    const order: string[] = [];
    settle.mockImplementation(async () => void order.push('settled'));
    const runner = runnerOf(async () => {
      order.push('run');
      return done;
    });
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await runner.whenIdle();
    expect(order).toEqual(['run', 'settled']);
  });

  test('does not settle a message that is left', async () => {
    const runner = runnerOf(async () => ({ kind: 'left' }));
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await runner.whenIdle();
    expect(settle).not.toHaveBeenCalled();
  });

  test('does not settle a message whose lease was lost, and aborts the signal of its handler', async () => {
    extendLease.mockRejectedValue(new Error('no broker'));
    let aborted: unknown;
    const runner = runnerOf(
      (_message, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = signal.reason;
            resolve(done);
          });
        }),
      { leaseSeconds: 0.3 },
    );
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await runner.whenIdle();
    expect(aborted).toMatchObject({ name: 'LeaseLostError' });
    expect(settle).not.toHaveBeenCalled();
  });

  test('does not run a message whose lease was lost while it waited for a slot', async () => {
    extendLease.mockRejectedValue(new Error('no broker'));
    const run = jest.fn<Executor['run']>(async () => done);
    const slots = new Slots(1);
    await slots.take('another');
    const lost = jest.spyOn(logger, 'error');
    const runner = runnerOf(run, { slots, leaseSeconds: 0.2 });
    const accepted = runner.runIfSlotIsFree(message('a'), performance.now());
    await eventually('the lease lost', () => lost.mock.calls.some(([, line]) => line === 'lease lost'));
    slots.giveBack('another');
    await accepted;
    await runner.whenIdle();
    expect(run).not.toHaveBeenCalled();
    expect([settle.mock.calls, slots.free]).toEqual([[], 1]);
  });

  test('gives a message back within a second if no slot becomes free, as a copy at the same attempt', async () => {
    const slots = new Slots(1);
    await slots.take('another');
    const run = jest.fn<Executor['run']>(async () => done);
    const runner = runnerOf(run, { slots });
    const askedAtMs = performance.now();
    await runner.runIfSlotIsFree({ ...message('a'), receiveCount: 3 }, askedAtMs);
    await runner.whenIdle();
    expect(performance.now() - askedAtMs).toBeLessThan(1500);
    expect(run).not.toHaveBeenCalled();
    expect(settle.mock.calls).toMatchObject([
      [
        { messageId: 'a' },
        { kind: 'release', asCopy: true, notes: { 'baton.earlier-receives': '2', 'baton.first-id': 'a' } },
        'w-1',
        expect.any(Number),
      ],
    ]);
  });

  test('gives a message back at once if all slots are held by tasks longer than a second', async () => {
    const slots = new Slots(1);
    await slots.take('another');
    slots.taskEnded('another', 8000);
    await slots.take('another');
    const runner = runnerOf(async () => done, { slots });
    const askedAtMs = performance.now();
    await runner.runIfSlotIsFree(message('a'), askedAtMs);
    await runner.whenIdle();
    expect(performance.now() - askedAtMs).toBeLessThan(500);
    expect(settle.mock.calls).toMatchObject([
      [{ messageId: 'a' }, { kind: 'release' }, 'w-1', expect.any(Number)],
    ]);
  });

  test('does not fail if a message cannot be settled', async () => {
    settle.mockRejectedValue(new Error('no broker'));
    const runner = runnerOf(async () => done);
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await expect(runner.whenIdle()).resolves.toBeUndefined();
  });

  test('releases messages that wait for a slot once the worker stops, and lets running ones end', async () => {
    const { promise, resolve } = Promise.withResolvers<Execution>();
    const slots = new Slots(1);
    const runner = runnerOf(() => promise, { slots });
    const accepted = [message('running'), message('waiting')].map((each) =>
      runner.runIfSlotIsFree(each, performance.now()),
    );
    runner.stopStarting();
    await Promise.all(accepted);
    await new Promise((turn) => setImmediate(turn));
    expect(settle.mock.calls).toMatchObject([
      [{ messageId: 'waiting' }, { kind: 'release' }, 'w-1', expect.any(Number)],
    ]);
    resolve(done);
    await runner.whenIdle();
    expect(settle).toHaveBeenLastCalledWith(message('running'), done, 'w-1', expect.any(Number));
    expect(slots.free).toBe(1);
  });

  test('aborts messages that still run after the drain time', async () => {
    const runner = runnerOf(
      (_message, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'release', error: signal.reason as Error }));
        }),
    );
    await runner.runIfSlotIsFree(message('a'), performance.now());
    runner.abort();
    await runner.whenIdle();
    expect(settle.mock.calls).toMatchObject([
      [
        { messageId: 'a' },
        { kind: 'release', error: { name: 'WorkerStoppingError' } },
        'w-1',
        expect.any(Number),
      ],
    ]);
  });

  test('keeps the slot of a handler that ignores its signal until the handler ends', async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const slots = new Slots(1);
    const runner = runnerOf(
      async (_message, host) => {
        host.outlivedBy(promise);
        return { kind: 'retry', delaySeconds: 1, error: new Error('timed out') };
      },
      { slots },
    );
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await runner.whenIdle();
    expect(settle).toHaveBeenCalledTimes(1);
    expect([slots.free, runner.running.map((task) => task.overdue)]).toEqual([0, [true]]);
    resolve(undefined);
    await new Promise((turn) => setImmediate(turn));
    expect([slots.free, runner.running]).toEqual([1, []]);
  });

  test('returns no more slots while a thousand messages wait to be settled', async () => {
    const settled = Promise.withResolvers<void>();
    settle.mockReturnValue(settled.promise);
    const slots = new Slots(1200);
    const runner = runnerOf(async () => done, { slots });
    const take = (count: number) =>
      Promise.all(
        Array.from({ length: count }, (_, index) =>
          runner.runIfSlotIsFree(message(String(index)), performance.now()),
        ),
      );
    await take(900);
    await eventually('all slots free', () => settle.mock.calls.length === 900 && slots.free === 1200);
    await take(200);
    await eventually('all tasks to run', () => settle.mock.calls.length === 1100);
    expect(slots.free).toBeLessThanOrEqual(1100);
    settled.resolve();
    await runner.whenIdle();
    expect(slots.free).toBe(1200);
  });

  test.each<[string, Execution, number]>([
    ['settles a finished message', done, 1],
    ['does not release a message', { kind: 'release', error: new Error('stopping') }, 0],
  ])('%s while a renewal of its lease hangs', async (_what, execution, settledMeanwhile) => {
    const renewal = Promise.withResolvers<void>();
    extendLease.mockReturnValue(renewal.promise);
    const ends = Promise.withResolvers<Execution>();
    const runner = runnerOf(() => ends.promise, { leaseSeconds: 1.2 });
    await runner.runIfSlotIsFree(message('a'), performance.now());
    await eventually('a renewal', () => extendLease.mock.calls.length > 0);
    ends.resolve(execution);
    await new Promise((turn) => setImmediate(turn));
    expect(settle).toHaveBeenCalledTimes(settledMeanwhile);
    renewal.resolve();
    await runner.whenIdle();
    expect(settle).toHaveBeenCalledTimes(1);
  });

  describe('with a task that may kill its worker', () => {
    /** Runs each message until the test ends it, and `suspect` alone. */
    function runnerOfSuspect(slots: Slots) {
      const ends = new Map<string, () => void>();
      const begun: string[] = [];
      const exclusive = new ExclusiveRuns({ onClose: () => slots.pause(), onOpen: () => slots.resume() });
      const run: Executor['run'] = async ({ messageId }, host) => {
        if (messageId === 'suspect') {
          try {
            await host.runAlone?.(host.signal);
          } catch (error) {
            return { kind: 'release', error: error as Error };
          }
        }
        begun.push(messageId);
        const end = Promise.withResolvers<void>();
        ends.set(messageId, end.resolve);
        await end.promise;
        return done;
      };
      const start = (runner: QueueRunner, id: string) =>
        runner.runIfSlotIsFree(message(id), performance.now());
      return { begun, ends, start, runner: runnerOf(run, { slots, exclusive }) };
    }

    test('runs it alone, after the running tasks and before later ones', async () => {
      const slots = new Slots(10);
      const { begun, ends, start, runner } = runnerOfSuspect(slots);
      void start(runner, 'a');
      void start(runner, 'suspect');
      await eventually('a pause', () => slots.free === 0);
      void start(runner, 'b');
      expect(begun).toEqual(['a']);
      ends.get('a')?.();
      await eventually('the suspect alone', () => begun.length === 2);
      expect([begun, slots.free]).toEqual([['a', 'suspect'], 0]);
      ends.get('suspect')?.();
      await eventually('the later task', () => begun.length === 3);
      ends.get('b')?.();
      await runner.whenIdle();
      expect(slots.free).toBe(10);
    });

    test.each([
      ['has a slot for', true],
      ['has no slot for', false],
    ])(
      'gives a message that it %s meanwhile back to other workers within a second',
      async (_what, hasSlot) => {
        const slots = new Slots(10);
        const { begun, ends, start, runner } = runnerOfSuspect(slots);
        if (hasSlot) slots.takeFree('work', 1);
        void start(runner, 'suspect');
        await eventually('the suspect alone', () => begun.length === 1);
        const receivedAtMs = performance.now();
        if (hasSlot) void runner.run(message('b'), receivedAtMs, new Slot(slots, 'work'));
        else void runner.runIfSlotIsFree(message('b'), receivedAtMs);
        await eventually('a settling', () => settle.mock.calls.length === 1);
        expect(performance.now() - receivedAtMs).toBeLessThan(2000);
        expect(settle.mock.calls[0]).toMatchObject([
          message('b'),
          { kind: 'release', asCopy: true },
          'w-1',
          {},
        ]);
        expect(begun).toEqual(['suspect']);
        ends.get('suspect')?.();
        await runner.whenIdle();
        expect(slots.free).toBe(10);
      },
    );

    test('releases it if the worker stops before its turn has come', async () => {
      const { begun, ends, start, runner } = runnerOfSuspect(new Slots(10));
      void start(runner, 'a');
      void start(runner, 'suspect');
      await eventually('it waits', () => begun.length === 1);
      runner.stopStarting();
      await eventually('a settling', () => settle.mock.calls.length === 1);
      expect(settle.mock.calls[0]).toMatchObject([
        message('suspect'),
        { kind: 'release', error: { name: 'WorkerStoppingError' } },
        'w-1',
        {},
      ]);
      ends.get('a')?.();
      await runner.whenIdle();
      expect(begun).toEqual(['a']);
    });
  });
});
