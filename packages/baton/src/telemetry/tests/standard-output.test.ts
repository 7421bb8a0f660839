import { expect, jest, test } from '@jest/globals';
import type * as StandardOutput from '../standard-output.ts';

const MODULE = '../standard-output.ts';

/** Loads a copy of the module, as each test file does, and opens its output. */
async function openOutput(): Promise<object> {
  jest.resetModules();
  const { standardOutput } = (await import(MODULE)) as typeof StandardOutput;
  return standardOutput({ service: 'tests', format: (line) => line });
}

test('copies of the module share one listener for errors of standard output and standard error', async () => {
  const listeners = () => [process.stdout, process.stderr].map((stream) => stream.listenerCount('error'));
  const first = await openOutput();
  const before = listeners();
  expect(Math.min(...before)).toBeGreaterThan(0);
  await expect(openOutput()).resolves.not.toBe(first);
  expect(listeners()).toEqual(before);
});
