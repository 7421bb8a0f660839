// The schedules of contracts as AWS runs them, from the same line. EventBridge has two ways: rules, which know no time
// zones, and EventBridge Scheduler, which does and is used here. It differs where clocks change: a time that is left
// out is skipped, where a worker's tick comes when the gap ends (EventBridge Scheduler User Guide, "Schedule types").
import { encodeEnvelope } from './common/queue/envelope.ts';
import { tickTaskId } from './common/queue/schedule.ts';

/** @import { TaskContract } from './common/queue/task.ts' */
/** @typedef {{ name: string, least: number, most: number, words?: readonly string[] }} Field */

/** What EventBridge Scheduler puts in its place: 2026-11-24T03:00:00Z ("Adding context attributes", same guide). */
const TIME = '<aws.scheduler.scheduled-time>';
/** Who sends, in the envelopes. */
const SOURCE = 'scheduler';
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
const MONTHS = ['', 'JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const MINUTE = { name: 'minute', least: 0, most: 59 };
const HOUR = { name: 'hour', least: 0, most: 23 };
const DAY_OF_MONTH = { name: 'day of the month', least: 1, most: 31 };
const MONTH = { name: 'month', least: 1, most: 12, words: MONTHS };
const DAY_OF_WEEK = { name: 'day of the week', least: 0, most: 7, words: DAYS };

/**
 * The CloudFormation resources that send the ticks of `contracts`: a schedule each, and one role that may send to their
 * queues and nothing else. None where none has a schedule.
 *
 * @param {readonly TaskContract[]} contracts
 * @throws Error naming the contract and the field that AWS cannot express
 */
export function scheduleResources(contracts) {
  const scheduled = contracts.filter(({ schedule }) => schedule);
  if (scheduled.length === 0) return {};
  const schedules = scheduled.map((contract) => [logicalId(contract.name), scheduleOf(contract)]);
  const ids = schedules.map(([id]) => id);
  const twice = scheduled.find(({ name }, index) => ids.indexOf(logicalId(name)) !== index);
  if (twice)
    throw new Error(`${twice.name} and another contract would be one resource, ${logicalId(twice.name)}`);
  const queues = [...new Set(scheduled.map(({ queue }) => queue))];
  return { ...Object.fromEntries(schedules), SchedulesRole: roleFor(queues) };
}

/**
 * A cron expression of five fields as EventBridge Scheduler has it: six fields, one of the two for days `?`, days of the
 * week by their names, for AWS counts them from 1, steps as the values that they mean.
 *
 * @param {string} cron - one that a contract has taken
 * @param {string} name - of the contract, for the error
 * @throws Error naming the contract and the field that AWS cannot express
 */
export function awsExpression(cron, name) {
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = cron.toUpperCase().split(' ');
  /** @type {(where: string, why: string) => never} */
  const refuse = (where, why) => {
    throw new Error(`The schedule of ${name}, ${cron}, cannot be one of AWS's: ${where}: ${why}`);
  };
  if (!isAny(dayOfMonth) && !isAny(dayOfWeek))
    refuse(`${DAY_OF_MONTH.name} and ${DAY_OF_WEEK.name}`, 'expected * in one of them, or two contracts');
  /** @type {(text: string, field: Field) => string} */
  const plain = (text, field) => plainField(text, field) ?? refuse(field.name, `${text} has no counterpart`);
  const days = isAny(dayOfWeek)
    ? [isAny(dayOfMonth) ? '*' : (specialDayOfMonth(dayOfMonth) ?? plain(dayOfMonth, DAY_OF_MONTH)), '?']
    : ['?', specialDayOfWeek(dayOfWeek) ?? plain(dayOfWeek, DAY_OF_WEEK)];
  const [first, last] = days;
  const fields = [plain(minute, MINUTE), plain(hour, HOUR), first, plain(month, MONTH), last, '*'];
  return `cron(${fields.join(' ')})`;
}

/** @param {TaskContract} contract */
function scheduleOf({ name, version, queue, schedule }) {
  const { cron = '', timeZone = '' } = schedule ?? {};
  const taskId = tickTaskId(name, TIME);
  // Its payload's defaults are filled in by whoever runs it
  const envelope = { taskId, task: name, version, source: SOURCE, time: TIME, trace: undefined, data: {} };
  return {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      Description: `Sends ${name} at ${cron} of ${timeZone}`,
      ScheduleExpression: awsExpression(cron, name),
      ScheduleExpressionTimezone: timeZone,
      FlexibleTimeWindow: { Mode: 'OFF' },
      Target: {
        Arn: arnOf(queue),
        RoleArn: { 'Fn::GetAtt': ['SchedulesRole', 'Arn'] },
        Input: encodeEnvelope(envelope),
      },
    },
  };
}

