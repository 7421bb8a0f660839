import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { decodeEnvelope } from '../../../sqs/envelope.ts';
import { tickTime } from '../../../task/schedule.ts';
import type { ScheduledContract } from '../../../task/task.ts';
import type { Backends } from '../../../../tests/support/backends.ts';
import { Cron } from 'croner';
import { type OwnClock, ScheduledWork, scheduledTask, startStore } from './scheduled-worker.ts';

/** Longer than the time over which workers spread their sends. */
const SPREAD_MS = 2001;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The time between two looks of a worker for messages. */
const LOOK_MS = 30 * MINUTE_MS;

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

describe('a scheduled task', () => {
  test.each([12 * HOUR_MS, -12 * HOUR_MS])(
    'is not sent by a worker whose clock is wrong by %s ms, and is sent once the clock is right',
    async (aheadMs) => {
      const { clock } = begin({ at: '2026-11-25T02:50:00Z' });
      const own: OwnClock = {};
      const scheduler = work.start(work.contract, own);
      await clock.pass(MINUTE_MS);
      Object.assign(own, { aheadMs, noticed: true });
      await clock.pass('2026-11-25T03:05:00Z');
      expect([work.sent, scheduler.state[0]?.ticking]).toEqual([[], false]);
      Object.assign(own, { aheadMs: 0, noticed: false });
      await clock.pass(10_000);
      expect(scheduler.state[0]?.ticking).toBe(true);
      expect(sentIds()).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
    },
  );

  test('is sent by the other workers while the clock of one is wrong, or becomes wrong at the tick', async () => {
    const { clock } = begin({ contract: scheduledTask('*/30 2-3 * * *') });
    work.start();
    const wrong: OwnClock = { aheadMs: 12 * HOUR_MS, noticed: true };
    work.start(work.contract, wrong);
    const late: OwnClock = {};
    work.start(work.contract, late);
    await clock.pass('2026-11-25T02:30:00Z');
    Object.assign(late, { aheadMs: 12 * HOUR_MS, noticed: true });
    for (let step = 1; step <= 7; step += 1) {
      await clock.pass(10 * MINUTE_MS);
      await work.runAll();
    }
    expect(work.ran).toEqual(
      ['02:00', '02:30', '03:00', '03:30'].map((time) => taskIdAt(`2026-11-25T${time}:00Z`)),
    );
  });

  test.each([
    ['a worker with a right clock', 0, '0 * * * *'],
    ['the same worker', 3 * HOUR_MS, '0 * * * *'],
    ['a worker with a right clock', 0, '0 5 * * *'],
    ['the same worker', 3 * HOUR_MS, '0 5 * * *'],
  ])(
    'runs at each of its times, even if a worker that is 3 h ahead sent a tick and %s ran it',
    async (_who, aheadMs, cron) => {
      const { clock } = begin({ contract: scheduledTask(cron) });
      work.start();
      await clock.pass(10 * MINUTE_MS);
      await work.runAll();
      const wrong = work.start(work.contract, { aheadMs: 3 * HOUR_MS });
      await clock.pass(15_000);
      await work.stop(wrong);
      // Another worker saw the schedule first, so this worker has one tick to send
      expect(sentIds()).toEqual([taskIdAt('2026-11-25T05:00:00Z')]);
      await work.runAll(aheadMs);
      for (let step = 1; step <= 8; step += 1) {
        await clock.pass(LOOK_MS);
        await work.runAll();
      }
      const ticks = new Cron(cron, { timezone: 'UTC' }).nextRuns(4, new Date('2026-11-25T02:10:00Z'));
      const past = ticks.filter((tick) => tick.getTime() < clock.nowMs - LOOK_MS);
      expect(past.length).toBeGreaterThan(0);
      const onTime = work.ran.filter((taskId, index) => {
        const lateMs =
          Date.parse(work.ranAt[index] ?? '') - Date.parse(taskId.slice(-'2026-11-25T14:00:00Z'.length));
        return lateMs >= 0 && lateMs <= LOOK_MS + SPREAD_MS;
      });
      const runsAt = (time: string): number => onTime.filter((taskId) => taskId === taskIdAt(time)).length;
      const expected = past.map((tick) => [tickTime(tick), 1]);
      expect(past.map((tick) => [tickTime(tick), runsAt(tickTime(tick))])).toEqual(expected);
      expect(work.ran.length - onTime.length).toBe(aheadMs > 0 ? 1 : 0);
    },
  );

  test('still runs if a worker with a wrong clock has recorded a tick years ahead', async () => {
    const { clock } = begin();
    work.start();
    await clock.pass(MINUTE_MS);
    const wrong = work.start(work.contract, { aheadMs: 10 * 8760 * HOUR_MS });
    await clock.pass(MINUTE_MS);
    await work.stop(wrong);
    expect(sentIds()).toEqual([taskIdAt('2036-11-21T03:00:00Z')]);
    await clock.pass('2026-11-25T03:00:05Z');
    expect(sentIds().slice(1)).toEqual([taskIdAt('2026-11-25T03:00:00Z')]);
  });
});
