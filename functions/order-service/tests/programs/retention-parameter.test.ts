import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

test('how long a deploy keeps orders is a parameter, and both functions know it', async () => {
  const args = ['print', '--param=order-retention-days=60'];
  const program = new Program('node_modules/serverless/bin/serverless.js', {}, args);
  await expect(program.ended()).resolves.toBe(0);
  expect(program.output.match(/ORDER_RETENTION_DAYS: .*/g)).toEqual(
    Array.from({ length: 2 }, () => "ORDER_RETENTION_DAYS: '60'"),
  );
});
