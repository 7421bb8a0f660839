import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { implement, Implementations } from '../../../task/implementation.ts';
import { decodeEnvelope } from '../../../sqs/envelope.ts';
import { defineTask, type ScheduledContract } from '../../../task/task.ts';
import type { Backends } from '../../../../tests/support/backends.ts';
import * as z from 'zod';
import { contractsToTick } from '../scheduler.ts';
import { ScheduledWork, scheduledTask, startStore } from './scheduled-worker.ts';
import { messageBody } from '../../../../tests/support/messages.ts';

/** Longer than the time over which workers spread their sends. */
const SPREAD_MS = 2001;
const MINUTE_MS = 60_000;

let backends: Backends;
let work: ScheduledWork;
beforeAll(async () => {
  backends = await startStore();
});
afterAll(() => backends.stop());
afterEach(() => work.stop());

function begin(options?: { contract?: ScheduledContract; at?: string }): ScheduledWork {
  work = new ScheduledWork(backends, options);
  return work;
}

const taskIdAt = (time: string): string => `schedule.${work.contract.name}.${time}`;
const sentIds = (): string[] => work.sent.map((body) => decodeEnvelope(body).taskId);
const noting = (command: object): boolean =>
  command instanceof UpdateCommand && command.input.UpdateExpression?.includes('SET lastTick') === true;

