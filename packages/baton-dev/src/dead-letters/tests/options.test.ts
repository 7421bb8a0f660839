import { userInfo } from 'node:os';
import { expect, test } from '@jest/globals';
import { DEAD_LETTER_REASONS } from 'baton-tasks/tooling';
import { readOptions, USAGE, UsageError } from '../options.ts';

const reasons = [...Object.keys(DEAD_LETTER_REASONS), 'none'];

test.each(reasons)('--reason %s is accepted, and the usage explains it', (reason) => {
  expect(readOptions(['payments', '--reason', reason], {})).toMatchObject({ queue: 'payments', reason });
  expect(USAGE).toMatch(new RegExp(`^  ${reason} +\\w.+$`, 'm'));
});

test('--by says who puts back, by default the user of this machine', () => {
  const { username } = userInfo();
  expect(readOptions(['payments', '--put-back', '--by', 'o. hara'], {})).toMatchObject({ by: 'o. hara' });
  expect(readOptions(['payments', '--put-back'], {})).toMatchObject({ by: username });
  for (const by of ['', 'ö', 'n'.repeat(101)])
    expect(() => readOptions(['payments', '--by', by], {})).toThrow('--by: expected a name of 1 to 100');
});

test('lines of the usage have at most 120 characters', () => {
  expect(USAGE.split('\n').filter((line) => line.length > 120)).toEqual([]);
});

test.each(['expird', '', 'Rejected', 'toString'])(
  '--reason %j is refused with the list of reasons',
  (reason) => {
    const read = () => readOptions(['payments', '--reason', reason], {});
    expect(read).toThrow(`--reason: expected one of ${reasons.join(', ')}, got ${reason}`);
    expect(read).toThrow(UsageError);
  },
);
