import { expect, jest, test } from '@jest/globals';
import { defineTask } from 'baton-tasks';
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
// Any file of contracts may have a schedule
jest.unstable_mockModule('../../../../../common/contracts/scheduled.ts', () => ({
  scheduledContracts: [],
  contract,
}));

/** The values that Serverless gives for the variables of the stack. */
async function resolveVariable(variable: string): Promise<unknown> {
  return variable === 'sls:stage' ? 'dev' : undefined;
}

test('the stack has the schedules of the contracts, beside the resources of its parts', async () => {
  const { resources } = await import('../services.js');
  const { Resources } = await resources({ resolveVariable });
  expect(Resources).toMatchObject({
    DefaultQueue: { Type: 'AWS::SQS::Queue' },
    TestsSweepSchedule: { Type: 'AWS::Scheduler::Schedule' },
    SchedulesRole: { Type: 'AWS::IAM::Role' },
  });
});
