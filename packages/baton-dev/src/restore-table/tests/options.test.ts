import { describe, expect, test } from '@jest/globals';
import { readOptions, USAGE, UsageError } from '../options.ts';
import { copyName } from '../point-in-time.ts';

describe('the command line', () => {
  test('names a table of a stage, and a point in time in any zone', () => {
    const options = readOptions(['payments', '--stage', 'prod', '--at', '2026-11-30T13:00:00+01:00']);
    expect(options).toMatchObject({ table: 'payments', stage: 'prod', write: false, overwrite: false });
    expect(options.at?.toISOString()).toBe('2026-11-30T12:00:00.000Z');
    expect(copyName('baton-prod-payments', options.at ?? new Date())).toBe(
      'baton-prod-payments-at-20261130T120000Z',
    );
  });

  test.each([
    ['', 'Expected the name of one table, such as payments, got none'],
    ['payments extra', 'Expected the name of one table, such as payments, got payments extra'],
    ['payments', '--stage: expected a stage such as prod, got none'],
    ['payments --stage prod', 'Expected either --at TIME or --from COPY'],
    [
      'payments --stage prod --at 2026-11-30T12:00:00Z --from copy',
      'Expected either --at TIME or --from COPY',
    ],
    ['payments --stage prod --at 2026-11-30T12:00:00', '--at: expected a time with its zone'],
    ['payments --stage prod --at yesterday', '--at: expected a time with its zone'],
    ['payments --stage prod --from a/b', '--from: expected the whole name of a table, got a/b'],
    ['tasks --stage prod --from copy --overwrite', '--overwrite: not for tasks'],
    ['payments --stage prod --drop', "Unknown option '--drop'"],
  ])('is refused as %j, with what is expected', (line, says) => {
    const read = () => readOptions(line.split(' ').filter((word) => word !== ''));
    expect(read).toThrow(says);
    expect(read).toThrow(UsageError);
  });

  test('has a usage, which names every option', () => {
    expect(readOptions(['--help']).help).toBe(true);
    for (const option of ['--stage', '--at', '--from', '--write', '--word', '--overwrite', '--old-copy'])
      expect(USAGE).toContain(`  ${option} `);
  });
});
