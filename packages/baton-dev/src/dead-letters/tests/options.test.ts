import { expect, test } from '@jest/globals';
import { DEAD_LETTER_REASONS } from 'baton-tasks/tooling';
import { readOptions, USAGE, UsageError } from '../options.ts';

const reasons = [...Object.keys(DEAD_LETTER_REASONS), 'none'];

test.each(reasons)('--reason %s is understood, and the usage says what it means', (reason) => {
  expect(readOptions(['payments', '--reason', reason], {})).toMatchObject({ queue: 'payments', reason });
  expect(USAGE).toMatch(new RegExp(`^  ${reason} +\\w.+$`, 'm'));
});

test('no line of the usage is longer than 120 characters', () => {
  expect(USAGE.split('\n').filter((line) => line.length > 120)).toEqual([]);
});

test.each(['expird', '', 'Rejected', 'toString'])(
  '--reason %j is refused with the reasons that there are',
  (reason) => {
    const read = () => readOptions(['payments', '--reason', reason], {});
    expect(read).toThrow(`--reason: expected one of ${reasons.join(', ')}, got ${reason}`);
    expect(read).toThrow(UsageError);
  },
);