/** @param {readonly string[]} queues */
function roleFor(queues) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { Service: 'scheduler.amazonaws.com' },
            Action: 'sts:AssumeRole',
            // No schedule of another account may use it
            Condition: { StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'send-ticks',
          PolicyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: 'sqs:SendMessage', Resource: queues.map(arnOf) }],
          },
        },
      ],
    },
  };
}

/** @param {string} queue */
function arnOf(queue) {
  const name = `baton-\${sls:stage}-${queue}`;
  return { 'Fn::Sub': `arn:\${AWS::Partition}:sqs:\${AWS::Region}:\${AWS::AccountId}:${name}` };
}

/** @param {string} name - such as `orders.sweep-old`, which gives OrdersSweepOldSchedule */
function logicalId(name) {
  const words = name.split(/[.-]/).map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join('')}Schedule`;
}

/** @param {string} text */
function isAny(text) {
  return text === '*' || text === '?';
}

/**
 * A field of values, ranges and steps; undefined where it has anything else.
 *
 * @param {string} text
 * @param {Field} field
 */
function plainField(text, field) {
  if (isAny(text)) return '*';
  const parts = text.split(',').map((part) => valuesOf(part, field));
  if (parts.includes(undefined)) return undefined;
  const values = parts.flatMap((part) => part ?? []);
  // Sunday is 0 and 7
  const inField = field === DAY_OF_WEEK ? values.map((value) => value % DAYS.length) : values;
  const distinct = [...new Set(inField)].toSorted((one, other) => one - other);
  return inRuns(distinct, (value) => (field === DAY_OF_WEEK ? (DAYS[value] ?? '') : String(value)));
}

/**
 * Values as AWS lists them, those that follow each other as ranges: an expression has at most 256 characters.
 *
 * @param {readonly number[]} values - distinct, in their order
 * @param {(value: number) => string} textOf
 */
function inRuns(values, textOf) {
  const starts = values.filter((value) => !values.includes(value - 1));
  const ends = values.filter((value) => !values.includes(value + 1));
  return starts
    .map((start, index) => [start, ends[index] ?? start])
    .map(([start = 0, end = 0]) => (start === end ? textOf(start) : `${textOf(start)}-${textOf(end)}`))
    .join(',');
}

/**
 * The values of one part of a field, such as `5`, `MON-FRI` or an asterisk with a step; undefined where it is none of
 * these.
 *
 * @param {string} part
 * @param {Field} field
 */
function valuesOf(part, { least, most, words = [] }) {
  const [, any, from = '', to = from, step = '1'] =
    /^(?:([*?])|(\d+|[A-Z]{3})(?:-(\d+|[A-Z]{3}))?)(?:\/(\d+))?$/.exec(part) ?? [];
  /** @type {(text: string) => number} */
  const numberOf = (text) => (/^\d+$/.test(text) ? Number(text) : words.indexOf(text));
  // As the end of a range, Sunday by its name is the day after Saturday
  const until = words === DAYS && to === 'SUN' && to !== from ? most : numberOf(to);
  const [first, last] = any ? [least, most] : [numberOf(from), until];
  if ((!any && from === '') || first < least || last > most || last < first) return undefined;
  const count = Math.floor((last - first) / Number(step)) + 1;
  return Array.from({ length: count }, (_, index) => first + index * Number(step));
}

/**
 * The last day of the month, or the weekday nearest to a day of it, which AWS writes as cron does.
 *
 * @param {string} text
 */
function specialDayOfMonth(text) {
  return /^(L|\d{1,2}W)$/.test(text) ? text : undefined;
}

/**
 * The last Friday of a month, say, or its second one, with the day as AWS counts it.
 *
 * @param {string} text
 */
function specialDayOfWeek(text) {
  const [, day = '', which] = /^(\d|[A-Z]{3})(L|#[1-5L])$/.exec(text) ?? [];
  if (which === undefined) return undefined;
  const number = /^\d$/.test(day) ? Number(day) % DAYS.length : DAYS.indexOf(day);
  return `${number + 1}${which === '#L' ? 'L' : which}`;
}
