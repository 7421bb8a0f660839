import { describe, expect, test } from '@jest/globals';
import { randomRuns } from 'baton-dev/testing/random-runs';
import * as fc from 'fast-check';
import { taskIdSchema } from '../../sqs/envelope.ts';
import {
  lastTick,
  MAX_SCHEDULED_NAME_CHARACTERS,
  nextTick,
  scheduleSchema,
  tickTaskId,
  tickTime,
} from '../schedule.ts';
import { defineTask } from '../task.ts';
import * as z from 'zod';

const zurich = (cron: string) => ({ cron, timeZone: 'Europe/Zurich' });
const utc = (cron: string) => ({ cron, timeZone: 'UTC' });

/** The first ticks after a time, cut to minutes. */
function ticksAfter(schedule: { cron: string; timeZone: string }, from: string, count: number): string[] {
  const ticks: string[] = [];
  for (let at: Date | undefined = new Date(from); at && ticks.length < count;) {
    at = nextTick(schedule, at);
    if (at) ticks.push(at.toISOString().slice(0, 16));
  }
  return ticks;
}

/** The last ticks up to a time, the oldest first. */
function ticksBefore(schedule: { cron: string; timeZone: string }, until: string, count: number): string[] {
  const ticks: string[] = [];
  for (let at: Date | undefined = new Date(until); at && ticks.length < count;) {
    at = lastTick(schedule, at);
    if (at) ticks.unshift(at.toISOString().slice(0, 16));
    at &&= new Date(at.getTime() - 1);
  }
  return ticks;
}

