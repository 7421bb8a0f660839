import { expect, test } from '@jest/globals';
import { Program } from 'baton-dev/testing/program';

test('a signal that comes while a program still loads stops it once it has started', async () => {
  const program = new Program('packages/baton/src/process/tests/slow-start.ts', {});
  await program.says('loading');
  program.signal('SIGTERM');
  await expect(program.ended()).resolves.toBe(0);
  expect(program.output).toBe('loading\nloaded after SIGTERM\nstopped\n');
});
