import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

test('a tracked task delayed for days runs once, on time and as attempt 1, whatever happens to its workers', async () => {
  const delays = new Program('packages/baton/tests/model/delays.ts', {}, ['--times', '2']);
  const status = await delays.ended();
  expect(delays.output).not.toContain('a promise was broken');
  // Two hops a day, because SQS hides a message for at most 12 h; and a copy before SQS drops a message after 7 days
  expect(delays.output).toMatch(/^3 days, nothing: at most \d+ ms late, 7 hops, 1 messages$/m);
  expect(delays.output).toMatch(/^14 days, nothing: at most \d+ ms late, 29 hops, 3 messages$/m);
  expect(status).toBe(0);
}, 60_000);