describe('a scheduled task', () => {
  test('runs once at each tick, however many workers tick', async () => {
    const { clock } = begin({ contract: scheduledTask('*/30 2-3 * * *') });
    for (let worker = 1; worker <= 3; worker += 1) work.start();
    await clock.pass('2026-11-25T06:00:00Z');
    const ids = ['02:00', '02:30', '03:00', '03:30'].map((time) => taskIdAt(`2026-11-25T${time}:00Z`));
    expect(new Set(sentIds())).toEqual(new Set(ids));
    await work.runAll();
    expect(work.ran).toEqual(ids);
  });

  test('runs once, even if all workers send it at the same moment', async () => {
    const { clock } = begin();
    const [one, other] = [work.start(), work.start()];
    // No worker sees the ticks that the other one has recorded
    work.troubles.store = (command) => {
      if (noting(command)) throw new Error('no store');
    };
    await clock.pass('2026-11-25T03:00:05Z');
    await work.stop(one, other);
    expect(sentIds().length).toBeGreaterThan(1);
    await work.runAll();
    expect(work.ran).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
  });

  test('is sent by only one of several workers, because they spread their sends', async () => {
    const { clock } = begin({ contract: scheduledTask('*/10 * * * *'), at: '2026-11-25T02:05:00Z' });
    for (let worker = 1; worker <= 3; worker += 1) work.start();
    await clock.pass('2026-11-25T04:05:00Z');
    expect(sentIds()).toHaveLength(12);
    expect(new Set(sentIds()).size).toBe(12);
  });

  test('does not run when its schedule is seen first, however long ago the last tick was', async () => {
    const { clock } = begin();
    work.start();
    await clock.pass(30 * MINUTE_MS);
    expect(work.sent).toEqual([]);
    await clock.pass('2026-11-25T03:00:05Z');
    expect(sentIds()).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
  });

  test('runs once, for the last missed tick, if all workers were down', async () => {
    const { clock } = begin();
    const first = work.start();
    await clock.pass('2026-11-25T04:00:00Z');
    await work.stop(first);
    await work.runAll();
    await clock.pass('2026-12-01T10:00:00Z');
    work.start();
    work.start();
    await clock.pass(SPREAD_MS);
    expect(new Set(sentIds())).toEqual(new Set([taskIdAt('2026-12-01T03:00:00Z')]));
    await work.runAll();
    await clock.pass('2026-12-01T12:00:00Z');
    await work.runAll();
    expect(work.ran).toEqual([taskIdAt('2026-11-25T03:00:00Z'), taskIdAt('2026-12-01T03:00:00Z')]);
  });

  test('does not run again in a worker that starts later, even if the row of the task has expired', async () => {
    const { clock } = begin({ contract: scheduledTask('0 0 1 * *'), at: '2026-11-30T23:00:00Z' });
    const first = work.start();
    await clock.pass('2026-12-01T00:01:00Z');
    await work.runAll();
    await work.stop(first);
    await clock.pass('2026-12-30T00:00:00Z');
    work.start();
    await clock.pass(10 * MINUTE_MS);
    expect(work.sent).toEqual([]);
    expect(work.ran).toEqual([taskIdAt('2026-12-01T00:00:00Z')]);
  });

  test('runs once, even if its worker dies between the send and the record of the tick', async () => {
    const { clock } = begin();
    const first = work.start();
    work.troubles.store = (command) => {
      if (noting(command)) throw new Error('the worker is dead');
    };
    await clock.pass('2026-11-25T03:00:02Z');
    await work.stop(first);
    work.troubles.store = () => undefined;
    const before = work.sent.length;
    expect(before).toBeGreaterThan(0);
    work.start();
    await clock.pass(SPREAD_MS);
    expect(work.sent.length).toBe(before + 1);
    await work.runAll();
    expect(work.ran).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
  });

  test.each(['store', 'broker'] as const)(
    'is not lost while the %s is away, and the log reports the trouble and its end once',
    async (part) => {
      const { clock } = begin();
      const scheduler = work.start();
      await clock.pass('2026-11-25T02:59:00Z');
      work.troubles[part] = () => {
        throw new Error('nobody there');
      };
      await clock.pass('2026-11-25T03:05:00Z');
      expect([work.sent, scheduler.state[0]?.ticking]).toEqual([[], false]);
      const said = () => work.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
      expect(said()).toEqual([expect.stringMatching(/^cannot tick tests\.sweep.*nobody there/)]);
      work.troubles[part] = () => undefined;
      await clock.pass(5 * MINUTE_MS);
      expect(scheduler.state[0]?.ticking).toBe(true);
      expect(sentIds()).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
      expect(said()).toHaveLength(1);
      expect(work.lines.filter(({ message }) => /^ticking .* again$/.test(String(message)))).toHaveLength(1);
      await work.runAll();
      expect(work.ran).toHaveLength(1);
    },
  );

  test('is sent once the task store is back, if the store was away from the start', async () => {
    const { clock, troubles } = begin();
    troubles.store = () => {
      throw new Error('nobody there');
    };
    const scheduler = work.start();
    await clock.pass(10 * MINUTE_MS);
    expect(scheduler.state).toMatchObject([{ ticking: false, lastTick: null }]);
    troubles.store = () => undefined;
    await clock.pass('2026-11-25T03:00:05Z');
    expect(sentIds()).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
  });

  test('is not sent by a worker that stops, even while the worker checks the schedule', async () => {
    const { clock } = begin();
    const scheduler = work.start();
    await clock.pass('2026-11-25T03:00:00Z');
    await work.stop(scheduler);
    await clock.pass('2026-11-25T04:00:00Z');
    expect(work.sent).toEqual([]);
    let looks = 0;
    let stopped: Promise<void> | undefined;
    work.troubles.store = () => {
      looks += 1;
      if (looks === 2) stopped = work.stop();
    };
    work.start();
    await clock.pass(SPREAD_MS);
    await stopped;
    expect([looks, work.sent]).toEqual([2, []]);
  });

  test('runs once if the machine slept during its tick', async () => {
    const { clock } = begin();
    work.start();
    await clock.pass(MINUTE_MS);
    clock.set('2026-11-25T03:20:00Z');
    await clock.pass(MINUTE_MS + SPREAD_MS);
    expect(sentIds()).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
    await clock.pass('2026-11-25T04:00:00Z');
    expect(sentIds()).toHaveLength(1);
  });

  test('runs once if AWS sends its tick too, before or after the worker', async () => {
    const { clock } = begin({ contract: scheduledTask('0 3,4 * * *') });
    work.start();
    const byAws = (time: string): string =>
      messageBody({
        taskId: taskIdAt(time),
        task: work.contract.name,
        source: 'scheduler',
        time,
        data: { day: 'today' },
      });
    await clock.pass('2026-11-25T03:00:00Z');
    work.sent.push(byAws('2026-11-25T03:00:00Z'));
    await work.runAll();
    await clock.pass('2026-11-25T04:30:00Z');
    work.sent.push(byAws('2026-11-25T04:00:00Z'));
    await work.runAll();
    expect(work.ran).toEqual(['03', '04'].map((hour) => taskIdAt(`2026-11-25T${hour}:00:00Z`)));
    expect(work.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('continues if a worker of another version has sent the tick with another payload', async () => {
    const { clock } = begin();
    const dated = (day: string): ScheduledContract => ({
      ...work.contract,
      payload: z.object({ day: z.string().default(day) }),
    });
    const first = work.start(dated('today'));
    work.troubles.store = (command) => {
      if (noting(command)) throw new Error('the worker is dead');
    };
    await clock.pass('2026-11-25T03:00:02Z');
    await work.stop(first);
    work.troubles.store = () => undefined;
    const scheduler = work.start(dated('tomorrow'));
    await clock.pass(SPREAD_MS);
    expect(scheduler.state).toMatchObject([{ ticking: true, lastTick: '2026-11-25T03:00:00.000Z' }]);
    expect(work.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  test('is in the state with its last tick and its next tick', async () => {
    const { clock } = begin();
    const scheduler = work.start();
    const { name: task } = work.contract;
    const shown = { task, queue: 'default', cron: '0 3 * * *', timeZone: 'UTC' };
    await clock.pass(MINUTE_MS);
    const next = (day: string): string => `2026-11-${day}T03:00:00.000Z`;
    expect(scheduler.state).toEqual([{ ...shown, ticking: true, lastTick: null, nextTick: next('25') }]);
    await clock.pass('2026-11-25T04:00:00Z');
    expect(scheduler.state).toEqual([
      { ...shown, ticking: true, lastTick: next('25'), nextTick: next('26') },
    ]);
  });
});

describe('a worker sends the ticks', () => {
  const handled = (contract: ScheduledContract) => implement(contract, () => null);
  const own = { ...scheduledTask(), name: 'tests.own', queue: 'default' };
  const others = { ...scheduledTask(), name: 'tests.others', queue: 'letters' };
  const { schedule: _none, ...unscheduled } = { ...scheduledTask(), name: 'tests.unscheduled' };
  const implementations = new Implementations([
    handled(own),
    implement(defineTask({ ...unscheduled, queue: 'default' }), () => null),
  ]);
  const ticked = (local: string[], lambda: string[]): string[] =>
    contractsToTick(implementations, [others, own], { own: local, lambda }).map(({ name }) => name);

  test.each([
    ['of the tasks that it runs in its own process', ['default'], [], ['tests.own']],
    ['of the tasks in the queues that it serves for functions', [], ['letters'], ['tests.others']],
    ['of both kinds, each once', ['default'], ['letters'], ['tests.others', 'tests.own']],
    ['of no tasks in other queues', ['reports'], ['receipts'], []],
    [
      'of no tasks in its own queues that it has no implementation for',
      ['default', 'letters'],
      [],
      ['tests.own'],
    ],
  ])('%s', (_what, local, lambda, names) => {
    expect(ticked(local, lambda)).toEqual(names);
  });
});
