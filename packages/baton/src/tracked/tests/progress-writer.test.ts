import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ProgressWriter } from '../progress-writer.ts';
import { createLogger } from '../../telemetry/logger.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('progress is written in the order of its reports, even if the first write is slow', async () => {
  const written: number[] = [];
  const first = Promise.withResolvers<void>();
  const logger = createLogger({ service: 'tests', level: 'silent' });
  const writer = new ProgressWriter(async ({ fraction }) => {
    if (fraction < 0.5) await first.promise;
    written.push(fraction);
  }, logger);
  writer.report({ fraction: 0.1 });
  await jest.advanceTimersByTimeAsync(1100);
  writer.report({ fraction: 0.9 });
  await jest.advanceTimersByTimeAsync(1100);
  expect(written).toEqual([]);
  const stopped = writer.stop();
  first.resolve();
  await stopped;
  expect(written).toEqual([0.1, 0.9]);
});