describe('the ticks of a schedule', () => {
  test.each([
    ['in UTC', utc('0 3 * * *'), '2026-07-01T00:00Z', ['2026-07-01T03:00', '2026-07-02T03:00']],
    [
      'in a time zone east of UTC',
      zurich('0 3 * * *'),
      '2026-07-01T00:00Z',
      ['2026-07-01T01:00', '2026-07-02T01:00'],
    ],
    [
      'in a time zone whose offset is not a whole hour',
      { cron: '0 3 * * *', timeZone: 'Asia/Kathmandu' },
      '2026-07-01T00:00Z',
      ['2026-07-01T21:15', '2026-07-02T21:15'],
    ],
    [
      'on the 31st of the months that have one',
      utc('0 0 31 * *'),
      '2026-01-15T00:00Z',
      ['2026-01-31T00:00', '2026-03-31T00:00', '2026-05-31T00:00'],
    ],
    [
      'on the last day of every month',
      utc('30 23 L * *'),
      '2028-01-15T00:00Z',
      ['2028-01-31T23:30', '2028-02-29T23:30', '2028-03-31T23:30'],
    ],
    [
      'in leap years, and not in 2100',
      utc('0 0 29 2 *'),
      '2095-01-01T00:00Z',
      ['2096-02-29T00:00', '2104-02-29T00:00'],
    ],
    ['on weekdays', utc('15 6 * * MON-FRI'), '2026-11-27T12:00Z', ['2026-11-30T06:15', '2026-12-01T06:15']],
    [
      'on a day of the month or a day of the week, if both are given',
      utc('0 0 13 * 5'),
      '2026-01-10T00:00Z',
      ['2026-01-13T00:00', '2026-01-16T00:00'],
    ],
    [
      'once at the end of the gap, if their time does not exist that night',
      zurich('0 2 * * *'),
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:00'],
    ],
    [
      'once at the end of the gap, if their time is in the middle of it',
      zurich('30 2 * * *'),
      '2026-03-28T12:00Z',
      ['2026-03-29T01:00', '2026-03-30T00:30'],
    ],
    [
      'once, at the first of two equal times of a night',
      zurich('0 2 * * *'),
      '2026-10-24T12:00Z',
      ['2026-10-25T00:00', '2026-10-26T01:00'],
    ],
    [
      'every hour, without the hour that does not exist',
      zurich('30 * * * *'),
      '2026-03-29T00:00Z',
      ['2026-03-29T00:30', '2026-03-29T01:30', '2026-03-29T02:30'],
    ],
    [
      'every hour, also in the hour that comes twice',
      zurich('30 * * * *'),
      '2026-10-25T00:00Z',
      ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'],
    ],
  ])('come %s, the same forwards and backwards', (_what, schedule, from, ticks) => {
    expect(ticksAfter(schedule, from, ticks.length)).toEqual(ticks);
    expect(ticksBefore(schedule, `${ticks.at(-1)}Z`, ticks.length)).toEqual(ticks);
  });

  test('can include the current moment as the last tick, but not as the next one', () => {
    const at = new Date('2026-11-24T03:00:00.000Z');
    expect(lastTick(utc('0 3 * * *'), at)).toEqual(at);
    expect(lastTick(utc('0 3 * * *'), new Date(at.getTime() - 1))).toEqual(new Date('2026-11-23T03:00:00Z'));
    expect(nextTick(utc('0 3 * * *'), at)).toEqual(new Date('2026-11-25T03:00:00Z'));
  });

  test('do not exist if no date matches the expression', () => {
    const at = new Date('2026-11-24T03:00:00Z');
    expect([lastTick(utc('0 0 30 2 *'), at), nextTick(utc('0 0 30 2 *'), at)]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('follow each other without a gap, at any time, in any time zone', () => {
    const field = (least: number, most: number) =>
      fc.oneof(fc.constant('*'), fc.integer({ min: least, max: most }).map(String), fc.constant('*/7'));
    const cron = fc
      .tuple(field(0, 59), field(0, 23), fc.constant('*'), fc.constant('*'), field(0, 6))
      .map((fields) => fields.join(' '));
    const timeZone = fc.constantFrom('UTC', 'Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe');
    // Half of the times are near a change of daylight saving time
    const change = fc.constantFrom(
      '2026-03-29T01:00Z',
      '2026-10-25T01:00Z',
      '2026-03-08T07:00Z',
      '2026-10-03T15:30Z',
    );
    const near = fc.tuple(change, fc.integer({ min: -7_200_000, max: 7_200_000 }));
    const at = fc.oneof(
      near.map(([time, byMs]) => new Date(Date.parse(time) + byMs)),
      fc.date({ min: new Date('2026-01-01'), max: new Date('2030-01-01'), noInvalidDate: true }),
    );
    fc.assert(
      fc.property(cron, timeZone, at, (expression, zone, time) => {
        const schedule = { cron: expression, timeZone: zone };
        const next = nextTick(schedule, time) as Date;
        expect(next.getTime()).toBeGreaterThan(time.getTime());
        expect(lastTick(schedule, next)).toEqual(next);
        const last = lastTick(schedule, new Date(next.getTime() - 1)) as Date;
        expect(last.getTime()).toBeLessThanOrEqual(time.getTime());
        expect(nextTick(schedule, last)).toEqual(next);
      }),
      { numRuns: randomRuns(300) },
    );
  });
});

describe('a schedule', () => {
  test.each([
    ['four fields', utc('0 3 * *')],
    ['six fields', utc('0 0 3 * * *')],
    ['two spaces', utc('0  3 * * *')],
    ['a minute 60', utc('60 3 * * *')],
    ['a word', utc('@daily')],
    ['a day that does not exist', utc('0 0 30 2 *')],
    ['an unknown time zone', { cron: '0 3 * * *', timeZone: 'Europe/Nowhere' }],
    ['an offset in place of a time zone', { cron: '0 3 * * *', timeZone: '+02:00' }],
    ['no time zone', { cron: '0 3 * * *', timeZone: '' }],
  ])('with %s is refused', (_what, schedule) => {
    expect(scheduleSchema.safeParse(schedule).success).toBe(false);
  });

  const contract = {
    name: 'tests.sweep',
    queue: 'default',
    payload: z.object({}),
    result: z.void(),
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 10,
    tracked: true,
    schedule: zurich('0 3 * * *'),
  } as const;
  const longName = `tests.${'s'.repeat(MAX_SCHEDULED_NAME_CHARACTERS - 6)}`;

  test.each([
    ['is not tracked', { tracked: false }, 'tracked: true'],
    ['has a payload that cannot be {}', { payload: z.object({ day: z.string() }) }, 'payload that may be {}'],
    [
      'has a name that is too long for the task ids of its ticks',
      { name: `${longName}s` },
      'at most 98 characters',
    ],
    ['has no cron expression', { schedule: zurich('at three') }, 'expected five fields'],
  ])('is refused if the contract %s', (_what, change, says) => {
    expect(() => defineTask({ ...contract, ...change })).toThrow(says);
  });

  test('gives each tick its own task id, in whole seconds', () => {
    expect(defineTask({ ...contract, name: longName })).toMatchObject({ schedule: contract.schedule });
    const time = tickTime(new Date('2026-11-24T03:00:00.000Z'));
    expect(tickTaskId('tests.sweep', time)).toBe('schedule.tests.sweep.2026-11-24T03:00:00Z');
    expect(taskIdSchema.safeParse(tickTaskId(longName, time)).success).toBe(true);
  });
});
