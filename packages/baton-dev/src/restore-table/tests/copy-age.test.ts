import { expect, test } from '@jest/globals';
import { checkAge } from '../copy-age.ts';
import { RestoreError } from '../point-in-time.ts';

const NOW_MS = Date.parse('2026-11-30T12:00:00Z');
const check = (RestoreDateTime: Date | undefined) => () => {
  checkAge({ TableName: 'it', RestoreSummary: { RestoreDateTime, RestoreInProgress: false } }, NOW_MS);
};

test('a copy of the last 35 days, to the second, may bring rows back', () => {
  expect(check(new Date('2026-10-26T12:00:00Z'))).not.toThrow();
  expect(check(new Date(NOW_MS))).not.toThrow();
});

test.each([
  ['an older copy', check(new Date('2026-10-26T11:59:59Z')), 'it is of 2026-10-26T11:59:59.000Z: expected'],
  ['a copy of an unknown time', check(undefined), 'It is unknown which time it is of: expected'],
  [
    'a table that DynamoDB did not restore',
    () => {
      checkAge({ TableName: 'it' }, NOW_MS);
    },
    'It is unknown which time it is of: expected one of the last 35 days, or --old-copy',
  ],
])('%s may not', (_what, checked, says) => {
  expect(checked).toThrow(says);
  expect(checked).toThrow(RestoreError);
});
