import { describe, expect, test } from '@jest/globals';
import { decodeEnvelope, tickTaskId, tickTime } from 'baton-tasks/tooling';
import { defineTask, type TaskContract } from 'baton-tasks';
import { awsExpression } from '../aws-cron.ts';
import { scheduleResources } from '../schedules.ts';
import { Cron } from 'croner';
import * as fc from 'fast-check';
import * as z from 'zod';
import { randomRuns } from '../../testing/random-runs.ts';

function scheduled(cron: string, change: Partial<TaskContract> = {}): TaskContract {
  return defineTask({
    name: 'tests.sweep-old',
    queue: 'default',
    payload: z.object({ days: z.int().default(30) }),
    result: z.void(),
    retry: { maxAttempts: 1, baseSeconds: 1 },
    timeoutSeconds: 10,
    tracked: true,
    schedule: { cron, timeZone: 'Europe/Zurich' },
    ...change,
  });
}

describe('a cron expression in the form of AWS', () => {
  test.each([
    ['0 3 * * *', 'cron(0 3 * * ? *)'],
    ['* * * * *', 'cron(* * * * ? *)'],
    ['0 0 ? * ?', 'cron(0 0 * * ? *)'],
    ['00 03 * * *', 'cron(0 3 * * ? *)'],
    ['*/15 * * * *', 'cron(0,15,30,45 * * * ? *)'],
    ['*/60 * * * *', 'cron(0 * * * ? *)'],
    ['0 */6 * * *', 'cron(0 0,6,12,18 * * ? *)'],
    ['5,10-20/5 22-23 * * *', 'cron(5,10,15,20 22-23 * * ? *)'],
    ['0 0 1,15 * *', 'cron(0 0 1,15 * ? *)'],
    ['0 0 */10 * *', 'cron(0 0 1,11,21,31 * ? *)'],
    ['0 0 1 JAN,jul *', 'cron(0 0 1 1,7 ? *)'],
    ['0 0 1 MAR-MAY,12 *', 'cron(0 0 1 3-5,12 ? *)'],
    ['0 0 1 */3 *', 'cron(0 0 1 1,4,7,10 ? *)'],
    ['0 0 L * *', 'cron(0 0 L * ? *)'],
    ['0 0 15W * *', 'cron(0 0 15W * ? *)'],
    ['0 9 * * 1-5', 'cron(0 9 ? * MON-FRI *)'],
    ['0 9 * * mon-fri', 'cron(0 9 ? * MON-FRI *)'],
    ['0 9 * * 0', 'cron(0 9 ? * SUN *)'],
    ['0 9 * * 7', 'cron(0 9 ? * SUN *)'],
    ['0 9 * * 6', 'cron(0 9 ? * SAT *)'],
    ['0 9 * * 5-7', 'cron(0 9 ? * SUN,FRI-SAT *)'],
    ['0 9 * * SAT-SUN', 'cron(0 9 ? * SUN,SAT *)'],
    ['0 9 * * */2', 'cron(0 9 ? * SUN,TUE,THU,SAT *)'],
    ['0 9 * * 5L', 'cron(0 9 ? * 6L *)'],
    ['0 9 * * FRI#L', 'cron(0 9 ? * 6L *)'],
    ['0 9 * * 7#2', 'cron(0 9 ? * 1#2 *)'],
    ['0 9 * * MON#1', 'cron(0 9 ? * 2#1 *)'],
  ])('%s is %s', (cron, aws) => {
    expect(() => scheduled(cron)).not.toThrow();
    expect(awsExpression(cron, 'tests.sweep')).toBe(aws);
  });

  test.each([
    ['0 0 13 * 5', 'day of the month and day of the week: expected * in one of them, or two contracts'],
    ['0 0 */1 * 5', 'day of the month and day of the week'],
    ['0 0 1 * +MON', 'day of the month and day of the week'],
    ['0 0 * * +MON', 'day of the week: AWS cannot express +MON'],
    ['0 0 LW * *', 'day of the month: AWS cannot express LW'],
    ['0 0 1,L * *', 'day of the month: AWS cannot express 1,L'],
    ['0 0 * * 1,5L', 'day of the week: AWS cannot express 1,5L'],
    ['0 0 * * 5-6#2', 'day of the week: AWS cannot express 5-6#2'],
  ])('%s, which AWS cannot express, is refused with contract and field', (cron, says) => {
    expect(() => scheduled(cron)).not.toThrow();
    expect(() => awsExpression(cron, 'tests.sweep')).toThrow(
      `The schedule of tests.sweep, ${cron}, cannot be translated`,
    );
    expect(() => awsExpression(cron, 'tests.sweep')).toThrow(says);
  });

  test('matches the same times', () => {
    const value = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String);
    const range = (least: number, most: number) =>
      fc
        .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
        .map((ends) => ends.toSorted((one, other) => one - other).join('-'));
    const step = (least: number, most: number) =>
      fc.tuple(fc.oneof(fc.constant('*'), range(least, most)), value(1, most)).map((pair) => pair.join('/'));
    const field = (least: number, most: number) => {
      const part = fc.oneof(value(least, most), range(least, most), step(least, most));
      return fc.oneof(
        fc.constant('*'),
        fc.array(part, { minLength: 1, maxLength: 3 }).map((list) => list.join(',')),
      );
    };
    const days = fc.oneof(
      field(1, 28).map((day) => [day, '*']),
      field(0, 7).map((day) => ['*', day]),
      fc.constantFrom(
        ['L', '*'],
        ['15W', '*'],
        ['*', '5L'],
        ['*', 'SUN#2'],
        ['*', 'FRI-SUN'],
        ['*', 'TUE,thu'],
      ),
    );
    const cron = fc
      .tuple(field(0, 59), field(0, 23), days, field(1, 12))
      .map(([minute, hour, [day = '', weekday = ''], month]) =>
        [minute, hour, day, month, weekday].join(' '),
      );
    const from = new Date('2026-01-31T22:11:00Z');
    fc.assert(
      fc.property(cron, (expression) => {
        const aws = awsExpression(expression, 'tests.sweep').slice('cron('.length, -1);
        // AWS numbers the days of the week as Quartz does
        const counterpart = new Cron(`0 ${aws}`, { timezone: 'UTC', alternativeWeekdays: true });
        expect(aws.length).toBeLessThan(250);
        expect(counterpart.nextRuns(10, from)).toEqual(
          new Cron(expression, { timezone: 'UTC' }).nextRuns(10, from),
        );
      }),
      { numRuns: randomRuns(300) },
    );
  });
});

