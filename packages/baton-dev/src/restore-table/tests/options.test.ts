import { describe, expect, test } from '@jest/globals';
import { readOptions, USAGE, UsageError } from '../options.ts';
import { copyName } from '../point-in-time.ts';

describe('the command line', () => {
  test('names a table of a stage, and a point in time in any zone', () => {
    const options = readOptions(['orders', '--stage', 'prod', '--at', '2026-11-30T13:00:00+01:00']);
    expect(options).toMatchObject({ table: 'orders', stage: 'prod', write: false, overwrite: false });
    expect(options.at?.toISOString()).toBe('2026-11-30T12:00:00.000Z');
    expect(copyName('baton-prod-orders', options.at ?? new Date())).toBe(
      'baton-prod-orders-at-20261130T120000Z',
    );
  });

  test.each([
    ['', 'Expected the name of one table, such as orders, got none'],
    ['orders extra', 'Expected the name of one table, such as orders, got orders extra'],
    ['orders', '--stage: expected a stage such as prod, got none'],
    ['orders --stage prod', 'Expected either --at TIME or --from COPY'],
    ['orders --stage prod --at 2026-11-30T12:00:00Z --from copy', 'Expected either --at TIME or --from COPY'],
    ['orders --stage prod --at 2026-11-30T12:00:00', '--at: expected a time with its zone'],
    ['orders --stage prod --at yesterday', '--at: expected a time with its zone'],
    ['orders --stage prod --from a/b', '--from: expected the whole name of a table, got a/b'],
    ['tasks --stage prod --from copy --overwrite', '--overwrite: not for tasks'],
    ['orders --stage prod --drop', "Unknown option '--drop'"],
  ])('is refused as %j, with what is expected', (line, says) => {
    const read = () => readOptions(line.split(' ').filter((word) => word !== ''));
    expect(read).toThrow(says);
    expect(read).toThrow(UsageError);
  });

  test('has a usage, which names every option', () => {
    expect(readOptions(['--help']).help).toBe(true);
    for (const option of ['--stage', '--at', '--from', '--write', '--word', '--overwrite'])
      expect(USAGE).toContain(`  ${option} `);
  });
});
