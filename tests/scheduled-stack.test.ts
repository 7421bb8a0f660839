import { expect, jest, test } from '@jest/globals';
import { defineTask } from '@baton/common/queue/task';
import * as z from 'zod';

const contract = defineTask({
  name: 'tests.sweep',
  queue: 'default',
  payload: z.object({}),
  result: z.void(),
  retry: { maxAttempts: 1, baseSeconds: 1 },
  timeoutSeconds: 10,
  tracked: true,
  schedule: { cron: '0 3 * * *', timeZone: 'UTC' },
});
jest.unstable_mockModule('../common/contracts/scheduled.ts', () => ({ scheduledContracts: [contract] }));

test('the stack has the schedules of the contracts, behind what its parts have', async () => {
  const { resources } = await import('../services.js');
  const all = await resources();
  expect(all.slice(0, -1)).toContain('${file(./worker/functions.yml):resources, null}');
  expect(Object.keys((all.at(-1) as { Resources: object }).Resources)).toEqual([
    'TestsSweepSchedule',
    'SchedulesRole',
  ]);
});