describe('the resources of schedules', () => {
  const contract = scheduled('0 3 * * *');
  const onOther = scheduled('0 4 * * *', { name: 'tests.mail', queue: 'letters', version: 2 });
  const resources = scheduleResources(
    [contract, onOther, scheduled('0 5 * * *', { name: 'tests.late' })],
    'dev',
  );
  const { TestsSweepOldSchedule: schedule, SchedulesRole: role } = resources as unknown as Record<
    string,
    { Properties: Record<string, unknown> }
  >;
  const arnOf = (queue: string) => ({
    'Fn::Sub': `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:baton-dev-${queue}`,
  });

  test('are one schedule for each contract, in its time zone, to its queue, exact to the second', () => {
    expect(Object.keys(resources)).toEqual([
      'TestsSweepOldSchedule',
      'TestsMailSchedule',
      'TestsLateSchedule',
      'SchedulesRole',
    ]);
    expect(schedule).toMatchObject({
      Type: 'AWS::Scheduler::Schedule',
      Properties: {
        ScheduleExpression: 'cron(0 3 * * ? *)',
        ScheduleExpressionTimezone: 'Europe/Zurich',
        FlexibleTimeWindow: { Mode: 'OFF' },
        Target: { Arn: arnOf('default'), RoleArn: { 'Fn::GetAtt': ['SchedulesRole', 'Arn'] } },
      },
    });
  });

  test('send the same task as a worker at that tick, so that it runs once', () => {
    const { Input } = (schedule?.Properties['Target'] ?? {}) as { Input: string };
    const time = tickTime(new Date('2026-11-24T02:00:00.000Z'));
    const envelope = decodeEnvelope(Input.replaceAll('<aws.scheduler.scheduled-time>', time));
    expect(envelope).toMatchObject({
      taskId: tickTaskId(contract.name, time),
      task: contract.name,
      source: 'scheduler',
      time: '2026-11-24T02:00:00Z',
      data: { days: 30 },
    });
    expect(contract.payload.parse(envelope.data)).toEqual({ days: 30 });
  });

  test("send the contract's version", () => {
    const target = resources['TestsMailSchedule']?.Properties.Target as { Input: string } | undefined;
    const body = (target?.Input ?? '').replaceAll('<aws.scheduler.scheduled-time>', '2026-11-24T02:00:00Z');
    expect(decodeEnvelope(body)).toMatchObject({ task: 'tests.mail', version: 2 });
  });

  test('may only send to those queues, and only for this account', () => {
    const { Policies, AssumeRolePolicyDocument } = (role as { Properties: Record<string, unknown> })
      .Properties;
    expect(Policies).toMatchObject([
      {
        PolicyDocument: {
          Statement: [
            {
              Effect: 'Allow',
              Action: 'sqs:SendMessage',
              Resource: [arnOf('default'), arnOf('letters')],
            },
          ],
        },
      },
    ]);
    expect(AssumeRolePolicyDocument).toMatchObject({
      Statement: [
        {
          Principal: { Service: 'scheduler.amazonaws.com' },
          Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    });
  });

  test('do not exist without a schedule, and never share a name', () => {
    const { schedule: _none, ...unscheduled } = contract;
    expect(scheduleResources([unscheduled], 'dev')).toEqual({});
    const alike = scheduled('0 5 * * *', { name: 'tests.sweep.old' });
    expect(() => scheduleResources([contract, alike], 'dev')).toThrow('tests.sweep.old and another contract');
  });
});
