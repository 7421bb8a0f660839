// The schedules of the stack on AWS.
import type { TaskContract } from 'baton-tasks';
import { tickBody } from 'baton-tasks/tooling';
import { allow } from './access.ts';
import { awsExpression } from './aws-cron.ts';
import { role } from './role.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, queueArn, type Resource, type Resources } from '../stack/resources.ts';

/** EventBridge Scheduler replaces it by 2026-11-24T03:00:00Z (its User Guide, "Adding context attributes"). */
const TIME = '<aws.scheduler.scheduled-time>';

/**
 * Makes the resources that send the ticks of `contracts`: a schedule for each, and one role that may only send to their
 * queues. Empty if no contract has a schedule.
 *
 * It uses EventBridge Scheduler, because rules of EventBridge know no time zones. At a clock change it skips a missing time,
 * while a worker sends that tick at the end of the gap (EventBridge Scheduler User Guide, "Schedule types").
 *
 * @throws StackError that names the contract and the field that AWS cannot express
 */
export function scheduleResources(contracts: readonly TaskContract[], stage: string): Resources {
  const scheduled = contracts.filter(({ schedule }) => schedule);
  if (scheduled.length === 0) return {};
  const arnOfQueue = (queue: string) => queueArn(`baton-${stage}-${queue}`);
  const schedules = scheduled.map((contract): [string, Resource] => [
    logicalId(contract.name),
    scheduleOf(contract, arnOfQueue(contract.queue)),
  ]);
  const ids = schedules.map(([id]) => id);
  const twice = scheduled.find(({ name }, index) => ids.indexOf(logicalId(name)) !== index);
  if (twice)
    throw new StackError(
      `${twice.name} and another contract have the logical id ${logicalId(twice.name)}: expected names that differ in letters or digits`,
    );
  const queues = [...new Set(scheduled.map(({ queue }) => queue))];
  const statements = [allow(['sqs:SendMessage'], queues.map(arnOfQueue))];
  return {
    ...Object.fromEntries(schedules),
    // So that no schedule of another account may use it
    SchedulesRole: role({ service: 'scheduler.amazonaws.com', statements, ownAccountOnly: true }),
  };
}

function scheduleOf(contract: TaskContract, queue: unknown): Resource {
  const { name, schedule } = contract;
  const { cron = '', timeZone = '' } = schedule ?? {};
  return {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Description: `Sends ${name} at ${cron} of ${timeZone}`,
      ScheduleExpression: awsExpression(cron, name),
      ScheduleExpressionTimezone: timeZone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: queue, RoleArn: arnOf('SchedulesRole'), Input: tickBody(contract, TIME) },
    },
  };
}

/** The logical id of a contract's schedule: PaymentsSweepOldSchedule for `payments.sweep-old`. */
function logicalId(name: string): string {
  const words = name.split(/[.-]/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join('')}Schedule`;
}
