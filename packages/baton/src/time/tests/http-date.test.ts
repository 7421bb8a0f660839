import { expect, test } from '@jest/globals';
import { ClockWatch } from '../clock-watch.ts';
import { httpDateMs } from '../http-date.ts';

const NOW_MS = Date.parse('2026-11-24T10:00:00.000Z');
const DATES = [
  'Tue, 24 Nov 2026 10:00:00 GMT',
  'Tuesday, 24-Nov-26 10:00:00 GMT',
  'Tue Nov 24 10:00:00 2026',
];
const NO_DATES = [
  '',
  '0',
  '1',
  '2026',
  '2026-11-24',
  '2026-11-24T10:00:00Z',
  'Tue, 24 Nov 2026 10:00:00',
  'Tue, 24 Nov 2026 10:00:00 UTC',
  'Tue, 24 Nov 2026 10:00:00 +0200',
  'Tue, 24 Nov 2026 10:00:00 GMT+0200',
  'Tue Nov 24 10:00:00 2026 GMT',
  'Xyz, 24 Nov 2026 10:00:00 GMT',
  'Tue, 31 Feb 2026 10:00:00 GMT',
  'Tue, 00 Nov 2026 10:00:00 GMT',
  'Tue, 24 Nov 2026 24:00:00 GMT',
  'Tue, 24 Nov 2026 10:60:00 GMT',
  'tue, 24 nov 2026 10:00:00 gmt',
];

test.each(DATES)('%j is read as UTC', (text) => {
  expect(httpDateMs(text, NOW_MS)).toBe(NOW_MS);
});

test.each(NO_DATES)('%j is not an HTTP date', (text) => {
  expect(httpDateMs(text, NOW_MS)).toBeUndefined();
});

test('the year 0094 is not the year 1994', () => {
  expect(httpDateMs('Sun, 06 Nov 0094 08:49:37 GMT', NOW_MS)).toBe(Date.parse('0094-11-06T08:49:37.000Z'));
});

test.each([...DATES, ...NO_DATES])(
  'a right clock does not seem wrong, even if all answers have the Date header %j',
  (date) => {
    const watch = new ClockWatch('SQS', { now: () => NOW_MS, elapsed: () => 0 });
    for (let answer = 0; answer < 3; answer += 1) watch.hear(date, 0);
    const isDate = DATES.includes(date);
    expect([watch.nowMs, watch.differs, watch.skewSeconds]).toEqual([NOW_MS, false, isDate ? 0 : null]);
  },
);
