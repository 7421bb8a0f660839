import type { TaskContract } from 'baton-tasks';
import { encodeEnvelope, SCHEDULER_SOURCE, tickTaskId } from 'baton-tasks/tooling';
import { allow } from './access.ts';
import { awsExpression } from './aws-cron.ts';
import { role } from './role.ts';
import { StackError } from '../stack/stack-error.ts';
import { arnOf, queueArn, type Resource, type Resources } from '../stack/resources.ts';

/** What EventBridge Scheduler puts in its place: 2026-11-24T03:00:00Z ("Adding context attributes", its User Guide). */
const TIME = '<aws.scheduler.scheduled-time>';

/**
 * The CloudFormation resources that send the ticks of `contracts`: a schedule each, and one role that may send to their
 * queues and nothing else. None where none has a schedule.
 *
 * EventBridge has two ways: rules, which know no time zones, and EventBridge Scheduler, which does and is used here. It
 * differs where clocks change: a time that is left out is skipped, where a worker's tick comes when the gap ends
 * (EventBridge Scheduler User Guide, "Schedule types").
 *
 * @throws StackError naming the contract and the field that AWS cannot express
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
      `${twice.name} and another contract would be one resource, ${logicalId(twice.name)}`,
    );
  const queues = [...new Set(scheduled.map(({ queue }) => queue))];
  const statements = [allow(['sqs:SendMessage'], queues.map(arnOfQueue))];
  return {
    ...Object.fromEntries(schedules),
    // No schedule of another account may use it
    SchedulesRole: role({ service: 'scheduler.amazonaws.com', statements, ownAccountOnly: true }),
  };
}

function scheduleOf({ name, version, schedule }: TaskContract, queue: unknown): Resource {
  const { cron = '', timeZone = '' } = schedule ?? {};
  const taskId = tickTaskId(name, TIME);
  // Its payload's defaults are filled in by whoever runs it
  const envelope = {
    taskId,
    task: name,
    version,
    source: SCHEDULER_SOURCE,
    time: TIME,
    trace: undefined,
    data: {},
  };
  return {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Description: `Sends ${name} at ${cron} of ${timeZone}`,
      ScheduleExpression: awsExpression(cron, name),
      ScheduleExpressionTimezone: timeZone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: { Arn: queue, RoleArn: arnOf('SchedulesRole'), Input: encodeEnvelope(envelope) },
    },
  };
}

/** A contract's name, such as `payments.sweep-old`, gives PaymentsSweepOldSchedule. */
function logicalId(name: string): string {
  const words = name.split(/[.-]/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join('')}Schedule`;
}
